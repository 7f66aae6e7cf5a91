import { Transform } from 'node:stream';
import type { TransformCallback } from 'node:stream';

/** A stream that passes everything on, or, while it is shut, nothing at all (its end neither). */
export class Gate extends Transform {
  #shut: boolean;
  #held: (() => void)[] = [];

  constructor(shut: boolean) {
    super();
    this.#shut = shut;
  }

  shut(): void {
    this.#shut = true;
  }

  open(): void {
    this.#shut = false;
    const held = this.#held;
    this.#held = [];
    held.forEach((action) => action());
  }

  /** Runs the action, now or when the gate opens. */
  whenOpen(action: () => void): void {
    if (this.#shut) this.#held.push(action);
    else action();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.whenOpen(() => done(null, chunk));
  }

  override _flush(done: TransformCallback): void {
    this.whenOpen(() => done());
  }
}
