import type { Dispatcher } from 'undici';
import { UndiciHeaders } from './undici-headers.js';
import { TransportError } from './transport-error.js';
import type { Wire } from './wire.js';

/** Until undici is done with a connection: whoever hears of an answer may send the next request at once. */
const settled = Promise.resolve();
const noHeaders = new UndiciHeaders([]);

/** One exchange as undici drives it: no stream in between, the body decoded once. */
export class UndiciExchange implements Dispatcher.DispatchHandlers {
  /** Called, once, when it no longer waits for a connection. */
  onReleased: (() => void) | undefined;
  readonly #wire: Wire;
  #decoder: TextDecoder | undefined;
  readonly #chunks: Buffer[] = [];
  #status = 0;
  #headers = noHeaders;
  #destroyConnection: (() => void) | undefined;

  constructor(wire: Wire) {
    this.#wire = wire;
    wire.sent = false;
    wire.onAbort = () => {
      this.#release();
      this.#destroyConnection?.();
    };
  }

  /** undici has a connection and is about to write the request to it: the last moment at which it is surely unsent. */
  onConnect(abort: () => void): void {
    this.#release();
    // Thrown, not aborted: that would cost the connection, which is still good.
    if (this.#wire.over) throw new TransportError('other', 'aborted', false);
    this.#destroyConnection = abort;
    this.#wire.sent = true;
  }

  onHeaders(status: number, raw: Buffer[]): boolean {
    this.#status = status;
    const informational = status < 200;
    const headers = new UndiciHeaders(raw);
    if (!this.#wire.inParts) this.#headers = headers;
    // Not kept while the answer goes on: they lie in what was read from the socket, and a watch may stand for days.
    else if (!informational) this.#wire.head(status, headers);
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (this.#wire.inParts) {
      this.#decoder ??= new TextDecoder();
      this.#wire.text(this.#decoder.decode(chunk, { stream: true }));
    } else this.#chunks.push(chunk);
    return true;
  }

  onComplete(): void {
    const [first] = this.#chunks;
    const body = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    // Here, as it may be too long for a string: undici makes an error of what is thrown.
    const text = body.toString('utf8');
    void settled.then(() => {
      this.#wire.done({ status: this.#status, headers: this.#headers, body: text });
    });
  }

  onError(error: Error): void {
    this.#release();
    void settled.then(() => {
      this.#wire.failed(error);
    });
  }

  #release(): void {
    const told = this.onReleased;
    this.onReleased = undefined;
    told?.();
  }
}
