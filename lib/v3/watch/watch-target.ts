import type { WatchTarget } from '../../watch/watch-context.js';
import type { Bounds } from '../model/key-range.js';
import type { WatchCreate } from './watch-stream.js';

/** What is watched, and what is told of it. */
export interface V3Target extends WatchTarget {
  readonly bounds: Bounds;
  /** Events tell what was there before. */
  readonly prevKv: boolean;
  /** Events of one kind alone. */
  readonly only: 'put' | 'delete' | undefined;
}

/** How a watch is asked for. @param from the first revision; undefined: from now on */
export function createOf({ bounds, prevKv, only }: V3Target, from: number | undefined): WatchCreate {
  return {
    ...bounds,
    start_revision: from,
    progress_notify: true,
    fragment: true,
    prev_kv: prevKv,
    filters: only === undefined ? [] : [only === 'put' ? 'NODELETE' : 'NOPUT'],
  };
}
