import type { Dispatcher } from 'undici';
import type { HttpResponse } from './http.js';
import { LeanHeaders } from './lean-headers.js';
import { TransportError } from './transport-error.js';
import type { Wire } from './wire.js';

/** One exchange as undici drives it: no stream in between, the body decoded once. */
export class LeanExchange implements Dispatcher.DispatchHandlers {
  /** Called once it no longer waits for a connection. */
  onReleased: () => void = () => undefined;
  readonly #wire: Wire;
  readonly #resolve: (response: HttpResponse) => void;
  readonly #reject: (reason: Error) => void;
  readonly #decoder: TextDecoder | undefined;
  readonly #chunks: Buffer[] = [];
  #status = 0;
  #headers = new LeanHeaders([]);
  #destroyConnection: (() => void) | undefined;

  constructor(wire: Wire, resolve: (response: HttpResponse) => void, reject: (reason: Error) => void) {
    this.#wire = wire;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#decoder = wire.onText === undefined ? undefined : new TextDecoder();
    wire.sent = false;
    wire.onAbort = () => {
      this.onReleased();
      if (this.#destroyConnection === undefined) this.#reject(new TransportError('other', 'aborted', false));
      else this.#destroyConnection();
    };
  }

  /** undici has a connection and is about to write the request to it: the last moment at which it is surely unsent. */
  onConnect(abort: () => void): void {
    this.onReleased();
    // Thrown, not aborted: that would cost the connection, which is still good.
    if (this.#wire.aborted) throw new TransportError('other', 'aborted', false);
    this.#destroyConnection = abort;
    this.#wire.sent = true;
  }

  onHeaders(status: number, raw: Buffer[]): boolean {
    this.#status = status;
    const informational = status < 200;
    const headers = new LeanHeaders(raw);
    if (this.#decoder === undefined) this.#headers = headers;
    // Not kept while the answer goes on: they lie in what was read from the socket, and a watch may stand for days.
    else if (!informational) this.#wire.onHead?.(status, headers);
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (this.#decoder === undefined) this.#chunks.push(chunk);
    else this.#wire.onText?.(this.#decoder.decode(chunk, { stream: true }));
    return true;
  }

  onComplete(): void {
    const [first] = this.#chunks;
    const body = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    this.#resolve({ status: this.#status, headers: this.#headers, body: body.toString('utf8') });
  }

  onError(error: Error): void {
    this.onReleased();
    this.#reject(error);
  }
}
