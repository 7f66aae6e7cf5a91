import { once } from 'node:events';
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { defer, map, type Observable } from 'rxjs';
import { resetSocket } from '../proxies/reset-socket.js';

/** Whether a link is cut, by the peer URLs of the member that calls and of the one that is called. */
export type IsCut = (from: string | undefined, to: string) => boolean;

/** One request under way. */
interface Exchange {
  from: string | undefined;
  drop(): void;
}

/** Starts a proxy on a free loopback port in front of the peer URL of a member; it lives until `close$`. */
export function startPeerProxy(listenUrl: string, isCut: IsCut): Observable<PeerProxy> {
  return defer(() => {
    const proxy = new PeerProxy(listenUrl, isCut);
    return proxy.listen$().pipe(map(() => proxy));
  });
}

/**
 * Passes on what other members ask of one. The link between two members is two ways at once, and each of them calls the
 * other: to cut one link and no other, a proxy has to know who calls. Members say so in each request (X-PeerURLs), which is why this
 * one speaks HTTP. It never keeps this process alive.
 */
export class PeerProxy {
  readonly #target: URL;
  readonly #isCut: IsCut;
  readonly #exchanges = new Set<Exchange>();
  // A connection that is closed for its idleness could lose a request that was just sent.
  readonly #server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) =>
    this.#pass(request, response),
  );
  #url = '';

  /** @internal Use `startPeerProxy`. */
  constructor(listenUrl: string, isCut: IsCut) {
    this.#target = new URL(listenUrl);
    this.#isCut = isCut;
    this.#server.on('connection', (socket) => socket.unref());
  }

  /** What the others have to call the member by. */
  get url(): string {
    return this.#url;
  }

  listen$(): Observable<void> {
    return defer(async () => {
      await once(this.#server.listen(0, '127.0.0.1').unref(), 'listening');
      this.#url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    });
  }

  /** Resets every connection of a link that is cut by now. */
  dropCut(): void {
    for (const { from, drop } of this.#exchanges) if (this.#isCut(from, this.#url)) drop();
  }

  /** `close$` without waiting. */
  abandon(): void {
    this.#server.close();
    this.#exchanges.forEach(({ drop }) => drop());
    this.#server.closeAllConnections();
  }

  close$(): Observable<void> {
    return defer(async () => {
      const closed = this.#server.listening && once(this.#server, 'close');
      this.abandon();
      await closed;
    });
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const from = request.headers['x-peerurls']?.toString();
    if (this.#isCut(from, this.#url)) {
      resetSocket(request.socket);
      return;
    }
    const { method, url: path, headers } = request;
    const { hostname, port } = this.#target;
    const passed = send({ hostname, port, method, path, headers, agent: false });
    const drop = () => {
      resetSocket(request.socket);
      passed.destroy();
    };
    const exchange = { from, drop };
    this.#exchanges.add(exchange);
    response.on('close', () => {
      this.#exchanges.delete(exchange);
      passed.destroy();
    });
    passed.on('socket', (socket) => socket.unref());
    passed.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      pipeline(answer, response, () => undefined);
    });
    // The caller may well be gone, and the called one down.
    pipeline(request, passed, (error) => {
      if (error) drop();
    });
    passed.on('error', drop);
  }
}
