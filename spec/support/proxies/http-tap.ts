import { once } from 'node:events';
import {
  Agent,
  createServer,
  request,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { defer, type Observable } from 'rxjs';

/** One request that came by. */
export interface TappedRequest {
  /** When, by `performance.now()`. */
  readonly at: number;
  readonly method: string;
  /** With its query. */
  readonly path: string;
}

/** Starts a proxy for HTTP on a free loopback port that takes note of each request; it lives until `close$`. */
export function startHttpTap(targetUrl: string): Observable<HttpTap> {
  return defer(async () => {
    const tap = new HttpTap(targetUrl);
    await tap.listen();
    return tap;
  });
}

/** Stands in front of one member and counts; on demand it answers in its place. */
export class HttpTap {
  /** All so far, in order of arrival. */
  readonly requests: TappedRequest[] = [];
  /** Answers in the member's place, or never, and asks nobody; undefined: the member answers. */
  instead: (asked: Omit<TappedRequest, 'at'>) => { status: number; body: string } | 'silence' | undefined =
    () => undefined;
  /** A request goes on to the member when this resolves; undefined: at once. */
  until: (asked: Omit<TappedRequest, 'at'>) => Promise<unknown> | undefined = () => undefined;
  readonly #target: URL;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server: Server;

  /** @internal Use `startHttpTap`. */
  constructor(targetUrl: string) {
    this.#target = new URL(targetUrl);
    this.#server = createServer((asked, answer) => this.#forward(asked, answer));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends all connections that clients hold. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  /** Ends all connections and stops listening; emits when that is done. */
  close$(): Observable<void> {
    return defer(async () => {
      const closed = once(this.#server, 'close');
      this.#server.close();
      this.#server.closeAllConnections();
      this.#agent.destroy();
      await closed;
    });
  }

  /** @internal */
  async listen(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }

  #forward(asked: IncomingMessage, answer: ServerResponse): void {
    const { method = '', url: path = '', headers } = asked;
    this.requests.push({ at: performance.now(), method, path });
    const instead = this.instead({ method, path });
    if (instead !== undefined) {
      asked.resume();
      if (instead === 'silence') return;
      answer.writeHead(instead.status, { 'Content-Type': 'application/json' }).end(instead.body);
      return;
    }
    const { hostname, port } = this.#target;
    const onward = request({ hostname, port, method, path, headers, agent: this.#agent }, (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers);
      answer.flushHeaders();
      answered.on('error', () => answer.destroy());
      answered.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    const until = this.until({ method, path });
    if (until === undefined) asked.pipe(onward);
    else void until.then(() => asked.pipe(onward));
  }
}
