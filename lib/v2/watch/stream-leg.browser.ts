import { pollLeg$ } from './poll-leg.js';

/** In a browser, which has few connections and reads an answer when it is complete, a leg is a long poll. */
export const streamLeg$ = pollLeg$;
