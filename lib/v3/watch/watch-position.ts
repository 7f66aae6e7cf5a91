import type { Lost } from '../../errors.js';
import type { Batch } from '../../watch/leg-item.js';
import type { Position } from '../../watch/position.js';
import type { SeenRevision } from '../seen-revision.js';
import { revisionOf, type Change } from './changes.js';

/**
 * The position of a watch: the next revision to be told. Events move it, and what a member says of its progress; never
 * backwards within one epoch.
 */
export class WatchPosition implements Position {
  next: number | undefined;
  epoch = 0;
  lost: Lost['reason'] | undefined;
  /** The cluster whose revisions these are; undefined until it is known. */
  clusterId: string | undefined;
  /** Its member is behind it: it must not hold up others on the same stream. */
  apart = false;
  /** The first change of the revision that was told last. */
  #told: Change | undefined;
  #moved = false;
  readonly #seen: Pick<SeenRevision, 'restarts'>;
  /** How often the store had been put back when it was first told where it is in that. */
  #restarts = 0;

  /** @param from the first revision of interest; undefined: what happens from now on */
  constructor(from: number | undefined, seen: Pick<SeenRevision, 'restarts'>) {
    this.next = from;
    this.#seen = seen;
  }

  /**
   * The revision to ask for: that before the position, so that what was told is told again. Nothing was told yet of a start
   * that was given. Of a revision that is compacted etcd 3.4 tells no deletes, and does not say so: before one of these it
   * is asked for another, which it refuses then.
   */
  get asks(): number | undefined {
    if (this.next === undefined || !this.#moved) return this.next;
    return Math.max(1, this.next - (this.mark?.type === 'DELETE' ? 2 : 1));
  }

  /**
   * What the same store must tell first when it is asked from the revision before the position; undefined where nothing is
   * known of that revision.
   */
  get mark(): Change | undefined {
    return this.#told !== undefined && revisionOf(this.#told) + 1 === this.next ? this.#told : undefined;
  }

  /** The first change of a revision that is about to be told. */
  tells(change: Change): void {
    this.#told = change;
  }

  /** Whether that id says that the cluster is another one; no id says nothing. */
  isOfAnother(clusterId: string | undefined): boolean {
    return clusterId !== undefined && this.clusterId !== undefined && clusterId !== this.clusterId;
  }

  /** Whether it is a position in a store that was put back since to an older state, as somebody has found out. */
  get isOfFormer(): boolean {
    return this.#moved && this.#restarts !== this.#seen.restarts;
  }

  moveTo({ next, epoch }: Batch<unknown>): void {
    if (epoch !== undefined) {
      this.epoch = epoch;
      this.#told = undefined;
    } else if (this.next !== undefined && next < this.next) return;
    if (!this.#moved || epoch !== undefined) this.#restarts = this.#seen.restarts;
    this.#moved = true;
    this.next = next;
    this.lost = undefined;
  }

  lose(reason: Lost['reason']): void {
    this.lost = reason;
  }
}
