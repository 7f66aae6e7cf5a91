/** The longest that a timer can wait, ms: who asks for others does so for as long as one of them waits. */
export const waitMs = 2 ** 31 - 1;

/**
 * A write that lost a race is tried again after a random time between half of this and this, doubled with each loss, ms:
 * as long as a write takes, so that not all who lost come back together.
 */
export const lostRaceMs = 4;

/** The longest such wait, ms: whoever has lost often still gets its turn soon. */
export const longestLostRaceMs = 64;
