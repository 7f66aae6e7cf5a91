/** The least difference, ms: far below what a clock shows, far above what a number can tell apart. */
const least = 1e-4;
let latest = 0;

/**
 * The monotonic time in milliseconds, never the same twice: what is sent after a failure is later than it, also within
 * one turn of the event loop and by the coarse clocks of browsers.
 */
export function instant(): number {
  latest = Math.max(performance.now(), latest + least);
  return latest;
}
