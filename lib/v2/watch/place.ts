import type { Cursor } from './cursor.js';
import type { Reserve } from './reserve.js';

/** What a watch hands from leg to leg. */
export interface Place {
  readonly cursor: Cursor;
  /** Made by a leg that needs it; closed by whoever ends the watch, or takes it elsewhere. */
  reserve?: Reserve | undefined;
}
