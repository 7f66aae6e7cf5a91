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
}
