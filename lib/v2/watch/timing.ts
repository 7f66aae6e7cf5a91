/** An answer of which nothing has come for so long is asked for again, beside it, ms. */
export const bodyPauseMs = 1_000;

/** Silence that ends the polls side by side, ms: what is left holds no match, or but one poll is to wait for it. */
export const sideBySideSilenceMs = 250;

/** An event that waits behind a gap has another poll look into that once nothing was heard of it for so long, ms. */
export const gapPatienceMs = 100;

/** What history holds comes with the headers of a poll, or within this time behind them, ms. */
export const overlookedMs = 50;

/** A poll that has not failed for so long counts as standing, ms. */
export const standingMs = 500;

/**
 * etcd 0.4 cuts off whatever takes 300 s, without a word: an idle poll is made anew before. So is one that has shown no
 * headers: its connection may be dead, and nothing else would tell, ms.
 */
export const unseenRearmMs = 240_000;

/** An idle leg asks again at most once in this time, ms. */
export const rearmGapMs = 1_000;

/** Whenever the store moved at all, an idle leg asks again after this time: its connection may be dead without a word, ms. */
export const rearmAfterMs = 15_000;

/** The standby streams are set anew after a lull, ms: in the middle of a burst they hold what is yet to be rescued. */
export const standbyLullMs = 250;

/** In a long flow they are set anew not more often than this, ms. */
export const standbyFlowMs = 1_000;

/** etcd makes a burst at once but sends it bit by bit: what is on its way is waited for so long, ms. */
export const settleMs = 2_000;

/** So often it is looked whether enough of a burst has come, ms. */
export const settleLookMs = 10;

/** Between two readings of the store index while the store moves fast, ms; few of the 1,000 events that etcd keeps may pass meanwhile. */
export const fastReadingMs = 1_100;

/** The longest time between two such readings, ms: of the 1,000 events that etcd keeps, few may pass unnoticed. */
export const slowReadingMs = 3_000;

/** A member that is below what was seen, and cannot ask a quorum, is looked at again after this time, ms: it may but lag. */
export const lookAgainMs = 250;

/** Where each event ends a poll, and a watch leaves and comes again with it, how long the readings go on without it, ms. */
export const readingGraceMs = 1_000;

/** A burst is over when nothing came for this long, ms. */
export const burstLullMs = 20;

/** While a burst lasts, the stream is checked this often, ms. */
export const guardEveryMs = 1_000;

/** A stream that is silent for so long, while a poll found an event, has stalled, ms. */
export const stallMs = 30;

/** Where nothing was found for so long the past is caught up with, ms. */
export const settledMs = 200;

/**
 * Headers that have not come within this time are overdue, ms: longer than an answer takes by far, and short for an event
 * that waits. It is a question, no verdict: only an answer to a later request makes it one.
 */
export const overdueMs = 250;

/** So long an endpoint is polled that passes on late what a stream brings, ms; then a stream is on trial, beside a poll. */
export const pollLateMs = 60_000;
