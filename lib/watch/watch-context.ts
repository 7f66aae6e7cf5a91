import type { Cluster } from '../cluster/cluster.js';
import type { EventBus } from '../insight/events.js';
import type { Settings } from '../options.js';

/** What the watches of one client share. */
export interface WatchContext {
  readonly settings: Pick<Settings, 'retry'>;
  readonly events: EventBus;
  readonly cluster: Cluster;
}

/** What is watched. */
export interface WatchTarget {
  /** As it is shown. */
  readonly key: string;
}
