import type { WatchTarget } from '../../watch/watch-context.js';
import { isSameBytes } from '../../util/same-bytes.js';
import type { Bounds, KeyRange } from '../model/key-range.js';
import type { WatchCreate } from './watch-stream.js';

/** What is watched, and what is told of it. */
export interface V3Target extends WatchTarget {
  /** As it was given. */
  readonly range: KeyRange;
  readonly bounds: Bounds;
  /** Events tell what was there before. */
  readonly prevKv: boolean;
  /** Events of one kind alone. */
  readonly only: 'put' | 'delete' | undefined;
  /** Tells how far its member is, too. */
  readonly progress: boolean;
}

/** Whether two targets are one and the same. */
export const isSameTarget = (a: V3Target, b: V3Target): boolean =>
  isSameBytes(a.bounds.key, b.bounds.key) &&
  isSameBytes(a.bounds.range_end, b.bounds.range_end) &&
  a.prevKv === b.prevKv &&
  a.only === b.only &&
  a.progress === b.progress;

/** How a watch is asked for. @param from the first revision; undefined: from now on */
export function createOf({ bounds, prevKv, only }: V3Target, from: number | undefined): WatchCreate {
  return {
    key: bounds.key,
    range_end: bounds.range_end,
    start_revision: from,
    progress_notify: true,
    fragment: true,
    prev_kv: prevKv,
    filters: only === undefined ? [] : [only === 'put' ? 'NODELETE' : 'NOPUT'],
  };
}
