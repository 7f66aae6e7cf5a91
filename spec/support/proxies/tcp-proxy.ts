import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { Observable, defer, map } from 'rxjs';
import { BodyCutter } from './body-cutter.js';
import { TcpLink, type Way } from './tcp-link.js';

export interface TcpProxyOptions {
  /** Asked at the first byte of each answer's body: true ends the connection behind the headers. Only for HTTP/1.1. */
  cutAfterHeaders?: () => boolean;
  /** Told each piece of what clients say, as it comes. */
  heard?: (piece: Buffer) => void;
  /** Told of each piece of what the target says, before it passes on a connection. */
  answering?: (link: TcpLink) => void;
}

/** Starts a loopback proxy on a free port in front of `targetUrl` (host and port count); it lives until `close$`. */
export function startTcpProxy(targetUrl: string, options: TcpProxyOptions = {}): Observable<TcpProxy> {
  return defer(() => {
    const proxy = new TcpProxy(targetUrl, options);
    return proxy.accept$().pipe(map(() => proxy));
  });
}

/** Stands between a client and a server, or on a link between two members, and does to their connections what it is told. */
export class TcpProxy {
  readonly #server: Server;
  readonly #links = new Set<TcpLink>();
  readonly #options: TcpProxyOptions;
  #target: URL;
  #port = 0;
  #accepted = 0;
  #silent: Way | undefined;

  /** @internal Use `startTcpProxy`. */
  constructor(targetUrl: string, options: TcpProxyOptions) {
    this.#target = new URL(targetUrl);
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#link(client));
  }

  get url(): string {
    return `${this.#target.protocol}//127.0.0.1:${this.#port}`;
  }

  /** Open now. */
  get connections(): number {
    return this.#links.size;
  }

  /** The open connections, the oldest first. */
  get links(): readonly TcpLink[] {
    return [...this.#links];
  }

  /** Since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Forwards nothing more, not even an end, on open and new connections, all of which stay open. */
  pause(way: Way = 'both'): void {
    this.#silent = way;
    this.#links.forEach((link) => link.hold(way));
  }

  /** Ends `pause`, and that of single connections: what was held back is delivered. */
  resume(): void {
    this.#silent = undefined;
    this.#links.forEach((link) => link.hold(undefined));
  }

  /** Resets all open connections, on both sides. */
  reset(): void {
    this.#links.forEach((link) => link.reset());
  }

  /** New connections are refused from now on; open ones stay. */
  refuse(): void {
    this.#server.close();
  }

  /** Listens again, on the same port; emits when it does. */
  accept$(): Observable<void> {
    return defer(async () => {
      if (this.#server.listening) return;
      await once(this.#server.listen(this.#port, '127.0.0.1'), 'listening');
      this.#port = (this.#server.address() as AddressInfo).port;
    });
  }

  /** New connections lead there; open ones stay. */
  retarget(targetUrl: string): void {
    this.#target = new URL(targetUrl);
  }

  /** Resets everything and stops listening; emits when that is done. */
  close$(): Observable<void> {
    return defer(async () => {
      this.refuse();
      const sockets = [...this.#links]
        .flatMap(({ client, target }) => [client, target])
        .filter((socket) => !socket.closed);
      const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      this.reset();
      await Promise.all(closed);
    });
  }

  #link(client: Socket): void {
    this.#accepted += 1;
    const target = connect({
      host: this.#target.hostname,
      port: Number(this.#target.port),
      allowHalfOpen: true,
      noDelay: true,
    });
    const { heard, answering } = this.#options;
    if (heard !== undefined) client.on('data', heard);
    if (answering !== undefined) target.on('data', () => answering(link));
    const link = new TcpLink(client, target, this.#cutter(client, target));
    this.#links.add(link);
    link.hold(this.#silent);

    const forget = () => link.isClosed && this.#links.delete(link);
    client.on('close', forget);
    target.on('close', forget);
  }

  #cutter(client: Socket, target: Socket) {
    const { cutAfterHeaders } = this.#options;
    if (cutAfterHeaders === undefined) return undefined;
    const cutter = new BodyCutter(cutAfterHeaders, () => {
      client.destroy();
      target.destroy();
    });
    client.on('data', () => cutter.requestSent());
    return (answers: NodeJS.ReadableStream) => answers.pipe(cutter);
  }
}
