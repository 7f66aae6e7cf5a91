import type { ResponseInfo } from './model/model.js';

/** The highest of all that a client has seen, at some time, of one store. */
export interface Mark {
  /** How many stores there were before under the same name. */
  readonly epoch: number;
  readonly clusterId: string | undefined;
  readonly etcdIndex: number;
  readonly raftIndex: number;
  readonly raftTerm: number;
}

/** What an answer tells of the store. */
export type Told = Pick<ResponseInfo, 'etcdIndex' | 'raftIndex' | 'raftTerm' | 'clusterId'>;

const nothing = { etcdIndex: 0, raftIndex: 0, raftTerm: 0 };

/**
 * The highest store index that a client has seen, of the cluster that it belongs to, with the highest raft index and raft
 * term. They only grow while the store is the same. A cluster that was rebuilt under its name begins the next epoch: what
 * was seen before belongs to another store.
 */
export class Watermark {
  #mark: Mark = { epoch: 0, clusterId: undefined, ...nothing };
  readonly #restarted: () => void;

  /** @param restarted called when another epoch begins */
  constructor(restarted: () => void = () => undefined) {
    this.#restarted = restarted;
  }

  /** The highest store index. */
  get value(): number {
    return this.#mark.etcdIndex;
  }

  get epoch(): number {
    return this.#mark.epoch;
  }

  /** All of it as it is now, to be compared with what is asked from now on. */
  get mark(): Mark {
    return this.#mark;
  }

  /** Takes an answer into account. Index 0 says nothing; an index of another cluster starts anew. */
  saw({ etcdIndex = 0, raftIndex = 0, raftTerm = 0, clusterId }: Told): void {
    if (etcdIndex === 0) return;
    const { epoch, clusterId: known, ...highest } = this.#mark;
    const before = isAnother(known, clusterId) ? nothing : highest;
    if (
      clusterId === known &&
      etcdIndex <= before.etcdIndex &&
      raftIndex <= before.raftIndex &&
      raftTerm <= before.raftTerm
    )
      return;
    this.#mark = {
      epoch,
      clusterId: clusterId ?? known,
      etcdIndex: Math.max(etcdIndex, before.etcdIndex),
      raftIndex: Math.max(raftIndex, before.raftIndex),
      raftTerm: Math.max(raftTerm, before.raftTerm),
    };
  }

  /**
   * The cluster was rebuilt since that mark: what was seen before belongs to another store. Whoever finds out later than
   * others changes nothing.
   */
  restart({ epoch, clusterId }: Mark, told: Told): void {
    if (epoch !== this.epoch || isAnother(this.#mark.clusterId, clusterId)) return;
    this.#mark = { epoch: epoch + 1, clusterId, ...nothing };
    this.saw(told);
    this.#restarted();
  }
}

/** Whether these are two ids; no id says nothing. */
const isAnother = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && a !== b;

/**
 * Whether an answer to what was asked after that mark is below it, in any of its numbers: that of a member that lags, or of
 * another store. Nothing is below the mark of another cluster.
 */
export const isBelow = (
  { etcdIndex = Infinity, raftIndex = Infinity, raftTerm = Infinity, clusterId }: Told,
  mark: Mark,
): boolean =>
  !isAnother(clusterId, mark.clusterId) &&
  etcdIndex !== 0 &&
  (etcdIndex < mark.etcdIndex || raftIndex < mark.raftIndex || raftTerm < mark.raftTerm);
