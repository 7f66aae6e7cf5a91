import type { Lost } from '../errors.js';
import type { Batch } from './leg-item.js';

/**
 * The place of a watch: the next index or revision to ask for. It outlives legs, members and retries, and is moved by what
 * legs emit.
 */
export interface Position {
  /** Changes when the store is another one: places are compared within one epoch only. */
  readonly epoch: number;
  /** The next place to ask for; undefined until the start is fixed. */
  readonly next: number | undefined;
  /** Why events are lost, until a state has made up for them. */
  readonly lost: Lost['reason'] | undefined;
  /** What lies between here and now can no longer be had. */
  lose(reason: Lost['reason']): void;
  /** A leg has delivered this. */
  moveTo(batch: Batch<unknown>): void;
}
