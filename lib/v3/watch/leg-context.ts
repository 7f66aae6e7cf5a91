import type { V3Context } from '../context.js';
import type { WatchStreams } from './watch-streams.js';

/** What the legs of all watches of a client share. */
export interface LegContext extends V3Context {
  readonly streams: WatchStreams;
}
