import { Transform } from 'node:stream';
import type { TransformCallback } from 'node:stream';

const endOfHeaders = Buffer.from('\r\n\r\n');

/**
 * Passes HTTP/1.1 answers on. At the first byte of each body it asks `cut`: if true, that byte and all after it are dropped and
 * `onCut` is called, once the headers are through. Needs to be told of each request, so that it knows where an answer begins.
 */
export class BodyCutter extends Transform {
  /** The headers so far while they are read, undefined within a body. */
  #headers: Buffer | undefined;
  #asked = true;
  #isCut = false;

  constructor(
    private readonly cut: () => boolean,
    private readonly onCut: () => void,
  ) {
    super();
  }

  /** The next byte belongs to a new answer. */
  requestSent(): void {
    if (this.#headers === undefined) this.#headers = Buffer.alloc(0);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#isCut) return done();
    const bodyAt = this.#startOfBody(chunk);
    if (bodyAt < chunk.length && !this.#asked) {
      this.#asked = true;
      this.#isCut = this.cut();
    }
    if (!this.#isCut) return done(null, chunk);
    done(null, chunk.subarray(0, bodyAt));
    setImmediate(this.onCut);
  }

  /** Where in this chunk the body starts: 0 within a body, the chunk's length while the headers go on. */
  #startOfBody(chunk: Buffer): number {
    if (this.#headers === undefined) return 0;
    const before = this.#headers.length;
    this.#headers = Buffer.concat([this.#headers, chunk]);
    const end = this.#headers.indexOf(endOfHeaders);
    if (end < 0) return chunk.length;
    this.#headers = undefined;
    this.#asked = false;
    return end + endOfHeaders.length - before;
  }
}
