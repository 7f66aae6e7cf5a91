import { build } from 'esbuild';
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { eventually } from '../../support/eventually.js';
import { BrowserProcess } from './browser-process.js';
import type { Answer, Command, PageLibrary } from './page-library.js';

/**
 * A page in a browser that has loaded the package as a bundler makes it of dist/. It asks its server for commands and
 * sends back what came of them, which every browser can.
 */
export class Page {
  readonly #server: Server;
  readonly #otherwise: RequestListener;
  readonly #script: string;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #commands: Command[] = [];
  #asked: ServerResponse | undefined;
  #browser: BrowserProcess | undefined;
  #lastId = 0;

  private constructor(script: string, otherwise: RequestListener) {
    this.#script = script;
    this.#otherwise = otherwise;
    this.#server = createServer((asked, answer) => this.#serve(asked, answer));
  }

  /** @param otherwise answers what is not the page's own: to be of the same origin. Default: nothing is there */
  static async open(otherwise: RequestListener = (_, answer) => answer.writeHead(404).end()): Promise<Page> {
    const page = new Page(await bundle(), otherwise);
    await once(page.#server.listen(0, '127.0.0.1'), 'listening');
    const browser = (page.#browser = new BrowserProcess(page.origin));
    await eventually(
      () => {
        browser.demand();
        return page.#asked !== undefined;
      },
      { within: 60_000 },
    );
    return page;
  }

  /** Its own origin. */
  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Calls the library in the page. */
  async run<K extends keyof PageLibrary>(
    name: K,
    ...args: Parameters<PageLibrary[K]>
  ): Promise<Awaited<ReturnType<PageLibrary[K]>>> {
    this.#browser?.demand();
    const id = (this.#lastId += 1);
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#commands.push({ id, name, args });
    this.#hand();
    const { value, error } = await answered;
    if (error !== undefined) throw new Error(`${name}: ${error}`);
    return value as Awaited<ReturnType<PageLibrary[K]>>;
  }

  async close(): Promise<void> {
    await this.#browser?.end();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #serve(asked: IncomingMessage, answer: ServerResponse): void {
    switch (asked.url) {
      case '/':
        answer.setHeader('content-type', 'text/html').end('<!doctype html><script src="/script"></script>');
        break;
      case '/script':
        answer.setHeader('content-type', 'text/javascript; charset=utf-8').end(this.#script);
        break;
      case '/commands':
        this.#asked = answer;
        this.#hand();
        break;
      case '/answer':
        void json(asked).then((said) => {
          const { id, ...outcome } = said as Answer & { id: number };
          this.#waiting.get(id)?.(outcome);
          this.#waiting.delete(id);
          answer.end();
        });
        break;
      default:
        this.#otherwise(asked, answer);
    }
  }

  /** Hands out what there is to do, if anything, as soon as it is asked for. */
  #hand(): void {
    if (this.#commands.length === 0 || this.#asked === undefined || this.#asked.writableEnded) return;
    this.#asked.end(JSON.stringify(this.#commands.splice(0)));
  }
}

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
