/** Answers to a request sent this long after a poll's headers prove that no event hides behind them, ms. */
const proofDelay = 1_000;

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
  /** The cluster whose indexes these are. */
  clusterId: string | undefined;
  /** Why events are lost, until a resync has made up for them. */
  lost: string | undefined;
  /** Up to here everything was delivered; a claim, though proven, can still be belied by a late event above. */
  #delivered = 0;
  #claim: Claim | undefined;

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

  /** An event, or a state, of that index was delivered: what comes next is above it. */
  arriveAt(index: number): void {
    this.next = index + 1;
    this.#delivered = index;
    this.lost = undefined;
    this.#claim = undefined;
  }

  /** A poll on that endpoint got its headers: nothing matches up to that index, if it stays silent. */
  claim(endpoint: string, index: number, at: number): void {
    this.#claim = { endpoint, index, at };
  }

  /** That endpoint answered a request sent at that time. */
  witness(endpoint: string, sentAt: number): void {
    const claim = this.#claim;
    if (claim?.endpoint !== endpoint || sentAt < claim.at + proofDelay) return;
    if (this.next !== undefined && claim.index >= this.next) this.next = claim.index + 1;
    this.#claim = undefined;
  }

  /** Something failed: claims without proof are void, the old place is asked again. */
  doubt(): void {
    this.#claim = undefined;
  }
}
