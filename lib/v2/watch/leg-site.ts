import type { LegItem } from '../../watch/leg-item.js';
import type { Site } from '../../watch/watch-protocol.js';
import type { WatchEvent } from '../model/model.js';
import type { Cursor } from './cursor.js';
import type { LegContext } from './leg-context.js';
import type { Mark } from '../watermark.js';
import type { Target } from './target.js';

/** What a leg of a v2 watch is given: what is watched, where, from which position, and what all legs share. */
export interface LegSite extends Site<Cursor> {
  readonly context: LegContext;
  readonly target: Target;
  /** The highest that the client had seen before the leg began. */
  readonly mark: Mark;
}

/** What a leg of a v2 watch emits. */
export type V2LegItem = LegItem<WatchEvent>;
