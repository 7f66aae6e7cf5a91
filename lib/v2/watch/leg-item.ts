import type { WatchEvent } from '../model.js';

/** What a leg emits: that it stands, events, and as its last the word to chain the next leg. */
export type LegItem =
  | { readonly type: 'live'; readonly endpoint: string }
  | { readonly type: 'event'; readonly event: WatchEvent }
  | { readonly type: 'chain' };

/** How a leg begins: by reading the state first, or at the cursor. */
export type LegStart = 'sync' | 'resync' | 'cursor';
