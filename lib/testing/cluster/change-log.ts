import type { Store } from '../store/store.js';
import type { StoreEvent } from '../store/store-event.js';
import type { Replica } from './replica.js';

/** What is done to each member's copy of the store. */
export type LoggedChange = (store: Store) => StoreEvent | undefined;

/** One change in the order that the cluster agreed on. */
export interface Entry {
  readonly index: number;
  readonly term: number;
  readonly change: LoggedChange;
}

/** The changes that some member has not done yet. Their indexes have no gaps. */
export class ChangeLog {
  #entries: Entry[] = [];
  #index: number;

  /** @param index of the first entry, less one */
  constructor(index: number) {
    this.#index = index;
  }

  /** Of the last entry. */
  get index(): number {
    return this.#index;
  }

  append(term: number, change: LoggedChange): void {
    this.#index += 1;
    this.#entries.push({ index: this.#index, term, change });
  }

  /** Lets a member do what it has not done yet; what comes of the last entry is returned or thrown. */
  bring(replica: Replica): StoreEvent | undefined {
    return replica.catchUp(this.#entries.slice(this.#place(replica.raftIndex)));
  }

  /** Forgets what all of these have done. */
  compact(replicas: Iterable<Replica>): void {
    let done = this.#index;
    for (const { raftIndex } of replicas) done = Math.min(done, raftIndex);
    this.#entries.splice(0, this.#place(done));
  }

  /** Where the entry behind this index stands. */
  #place(index: number): number {
    return this.#entries.length - (this.#index - index);
  }
}
