import type { WatchEvent } from '../model/model.js';

/**
 * What a leg emits: that it waits for its turn to poll (`waiting`) or stands, with the past still to fill in
 * (`catching-up`) or without (`live`), events, and as its last the word to chain the next leg.
 */
export type LegItem =
  | { readonly type: 'waiting' | 'catching-up' | 'live'; readonly endpoint: string }
  | { readonly type: 'event'; readonly event: WatchEvent }
  | { readonly type: 'chain' };

/** How a leg begins: by reading the state afresh, or at the cursor. */
export type LegStart = 'resync' | 'cursor';
