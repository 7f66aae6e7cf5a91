import type { LossReason } from '../../errors.js';
import type { Batch } from '../../watch/leg-item.js';
import type { Position } from '../../watch/position.js';
import type { Watermark } from '../watermark.js';
import type { FormerPolls } from './former-polls.js';
import type { StandbyStreams } from './standby-streams.js';

/** An event that was not delivered, as others may be missing before it. */
export interface Withheld {
  readonly endpoint: string;
  readonly index: number;
}

/** What was passed on the word of silence alone: from an index up to another, which is no part of it. */
export interface Doubt {
  readonly from: number;
  readonly to: number;
}

/** What a member told of its store's index, and when. */
interface Told {
  readonly endpoint: string;
  readonly index: number;
  readonly at: number;
}

const none: readonly Doubt[] = [];

/** So far back etcd's history surely reaches: it holds 1,000 events, and some happen while it is asked. */
export const surely = 900;

/**
 * The position of a v2 watch: the next index to ask for. It moves on proof: a poll asked from s and answered by event m
 * shows that nothing else matches in [s, m). Only before it leaves etcd's history does it pass on without; what it has
 * passed so is doubted.
 */
export class Cursor implements Position {
  next: number | undefined;
  epoch = 0;
  lost: LossReason | undefined;
  /** The cluster whose indexes these are; undefined until it is known. */
  clusterId: string | undefined;
  /** The epoch of the client's watermark in which they count. */
  storeEpoch: number | undefined;
  /** Keys with a TTL that the watch knows of, about: so many may expire at once. */
  keysWithTtl = 0;
  /** What waits ahead for such a burst; it ends with the site's stay. */
  standby: StandbyStreams | undefined;
  /** What still waits for what is doubted; it ends with the site's stay. */
  former: FormerPolls | undefined;
  /** When the state was last asked whether something doubted has happened. */
  checkedAt = -Infinity;
  withheld: Withheld | undefined;
  /** What its member told last beside polls and streams. */
  told: Told | undefined;
  readonly #watermark: Watermark | undefined;
  /** The last index that was delivered, or is not to be. */
  #delivered = 0;
  #doubts = none;

  constructor(fromIndex?: number, watermark?: Watermark) {
    this.next = fromIndex;
    this.#watermark = watermark;
    if (fromIndex !== undefined) this.#delivered = fromIndex - 1;
  }

  /** In order. */
  get doubts(): readonly Doubt[] {
    return this.#doubts;
  }

  /** The highest index that the watch has left behind. */
  get highest(): number {
    return Math.max(this.#delivered, (this.next ?? 1) - 1);
  }

  /** Whether an event of that index can still be told in order. */
  isNew(index: number): boolean {
    return index > this.#delivered;
  }

  /** Whether an event of that index was passed. */
  isDoubted(index: number): boolean {
    return this.#doubts.some(({ from, to }) => index >= from && index < to);
  }

  /** Whether that id says that the cluster is another one; no id says nothing. */
  isOfAnother(clusterId: string | undefined): boolean {
    return clusterId !== undefined && this.clusterId !== undefined && clusterId !== this.clusterId;
  }

  /** Up to where a poll has looked whose headers cannot be read: to what its endpoint had told before it was sent. */
  toldBefore(endpoint: string, sentAt: number): number | undefined {
    const { told } = this;
    return told?.endpoint === endpoint && told.at <= sentAt ? told.index : undefined;
  }

  moveTo({ events, next, epoch, state, unproven }: Batch<unknown>): void {
    const { next: before } = this;
    this.next = next;
    if (unproven === true) {
      if (before !== undefined) this.#doubts = [...this.#doubts, { from: before, to: next }];
      return;
    }
    this.#delivered = next - 1;
    if (before === undefined && events.length === 0) return;
    // Above a late event all is asked for again.
    this.#doubts = state === undefined ? below(this.#doubts, next - 1) : none;
    if (epoch !== undefined) {
      this.epoch = epoch;
      this.told = undefined;
    }
    this.lost = undefined;
    this.withheld = undefined;
  }

  /** There is nothing in that range that was not told. */
  settle(first: number, end: number): void {
    this.#doubts = this.#doubts.flatMap(({ from, to }) =>
      from < first || from >= end ? [{ from, to }] : to > end ? [{ from: end, to }] : [],
    );
  }

  lose(reason: LossReason): void {
    this.lost = reason;
    const [first] = this.#doubts;
    if (first !== undefined) this.next = first.from;
  }

  /** Goes back as far as history reaches, unless something above was told. */
  doubt(): void {
    const begins = (this.#watermark?.value ?? 0) - surely;
    const first = this.#doubts.find(({ from }) => from > this.#delivered && from > begins);
    if (first === undefined) return;
    this.next = first.from;
    this.#doubts = below(this.#doubts, first.from);
  }
}

/** What of them lies below an index. */
const below = (doubts: readonly Doubt[], index: number): readonly Doubt[] =>
  doubts.flatMap(({ from, to }) => (from < index ? [{ from, to: Math.min(to, index) }] : []));
