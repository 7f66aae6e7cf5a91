/** How long the heartbeats outlive their last user, ms. */
export const heartbeatGraceMs = 1_000;

/** Between two probes of a member while no leader is known, ms. */
export const eagerProbeMs = 30;

/** Probes are that eager for so long, ms; then slower and slower, up to one a second. */
export const eagerMs = 5_000;

/** The same where nobody answers at all, ms. */
export const eagerInVainMs = 1_000;

/** A request this long without an answer has its member checked, ms. */
export const slowMs = 1_000;

/** All tries are looked at no more often than this, ms: there may be thousands. */
export const lookEveryMs = 20;

/** One check of an endpoint answers for all who ask within this time, ms. */
export const checkOnceMs = 250;

/** How long a leader that was never reached must be named before it is believed: longer than an election, ms. */
export const absentLeaderMs = 3_000;

/** The same for a leader that could be reached, and may be dead: longer than any likely election, ms. */
export const silentLeaderMs = 10_000;

/** An answer of a raft term that has passed comes within this time, ms: it was under way when the next one began. */
export const lateAnswerMs = 1_000;
