import type { Cursor } from './cursor.js';
import type { Reserve } from './reserve.js';

/** What a watch hands from leg to leg. */
export interface Place {
  readonly cursor: Cursor;
  /** Made by a leg that needs it; serves the legs at one endpoint that follow each other without a failure. */
  reserve?: Reserve | undefined;
}

/** Ends the reserve: it is of no use for the next leg. */
export function closeReserve(place: Place): void {
  place.reserve?.close();
  place.reserve = undefined;
}
