/** In a browser, which keeps few connections open, every leg is a long poll: a bundle leaves the live stream out. */
export { pollLeg$ as streamLeg$ } from './poll-leg.js';
