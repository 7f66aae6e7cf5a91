import type { Lost } from '../errors.js';

/**
 * Events that belong together, in order; none, if the position moves on without any.
 */
export interface Batch<E> {
  readonly type: 'events';
  readonly events: readonly E[];
  /** Everything below it is delivered. */
  readonly next: number;
  /** Where a new epoch begins with it. */
  readonly epoch?: number;
  /** Its event is the state, read in place of what was lost: of this. */
  readonly state?: Lost;
}

/**
 * What a leg emits: that it waits for a connection (`waiting`) or stands, with the past still to fetch (`catching-up`) or
 * without (`live`); events; and as its last the word to chain the next leg.
 */
export type LegItem<E> =
  | { readonly type: 'waiting' | 'catching-up' | 'live'; readonly endpoint: string }
  | Batch<E>
  | { readonly type: 'end' };

/** The position moves on, without an event. */
export const progress = (next: number): Batch<never> => ({ type: 'events', events: [], next });
