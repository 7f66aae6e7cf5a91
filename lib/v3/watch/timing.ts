/** A create that has not been answered for so long is overdue, ms. */
export const overdueMs = 1_000;

/** So long a stream outlives its last watch, ms. */
export const streamGraceMs = 1_000;

/** So often a stream is asked how far it has told everything, ms: an idle watch must not fall behind what is compacted. */
export const progressMs = 60_000;

/** A member that lags behind a watch is left after so long, ms. */
export const lagMs = 5_000;

/** Progress that was asked for and not told is asked for again after this time, ms: a member tells none while it has more to say. */
export const askAgainMs = 250;

/** A watch that was told nothing for so long has been told its past, ms: older releases tell a batch each tenth of a second. */
export const quietMs = 200;
