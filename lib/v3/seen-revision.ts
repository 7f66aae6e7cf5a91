import type { ResponseInfo } from './model/response-info.js';

/** The highest revision that a client has seen of the store that it belongs to; that of another cluster begins anew. */
export class SeenRevision {
  #clusterId: string | undefined;
  #revision = 0;

  /** 0 before any was seen. */
  get value(): number {
    return this.#revision;
  }

  /** Takes an answer into account. */
  saw({ clusterId, revision }: Pick<ResponseInfo, 'clusterId' | 'revision'>): void {
    if (clusterId !== this.#clusterId) {
      this.#clusterId = clusterId;
      this.#revision = 0;
    }
    if (revision > this.#revision) this.#revision = revision;
  }
}
