import type { WatchTarget } from '../../watch/watch-context.js';

/** What is watched. */
export interface Target extends WatchTarget {
  /** The key, normalised. */
  readonly key: string;
  readonly recursive: boolean;
}
