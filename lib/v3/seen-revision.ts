import type { ResponseInfo } from './model/response-info.js';

/**
 * The highest revision that a client has seen of the store that it belongs to. Revisions only grow while the store is the
 * same: that of another cluster begins anew, and so does one that was put back to an older state.
 */
export class SeenRevision {
  #clusterId: string | undefined;
  #revision = 0;
  #epoch = 0;
  #restarts = 0;
  #tell: ((revision: number) => void) | undefined;
  readonly #restarted: () => void;

  /** @param restarted called when the store was put back to an older state */
  constructor(restarted: () => void = () => undefined) {
    this.#restarted = restarted;
  }

  /** 0 before any was seen. */
  get value(): number {
    return this.#revision;
  }

  /** How often it has begun anew. */
  get epoch(): number {
    return this.#epoch;
  }

  /** How often the store was put back to an older state. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Calls this with each revision that is higher than all before. */
  whenHigher(tell: (revision: number) => void): void {
    this.#tell = tell;
  }

  /** Takes an answer into account. */
  saw({ clusterId, revision }: Pick<ResponseInfo, 'clusterId' | 'revision'>): void {
    if (clusterId !== this.#clusterId) {
      if (this.#clusterId !== undefined) this.#epoch += 1;
      this.#clusterId = clusterId;
      this.#revision = 0;
    }
    if (revision <= this.#revision) return;
    this.#revision = revision;
    this.#tell?.(revision);
  }

  /** The store of that epoch was put back to that revision; whoever finds out later than others changes nothing. */
  restart(epoch: number, revision: number): void {
    if (epoch !== this.#epoch) return;
    this.#epoch += 1;
    this.#restarts += 1;
    this.#revision = revision;
    this.#restarted();
  }
}
