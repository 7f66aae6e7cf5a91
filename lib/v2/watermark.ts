import type { ResponseInfo } from './model.js';

/** The highest store index that a client has seen. */
export class Watermark {
  #highest = 0;

  get value(): number {
    return this.#highest;
  }

  /** Takes an index into account. Index 0 says nothing. */
  saw(index: number | undefined): void {
    if (index !== undefined && index > this.#highest) this.#highest = index;
  }

  /** The cluster was rebuilt: what was seen before belongs to another store. */
  restart(index: number): void {
    this.#highest = index;
  }

  /** Whether an answer is older than what had been seen; one without an index is not. */
  isStale({ etcdIndex = 0 }: ResponseInfo, seen: number): boolean {
    return etcdIndex > 0 && etcdIndex < seen;
  }
}
