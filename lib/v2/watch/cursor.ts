import type { LossReason } from '../../errors.js';
import type { Batch } from '../../watch/leg-item.js';
import type { Position } from '../../watch/position.js';
import { Claims } from './claims.js';
import type { StandbyStreams } from './standby-streams.js';

/** An event that was not delivered, as others may be missing before it. */
export interface Withheld {
  readonly endpoint: string;
  readonly index: number;
}

/**
 * The position of a v2 watch: the next index to ask for. It moves only on proof.
 *
 * Proof is an event (a poll asked from s and answered by event m shows that nothing else matches in [s, m)), or a claim
 * of silence that has been witnessed.
 */
export class Cursor implements Position {
  next: number | undefined;
  epoch = 0;
  lost: LossReason | undefined;
  /** The cluster whose indexes these are; undefined until it is known. */
  clusterId: string | undefined;
  /** The epoch of the client's watermark in which they count. */
  storeEpoch: number | undefined;
  /** What silence says, and may come to prove. */
  readonly claims = new Claims();
  /** Keys with a TTL that the watch knows of, about: so many may expire at once. */
  keysWithTtl = 0;
  /** What waits ahead for such a burst; it ends with the site's stay. */
  standby: StandbyStreams | undefined;
  withheld: Withheld | undefined;
  /** Up to here everything was delivered; a claim, though proven, can still be belied by a late event above. */
  #delivered = 0;

  constructor(fromIndex?: number) {
    this.next = fromIndex;
    if (fromIndex !== undefined) this.#delivered = fromIndex - 1;
  }

  /** Whether an event of that index is still to be seen. */
  isNew(index: number): boolean {
    return index > this.#delivered;
  }

  /** Whether that id says that the cluster is another one; no id says nothing. */
  isOfAnother(clusterId: string | undefined): boolean {
    return clusterId !== undefined && this.clusterId !== undefined && clusterId !== this.clusterId;
  }

  moveTo({ events, next, epoch }: Batch<unknown>): void {
    const fixesStart = this.next === undefined && events.length === 0;
    this.next = next;
    this.#delivered = next - 1;
    if (fixesStart) return;
    if (epoch === undefined) this.claims.doubt();
    else {
      this.epoch = epoch;
      this.claims.clear();
    }
    this.lost = undefined;
    this.withheld = undefined;
  }

  lose(reason: LossReason): void {
    this.lost = reason;
  }

  doubt(): void {
    this.claims.doubt();
  }

  /** That endpoint answered a request sent at that time: what is proven by it is passed. */
  witness(endpoint: string, sentAt: number): void {
    const proven = this.claims.proven(endpoint, sentAt);
    if (proven !== undefined && this.next !== undefined && proven >= this.next) this.next = proven + 1;
  }
}
