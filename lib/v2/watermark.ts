/** The highest store index that a client has seen, of the cluster that it belongs to. */
export class Watermark {
  #highest = 0;
  #clusterId: string | undefined;

  get value(): number {
    return this.#highest;
  }

  /** Takes an index into account. Index 0 says nothing; an index of another cluster starts anew. */
  saw(index: number | undefined, clusterId?: string): void {
    if (index === undefined || index === 0) return;
    const another = clusterId !== undefined && this.#clusterId !== undefined && clusterId !== this.#clusterId;
    if (clusterId !== undefined) this.#clusterId = clusterId;
    if (another || index > this.#highest) this.#highest = index;
  }

  /** The cluster was rebuilt: what was seen before belongs to another store. */
  restart(index: number): void {
    this.#highest = index;
  }
}
