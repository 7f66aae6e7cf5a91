import { build } from 'esbuild';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BrowserProcess } from './browser-process.js';
import { Tab } from './tab.js';

/** A page in a browser that has loaded the package as a bundler makes it of dist/; in one tab, or in more. */
export class Page {
  readonly #listener: RequestListener;
  readonly #servers: Server[] = [];
  readonly #tabs: Tab[] = [];
  #browser: BrowserProcess | undefined;

  private constructor(script: string, otherwise: RequestListener) {
    this.#listener = (asked, answer) => {
      const { pathname } = new URL(asked.url ?? '', 'http://any');
      if (pathname === '/')
        answer.setHeader('content-type', 'text/html').end('<!doctype html><script src="/script"></script>');
      else if (pathname === '/script')
        answer.setHeader('content-type', 'text/javascript; charset=utf-8').end(script);
      else otherwise(asked, answer);
    };
  }

  /** @param otherwise answers what is not the page's own: to be of the same origin. Default: nothing is there */
  static async open(otherwise: RequestListener = (_, answer) => answer.writeHead(404).end()): Promise<Page> {
    const page = new Page(await bundle(), otherwise);
    await page.#show(await page.#origin(), (url) => (page.#browser = new BrowserProcess(url)));
    return page;
  }

  /** Its own origin. */
  get origin(): string {
    return originOf(this.#servers[0]!);
  }

  /** The tab that was there first. */
  get first(): Tab {
    return this.#tabs[0]!;
  }

  /** The same page once more, in another tab. */
  async another(): Promise<Tab> {
    return this.#show(this.origin, (url) => this.first.run('show', url));
  }

  /** A tab with a page of another origin, which shares its connections with this one: it is on the same host. */
  async stranger(): Promise<Tab> {
    return this.#show(await this.#origin(), (url) => this.first.run('show', url));
  }

  async close(): Promise<void> {
    await this.#browser?.end();
    for (const tab of this.#tabs) tab.end();
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  /** Serves the page once more, on a port of its own. */
  async #origin(): Promise<string> {
    const server = createServer(this.#listener);
    this.#servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return originOf(server);
  }

  async #show(origin: string, show: (url: string) => unknown): Promise<Tab> {
    const tab = await Tab.open(
      (commands) => show(`${origin}/?${new URLSearchParams({ commands }).toString()}`),
      () => this.#browser?.demand(),
    );
    this.#tabs.push(tab);
    return tab;
  }
}

const originOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

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
