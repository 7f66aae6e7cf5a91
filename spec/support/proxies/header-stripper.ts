import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { defer, type Observable } from 'rxjs';

/** Starts an HTTP proxy on a free loopback port that hides etcd's headers, as a browser does; it lives until `close$`. */
export function startHeaderStripper(targetUrl: string): Observable<HeaderStripper> {
  return defer(async () => {
    const proxy = new HeaderStripper(targetUrl);
    await proxy.listen();
    return proxy;
  });
}

/** Forwards requests and their answers as they come, without any header whose name starts with `X-`. */
export class HeaderStripper {
  readonly #server: Server;
  readonly #target: URL;
  #stripped = 0;

  /** @internal Use `startHeaderStripper`. */
  constructor(targetUrl: string) {
    this.#target = new URL(targetUrl);
    this.#server = createServer((asked, answer) => this.#forward(asked, answer));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Headers taken away since the start. */
  get stripped(): number {
    return this.#stripped;
  }

  /** @internal */
  async listen(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }

  /** Ends all connections and stops listening; emits when that is done. */
  close$(): Observable<void> {
    return defer(
      () =>
        new Promise<void>((resolve) => {
          this.#server.close(() => resolve());
          this.#server.closeAllConnections();
        }),
    );
  }

  #forward(asked: IncomingMessage, answer: ServerResponse): void {
    const { hostname, port } = this.#target;
    const { method = 'GET', url: path = '/', headers } = asked;
    const onward = request({ hostname, port, method, path, headers, agent: false }, (answered) => {
      const kept = Object.entries(answered.headers).filter(([name]) => !name.startsWith('x-'));
      this.#stripped += Object.keys(answered.headers).length - kept.length;
      answer.writeHead(answered.statusCode ?? 502, Object.fromEntries(kept));
      answer.flushHeaders();
      answered.pipe(answer);
      answered.on('error', () => answer.destroy());
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    asked.pipe(onward);
  }
}
