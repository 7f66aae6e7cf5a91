import type { LossReason } from '../../errors.js';

/** Answers to a request sent this long after a poll's headers prove that no event hides behind them, ms. */
const proofDelay = 1_000;

/** Claims kept beside the latest. */
const mostClaims = 3;

/** A claim that nothing matches up to an index, waiting for its proof. */
interface Claim {
  readonly endpoint: string;
  readonly index: number;
  readonly at: number;
}

/**
 * The place of a watch: the next index to ask for. It outlives polls, members and retries, and moves only on proof.
 *
 * Proof is an event (a poll asked from s and answered by event m shows that nothing else matches in [s, m)), or
 * silence with a witness: a poll silent after headers with index h covers h once the same member has answered a
 * request sent at least 1 s after those headers, and nothing to it has failed since. Silence alone proves nothing: an
 * event can be cut off behind its headers.
 */
export class Cursor {
  /** The next index to ask for; undefined until the start is fixed. */
  next: number | undefined;
  /** Changes when the store is another one: indexes are compared within one epoch only. */
  epoch = 0;
  /** The cluster whose indexes these are; undefined until it is known. */
  clusterId: string | undefined;
  /** Keys with a TTL that the watch knows of, about. */
  keysWithTtl = 0;
  /** Why events are lost, until a resync has made up for them. */
  lost: LossReason | undefined;
  /** An event that was not delivered, as others may be missing before it. */
  withheld: { readonly endpoint: string; readonly index: number } | undefined;
  /** Up to here everything was delivered; a claim, though proven, can still be belied by a late event above. */
  #delivered = 0;
  /** The latest index that a member told beside the polls, and when. */
  #told: Claim | undefined;
  /** In order of time; a later claim does not make an earlier one void. */
  #claims: readonly Claim[] = [];

  constructor(fromIndex?: number) {
    this.next = fromIndex;
    if (fromIndex !== undefined) this.#delivered = fromIndex - 1;
  }

  /** Fixes the start after this index, unless it is fixed already. */
  start(index: number): void {
    if (this.next !== undefined) return;
    this.next = index + 1;
    this.#delivered = index;
  }

  /** Whether an event of that index is still to be seen. */
  isNew(index: number): boolean {
    return index > this.#delivered;
  }

  /** Whether that id says that the cluster is another one; no id says nothing. */
  isOfAnother(clusterId: string | undefined): boolean {
    return clusterId !== undefined && this.clusterId !== undefined && clusterId !== this.clusterId;
  }

  /** A state of that index takes the place of what is lost: of the same store, or of another one. */
  resyncAt(index: number, loss: LossReason, clusterId: string | undefined): void {
    if (loss !== 'cleared') {
      this.epoch += 1;
      this.#told = undefined;
    }
    this.clusterId = clusterId ?? this.clusterId;
    this.arriveAt(index);
  }

  /** An event of that index was delivered: what comes next is above it. */
  arriveAt(index: number): void {
    this.next = index + 1;
    this.#delivered = index;
    this.lost = undefined;
    this.withheld = undefined;
    this.#claims = [];
  }

  /** A poll on that endpoint got its headers: nothing matches up to that index, if it stays silent. */
  claim(endpoint: string, index: number, at: number): void {
    const others = this.#claims.filter((claim) => claim.endpoint === endpoint);
    this.#claims = [...others.slice(-mostClaims), { endpoint, index, at }];
  }

  /** That endpoint told its store's index, in answer to another request. */
  told(endpoint: string, index: number, at: number): void {
    this.#told = { endpoint, index, at };
  }

  /**
   * Up to where a poll looked that was sent at that time, when its own headers cannot be read: to what its endpoint had
   * told before.
   */
  toldBefore(endpoint: string, sentAt: number): number | undefined {
    const told = this.#told;
    return told?.endpoint === endpoint && told.at <= sentAt ? told.index : undefined;
  }

  /** That endpoint answered a request sent at that time. */
  witness(endpoint: string, sentAt: number): void {
    const proven = this.#claims.filter((c) => c.endpoint === endpoint && sentAt >= c.at + proofDelay).at(-1);
    if (proven === undefined) return;
    if (this.next !== undefined && proven.index >= this.next) this.next = proven.index + 1;
    this.#claims = this.#claims.filter((claim) => claim.at > proven.at);
  }

  /** Something failed: claims without proof are void, the old place is asked again. */
  doubt(): void {
    this.#claims = [];
  }
}
