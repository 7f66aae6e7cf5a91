import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { Observable, defer, map } from 'rxjs';
import { BodyCutter } from './body-cutter.js';
import { Gate } from './gate.js';
import { resetSocket } from './reset-socket.js';

export interface TcpProxyOptions {
  /** Asked at the first byte of each answer's body: true ends the connection behind the headers. Only for HTTP/1.1. */
  cutAfterHeaders?: () => boolean;
  /** Told each piece of what clients say, as it comes. */
  heard?: (piece: Buffer) => void;
}

/** Which way is silent: what the client says, what the target says, or both. */
export type Way = 'toTarget' | 'toClient' | 'both';

interface Link {
  client: Socket;
  target: Socket;
  toTarget: Gate;
  toClient: Gate;
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
  readonly #links = new Set<Link>();
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

  /** Since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Forwards nothing more, not even an end, on open and new connections, all of which stay open. */
  pause(way: Way = 'both'): void {
    this.#silent = way;
    this.#links.forEach((link) => this.#apply(link));
  }

  /** Ends `pause`: what was held back is delivered. */
  resume(): void {
    this.#silent = undefined;
    this.#links.forEach((link) => this.#apply(link));
  }

  /** Resets all open connections, on both sides. */
  reset(): void {
    this.#links.forEach(drop);
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
    const link: Link = { client, target, toTarget: new Gate(false), toClient: new Gate(false) };
    this.#links.add(link);
    this.#apply(link);

    if (this.#options.heard !== undefined) client.on('data', this.#options.heard);
    client.pipe(link.toTarget).pipe(target);
    this.#answers(link).pipe(client);

    // A reset of one side becomes a reset of the other, once the way there is open.
    client.on('error', () => link.toTarget.whenOpen(() => drop(link)));
    target.on('error', () => link.toClient.whenOpen(() => drop(link)));
    const forget = () => client.closed && target.closed && this.#links.delete(link);
    client.on('close', forget);
    target.on('close', forget);
  }

  #answers({ client, target, toTarget, toClient }: Link): NodeJS.ReadableStream {
    const { cutAfterHeaders } = this.#options;
    if (cutAfterHeaders === undefined) return target.pipe(toClient);
    const cutter = new BodyCutter(cutAfterHeaders, () => {
      client.destroy();
      target.destroy();
    });
    toTarget.on('data', () => cutter.requestSent());
    return target.pipe(toClient).pipe(cutter);
  }

  #apply({ toTarget, toClient }: Link): void {
    set(toTarget, this.#silent === 'both' || this.#silent === 'toTarget');
    set(toClient, this.#silent === 'both' || this.#silent === 'toClient');
  }
}

function set(gate: Gate, shut: boolean): void {
  if (shut) gate.shut();
  else gate.open();
}

function drop({ client, target }: Link): void {
  resetSocket(client);
  resetSocket(target);
}
