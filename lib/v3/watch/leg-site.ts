import type { LegItem } from '../../watch/leg-item.js';
import type { Site } from '../../watch/watch-protocol.js';
import type { WatchEvent } from '../model/watch-event.js';
import type { LegContext } from './leg-context.js';
import type { WatchPosition } from './watch-position.js';
import type { V3Target } from './watch-target.js';

/** What a leg of a v3 watch is given: what is watched, where, from which position, and what all legs share. */
export interface LegSite extends Site<WatchPosition> {
  readonly context: LegContext;
  readonly target: V3Target;
}

/** What a leg of a v3 watch emits. */
export type V3LegItem = LegItem<WatchEvent>;
