/** How long a source outlives its last subscriber, ms: who changes from one view to the next keeps the watch. */
export const graceMs = 1_000;

/** Changes of open watches this close to each other are told at once, ms. */
export const togetherMs = 10;

/** How long a leg may keep its connection while others wait, ms: longer than a leg takes to stand. */
export const slotTimeMs = 1_000;
