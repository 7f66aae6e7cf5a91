import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { eventually } from '../../support/jest/eventually.js';
import type { Answer, Command, PageLibrary } from './page-library.js';

/**
 * One tab of a browser, with `page-library` in it. It asks a server of its own for commands and sends back what came of
 * them, which every browser can; of its own, as a browser has but six connections to one.
 */
export class Tab {
  readonly #server: Server;
  readonly #alive: () => void;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #commands: Command[] = [];
  #asked: ServerResponse | undefined;
  #lastId = 0;

  private constructor(alive: () => void) {
    this.#alive = alive;
    this.#server = createServer((asked, answer) => this.#serve(asked, answer));
  }

  /**
   * @param show shows the page, which is told at that URL where its commands are
   * @param alive throws if the browser has ended
   */
  static async open(show: (commands: string) => unknown, alive: () => void): Promise<Tab> {
    const tab = new Tab(alive);
    await once(tab.#server.listen(0, '127.0.0.1'), 'listening');
    await show(`http://127.0.0.1:${(tab.#server.address() as AddressInfo).port}`);
    await eventually(
      () => {
        alive();
        return tab.#asked !== undefined;
      },
      { within: 60_000 },
    );
    return tab;
  }

  /** Calls the library in the tab. */
  async run<K extends keyof PageLibrary>(
    name: K,
    ...args: Parameters<PageLibrary[K]>
  ): Promise<Awaited<ReturnType<PageLibrary[K]>>> {
    this.#alive();
    const id = (this.#lastId += 1);
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#commands.push({ id, name, args });
    this.#hand();
    const { value, error } = await answered;
    if (error !== undefined) throw new Error(`${name}: ${error}`);
    return value as Awaited<ReturnType<PageLibrary[K]>>;
  }

  /** As a user closes it: whatever runs there has no time for a farewell. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    void this.run('leave');
    await eventually(() => this.#asked?.destroyed === true);
    this.end();
  }

  /** Ends its server: the browser has ended, or will. */
  end(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #serve(asked: IncomingMessage, answer: ServerResponse): void {
    answer.setHeader('access-control-allow-origin', '*');
    if (asked.method === 'GET') {
      this.#asked = answer;
      this.#hand();
      return;
    }
    void json(asked).then((said) => {
      const { id, ...outcome } = said as Answer & { id: number };
      this.#waiting.get(id)?.(outcome);
      this.#waiting.delete(id);
      answer.end();
    });
  }

  /** Hands out what there is to do, if anything, as soon as it is asked for. */
  #hand(): void {
    if (this.#commands.length === 0 || this.#asked === undefined || this.#asked.writableEnded) return;
    this.#asked.end(JSON.stringify(this.#commands.splice(0)));
  }
}
