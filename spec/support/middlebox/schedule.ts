import type { Way } from '../proxies/tcp-link.js';

/** When: so many ms after the schedule began (0: at once), or at the n-th piece of an answer that passes from then on. */
export type Moment = { readonly atMs: number } | { readonly piece: number };

/** The pages that a middlebox answers by itself. */
export const pages = [200, 401, 404, 429, 502, 503] as const;
export type Page = (typeof pages)[number];

/**
 * Which connection: `legs` are those whose client waits for events; the number picks among those open then. At a piece it is the
 * connection of that piece, whatever stands here.
 */
export interface Choice {
  readonly among: 'all' | 'legs';
  readonly link: number;
}

/** What a middlebox does. Times in ms. */
export type Deed =
  /** Holds one connection for a while; all others pass. */
  | ({ readonly do: 'stall'; readonly way: Way; readonly forMs: number } & Choice)
  /** Ends one connection, in the middle of whatever passes. */
  | ({ readonly do: 'end'; readonly by: 'fin' | 'rst' } & Choice)
  /** Gets rid of each connection that was idle for so long: without a word (what is sent on it vanishes), or by its end. */
  | { readonly do: 'forget'; readonly idleMs: number; readonly by: 'silence' | 'fin' | 'rst' }
  /** Answers with a page of its own, and asks nobody. */
  | { readonly do: 'answer'; readonly status: Page; readonly forMs: number }
  /**
   * Answers that begin in this time pass as a buffering proxy passes them: the head with the first bytes of the body, the body in
   * lumps of so many bytes (0: as it comes).
   */
  | { readonly do: 'buffer'; readonly holdsHeads: boolean; readonly lump: number; readonly forMs: number };

/** All that a middlebox is to do, in any order. It is plain data: print it with a failure, play it again. */
export type Schedule = readonly (Moment & Deed)[];
