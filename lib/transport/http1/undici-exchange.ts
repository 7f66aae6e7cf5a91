import type { Dispatcher } from 'undici';
import { Bytes } from './bytes.js';
import type { OpenBody } from './open-body.js';
import { compressed } from './compressed.js';
import { UndiciHeaders } from './undici-headers.js';
import { TransportError } from '../transport-error.js';
import type { Wire } from './wire.js';

/** Until undici is done with a connection: whoever hears of an answer may send the next request at once. */
const settled = Promise.resolve();
const noHeaders = new UndiciHeaders([]);

/** One exchange as undici drives it: no stream in between, the body decoded once. */
export class UndiciExchange implements Dispatcher.DispatchHandlers {
  /** Called, once, when it no longer waits for a connection. */
  onReleased: (() => void) | undefined;
  /** A body that goes on until the exchange is over; undici ends none that it has not begun to send. */
  openBody: OpenBody | undefined;
  readonly #wire: Wire;
  #decoder: TextDecoder | undefined;
  readonly #body = new Bytes();
  #status = 0;
  #headers = noHeaders;
  /** The content-encoding of an answer in parts. */
  #encoding: string | undefined;
  #destroyConnection: (() => void) | undefined;

  constructor(wire: Wire) {
    this.#wire = wire;
    wire.reached('waiting');
    wire.onAbort = () => {
      this.#release();
      this.#destroyConnection?.();
      this.openBody?.destroy();
    };
  }

  /** undici has a connection and is about to write the request to it: the last moment at which it is surely unsent. */
  onConnect(abort: () => void): void {
    this.#release();
    // Thrown, not aborted: that would cost the connection, which is still good.
    if (!this.#wire.mayBeWritten()) throw new TransportError('other', 'aborted', false);
    this.#destroyConnection = abort;
    this.#wire.reached('written');
  }

  onHeaders(status: number, raw: Buffer[]): boolean {
    this.#status = status;
    if (status < 200) return true;
    const headers = new UndiciHeaders(raw);
    // Not kept while an answer goes on: they lie in what was read from the socket, and a watch may stand for days.
    if (this.#wire.inParts) this.#encoding = headers.get('content-encoding');
    else this.#headers = headers;
    this.#wire.head(status, headers);
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (!this.#wire.takes(chunk)) return true;
    if (!this.#wire.inParts) this.#body.append(chunk);
    else if (!this.#isCompressed(this.#encoding)) {
      this.#decoder ??= new TextDecoder();
      this.#wire.text(this.#decoder.decode(chunk, { stream: true }));
    }
    return true;
  }

  onComplete(): void {
    this.openBody?.destroy();
    const { buffer, byteOffset, byteLength } = this.#body.all;
    // Here, as it may be too long for a string: undici makes an error of what is thrown.
    const body = Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
    void settled.then(() => {
      if (body !== '' && this.#isCompressed(this.#headers.get('content-encoding'))) return;
      this.#wire.done({ status: this.#status, headers: this.#headers, body });
    });
  }

  onError(error: Error): void {
    this.#release();
    this.openBody?.destroy();
    void settled.then(() => {
      this.#wire.failed(error);
    });
  }

  /** True if it is, and the exchange has failed. */
  #isCompressed(encoding: string | undefined): boolean {
    if (encoding === undefined) return false;
    const error = compressed(encoding, this.#status);
    if (error === undefined) return false;
    this.#wire.failed(error);
    this.#destroyConnection?.();
    return true;
  }

  #release(): void {
    const told = this.onReleased;
    this.onReleased = undefined;
    told?.();
  }
}
