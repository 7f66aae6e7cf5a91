import type { ConnectionSlots } from '../../watch/connection-slots.js';
import type { V3Context } from '../context.js';
import type { WatchStreams } from './watch-streams.js';

/** What the legs of all watches of a client share. */
export interface LegContext extends V3Context {
  readonly streams: WatchStreams;
  /** Where each watch has a connection to itself, and these are few, legs take turns. */
  readonly slots: ConnectionSlots;
}
