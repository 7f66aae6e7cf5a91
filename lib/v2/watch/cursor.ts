import type { LossReason } from '../../errors.js';
import type { Batch } from '../../watch/leg-item.js';
import type { Position } from '../../watch/position.js';
import type { StandbyStreams } from './standby-streams.js';

/** An event that was not delivered, as others may be missing before it. */
export interface Withheld {
  readonly endpoint: string;
  readonly index: number;
}

/**
 * The position of a v2 watch: the next index to ask for. It moves by events: a poll asked from s and answered by event m shows
 * that nothing else matches from s to m. Silence is no proof, as an event can be held back behind the headers of its poll
 * while other connections of the same member pass. Only when it leaves etcd's history does the position pass on without proof, if
 * the state does not show otherwise.
 */
export class Cursor implements Position {
  next: number | undefined;
  epoch = 0;
  lost: LossReason | undefined;
  /** The cluster whose indexes these are; undefined until it is known. */
  clusterId: string | undefined;
  /** The epoch of the client's watermark in which they count. */
  storeEpoch: number | undefined;
  /** Polls from the position on were silent up to here, which is no part of it; 0 if none was. */
  silentTo = 0;
  /** History does not hold the position any more. */
  isOutOfHistory = false;
  /** Keys with a TTL that the watch knows of, about: so many may expire at once. */
  keysWithTtl = 0;
  /** What waits ahead for such a burst; it ends with the site's stay. */
  standby: StandbyStreams | undefined;
  withheld: Withheld | undefined;
  #passedFrom: number | undefined;

  constructor(fromIndex?: number) {
    this.next = fromIndex;
  }

  /** Where that begins which a state has to make up for. */
  get begins(): number | undefined {
    return this.#passedFrom ?? this.next;
  }

  /** Whether an event of that index is still to be seen. */
  isNew(index: number): boolean {
    return index >= (this.next ?? 1);
  }

  /** Whether an event of that index was passed, since the last one. */
  isPassed(index: number): boolean {
    return index >= (this.#passedFrom ?? Infinity) && !this.isNew(index);
  }

  /** Whether that id says that the cluster is another one; no id says nothing. */
  isOfAnother(clusterId: string | undefined): boolean {
    return clusterId !== undefined && this.clusterId !== undefined && clusterId !== this.clusterId;
  }

  /** Passes what polls were silent about, up to that index at the most. */
  pass(atMost = Infinity): void {
    const { next } = this;
    const to = Math.min(this.silentTo, atMost);
    if (next === undefined || to <= next) return;
    this.#passedFrom ??= next;
    this.next = to;
    this.isOutOfHistory = false;
  }

  moveTo({ events, next, epoch }: Batch<unknown>): void {
    const fixesStart = this.next === undefined && events.length === 0;
    this.next = next;
    if (fixesStart) return;
    this.silentTo = 0;
    this.isOutOfHistory = false;
    this.#passedFrom = undefined;
    this.lost = undefined;
    this.withheld = undefined;
    if (epoch !== undefined) this.epoch = epoch;
  }

  /** What history does not hold any more is not lost as long as it may be passed. */
  lose(reason: LossReason): void {
    if (reason === 'cleared' && this.silentTo > (this.next ?? Infinity)) this.isOutOfHistory = true;
    else this.lost = reason;
  }
}
