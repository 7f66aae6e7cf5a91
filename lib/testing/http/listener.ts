import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Observable, map, of, switchMap, take, tap } from 'rxjs';
import { answer$ } from './answer.js';
import type { AllowedHosts } from './allowed-hosts.js';
import type { Faults } from './faults.js';
import { ListenError } from './listen-error.js';
import { readBody$ } from './read-body.js';
import { forbidden } from './reply.js';
import type { RequestLog } from './request-log.js';
import type { ServedMember } from './served-member.js';
import { readTarget } from './target.js';
import { writeReply } from './write-reply.js';

/** The longest first line of a connection's first request, with its line break. */
const maxFirstLine = 4_096;
/** The largest head of any request. */
const maxHead = 1024 * 1024 + maxFirstLine;
const malformed =
  'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request';

/** What a request passes before the member sees it. */
interface ListenerGate {
  readonly log: RequestLog;
  /** Who may ask at all. */
  readonly allowed: AllowedHosts;
  /** What goes wrong on purpose. */
  readonly faults: Faults;
}

/** The HTTP server of one member. */
export class Listener {
  readonly #sockets = new Set<Socket>();
  /** Connections that have had their first request. */
  readonly #known = new WeakSet<Socket>();
  #server: Server | undefined;

  constructor(
    private readonly member: ServedMember,
    private readonly gate: ListenerGate,
  ) {}

  get listens(): boolean {
    return this.#server !== undefined;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Listens, and emits the port; unsubscribed before, it does not. Errors with `ListenError`. */
  listen$(host: string, port: number): Observable<number> {
    return new Observable((subscriber) => {
      const server = this.#create();
      this.#server = server;
      const fail = (error: Error) => {
        this.#server = undefined;
        subscriber.error(new ListenError(host, port, error));
      };
      server.once('error', fail);
      server.listen(port, host, () => {
        // A host's name may be looked up for longer than anyone waited.
        if (subscriber.closed) {
          server.close();
          return;
        }
        server.off('error', fail);
        subscriber.next((server.address() as AddressInfo).port);
        subscriber.complete();
      });
      return () => {
        if (!server.listening) this.#server = undefined;
      };
    });
  }

  /** Gives the port back and resets all open connections. */
  close$(): Observable<void> {
    return new Observable((subscriber) => {
      const server = this.#server;
      this.#server = undefined;
      const done = () => {
        subscriber.next();
        subscriber.complete();
      };
      if (server === undefined) return done();
      server.close(done);
      for (const socket of this.#sockets) socket.resetAndDestroy();
    });
  }

  #create(): Server {
    const server = createServer({ maxHeaderSize: maxHead, noDelay: true }, (request, response) =>
      this.#serve(request, response),
    );
    server.keepAliveTimeout = 0;
    server.headersTimeout = 0;
    server.requestTimeout = 0;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('clientError', (_, socket) => {
      if (socket.writable) socket.end(malformed);
      else socket.destroy();
    });
    return server;
  }

  #serve(message: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', headers, socket } = message;
    const isFirst = !this.#known.has(socket);
    this.#known.add(socket);
    if (isFirst && `${method} ${url} HTTP/1.1\r\n`.length > maxFirstLine) {
      socket.resetAndDestroy();
      return;
    }
    const target = readTarget(url);
    if (target === undefined) {
      socket.end(malformed);
      return;
    }
    const { log, allowed, faults } = this.gate;
    const refusal = allowed.refusal(headers);
    const reads = method === 'PUT' || method === 'POST';
    if (!reads) message.resume();
    const body$ = reads ? readBody$(message) : of(Buffer.alloc(0));
    // What was asked for happens even if nobody waits for the answer any more.
    body$
      .pipe(
        switchMap((body) =>
          this.member.awake$.pipe(
            map(() => body),
            take(1),
          ),
        ),
        tap((body) => log.add({ method, url, headers, body })),
        switchMap((body) =>
          refusal === undefined
            ? faults.through$(socket, () => answer$({ method, headers, body }, target, this.member))
            : of(forbidden(refusal)),
        ),
      )
      .subscribe({
        next: (reply) => {
          if (response.destroyed) {
            if (typeof reply.body !== 'string') reply.body.remove();
          } else writeReply(response, reply);
        },
        error: () => socket.resetAndDestroy(),
      });
  }
}
