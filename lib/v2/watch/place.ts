import type { Cursor } from './cursor.js';
import type { StandbyStreams } from './standby-streams.js';

/** What a watch hands from leg to leg. */
export interface Place {
  readonly cursor: Cursor;
  /** Made by a leg that needs it; serves the legs at one endpoint that follow each other without a failure. */
  standby?: StandbyStreams | undefined;
}

/** Ends the standby: it is of no use for the next leg. */
export function closeStandby(place: Place): void {
  place.standby?.close();
  place.standby = undefined;
}
