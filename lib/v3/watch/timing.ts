/** A create that has not been answered for so long is overdue, ms. */
export const overdueMs = 1_000;

/** So long a stream outlives its last watch, ms. */
export const streamGraceMs = 1_000;
