import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  Observable,
  Subject,
  catchError,
  defer,
  from,
  fromEvent,
  isObservable,
  mergeMap,
  of,
  take,
  takeUntil,
  tap,
} from 'rxjs';
import { resetSocket } from '../proxies/reset-socket.js';
import { performAction } from './scripted-action.js';
import type { ScriptedAction } from './scripted-action.js';

export interface ScriptedRequest {
  method: string;
  /** Without the query, as sent (not decoded). */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
  /** Its connection ended before its answer was complete, and not by an action that says so. */
  aborted: boolean;
}

/** Called once for each request when its body is complete; if it throws, the answer is a 500 with the message. An Observable answers later, with its first value. */
export type ScriptedHandler = (request: ScriptedRequest) => ScriptedAction | Observable<ScriptedAction>;

/**
 * Starts an HTTP server on a loopback port that does exactly what `handler` says; it lives until `close$`.
 *
 * @param port default: one that is free
 */
export function startScriptedServer(handler: ScriptedHandler, port = 0): Observable<ScriptedServer> {
  return defer(async () => {
    const server = new ScriptedServer(handler);
    await server.listen(port);
    return server;
  });
}

export class ScriptedServer {
  /** Every request seen, in order of arrival. */
  readonly requests: ScriptedRequest[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #closed = new Subject<void>();
  #accepted = 0;

  /** @internal Use `startScriptedServer`. */
  constructor(private readonly handler: ScriptedHandler) {
    this.#server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 });
    this.#server.on('connection', (socket: Socket) => {
      this.#accepted += 1;
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    fromEvent(this.#server, 'request', (...args: [IncomingMessage, ServerResponse]) => args)
      .pipe(
        mergeMap(([message, response]) => this.#serve(message, response)),
        takeUntil(this.#closed),
      )
      .subscribe();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Resets all open connections. */
  reset(): void {
    this.#sockets.forEach(resetSocket);
  }

  /** Ends all connections and stops listening; emits when that is done. */
  close$(): Observable<void> {
    return defer(async () => {
      this.#closed.next();
      const closed = new Promise((resolve) => this.#server.close(resolve));
      const ended = [...this.#sockets].map((socket) => once(socket.destroy(), 'close'));
      await Promise.all([closed, ...ended]);
    });
  }

  /** @internal */
  async listen(port: number): Promise<void> {
    await once(this.#server.listen(port, '127.0.0.1'), 'listening');
  }

  #serve(message: IncomingMessage, response: ServerResponse): Observable<never> {
    const { pathname: path, searchParams: query } = split(message.url ?? '/');
    const request: ScriptedRequest = {
      method: message.method ?? '',
      path,
      query,
      headers: message.headers,
      body: '',
      aborted: false,
    };
    this.requests.push(request);
    const gone$ = fromEvent(response, 'close').pipe(take(1));
    return from(text(message).catch(() => '')).pipe(
      mergeMap((body) => {
        request.body = body;
        return this.#decide(request);
      }),
      mergeMap((action) => performAction(action, response)),
      takeUntil(gone$.pipe(tap(() => (request.aborted = !response.writableFinished)))),
    );
  }

  #decide(request: ScriptedRequest): Observable<ScriptedAction> {
    return defer(() => {
      const action = this.handler(request);
      return isObservable(action) ? action.pipe(take(1)) : of(action);
    }).pipe(catchError((error: Error) => of({ status: 500, body: { message: error.message } })));
  }
}

function split(url: string): { pathname: string; searchParams: URLSearchParams } {
  const [pathname = '', ...rest] = url.split('?');
  return { pathname, searchParams: new URLSearchParams(rest.join('?')) };
}
