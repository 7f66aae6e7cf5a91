import type { Answer } from './wire/messages.js';

/**
 * The highest revision that a client has seen. Revisions only grow while the store is the same; one that was put back to an
 * older state, or that another one has taken the place of, begins the next epoch.
 */
export class HighWater {
  #epoch = 0;
  #revision = 0;

  get epoch(): number {
    return this.#epoch;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Takes an answer into account. */
  saw(header: Answer<'ResponseHeader'> | undefined): void {
    this.#revision = Math.max(this.#revision, header?.revision ?? 0);
  }

  /** The store of that epoch is no more; whoever finds out later than others changes nothing. */
  restart(epoch: number, revision: number): void {
    if (epoch !== this.#epoch) return;
    this.#epoch += 1;
    this.#revision = revision;
  }
}
