import { build } from 'esbuild';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium, type Browser, type Page as ChromiumPage } from 'playwright-core';
import type { PageLibrary } from './page-library.js';

/** What keeps Chromium to itself, and lets it run as root. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--ignore-certificate-errors',
];

/** A page in Chromium ($CHROMIUM_BIN, else Debian's) that has loaded the package as a bundler makes it of dist/. */
export class Page {
  readonly #server: Server;
  readonly #browser: Browser;
  readonly #page: ChromiumPage;

  private constructor(server: Server, browser: Browser, page: ChromiumPage) {
    this.#server = server;
    this.#browser = browser;
    this.#page = page;
  }

  /** @param otherwise answers what is not the page's own: to be of the same origin. Default: nothing is there */
  static async open(otherwise?: RequestListener): Promise<Page> {
    const script = await bundle();
    const server = createServer((asked, answer) => {
      if (asked.url === '/') {
        answer.setHeader('content-type', 'text/html').end('<!doctype html><script src="script.js"></script>');
      } else if (asked.url === '/script.js') {
        answer.setHeader('content-type', 'text/javascript').end(script);
      } else if (otherwise === undefined) answer.writeHead(404).end();
      else otherwise(asked, answer);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const executablePath = process.env['CHROMIUM_BIN'] ?? '/usr/bin/chromium';
    const browser = await chromium.launch({ executablePath, args: flags });
    const page = await browser.newPage();
    await page.goto(urlOf(server));
    return new Page(server, browser, page);
  }

  /** Its own origin. */
  get origin(): string {
    return urlOf(this.#server);
  }

  /** Calls the library in the page. */
  async run<K extends keyof PageLibrary>(
    name: K,
    ...args: Parameters<PageLibrary[K]>
  ): Promise<Awaited<ReturnType<PageLibrary[K]>>> {
    return this.#page.evaluate(
      ([name, args]) => {
        const { library } = globalThis as unknown as {
          library: Record<string, (...args: unknown[]) => unknown>;
        };
        return library[name]!(...args);
      },
      [name, args as unknown[]] as const,
    ) as Promise<Awaited<ReturnType<PageLibrary[K]>>>;
  }

  /** Takes the network away from the page, or gives it back. */
  async setOffline(offline: boolean): Promise<void> {
    await this.#page.context().setOffline(offline);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** The package is found as its users find it, by its name, past the paths of tsconfig.json. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [`${__dirname}/page-library.ts`],
    bundle: true,
    platform: 'browser',
    format: 'iife',
    tsconfigRaw: {},
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}
