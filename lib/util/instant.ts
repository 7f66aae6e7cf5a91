/** The least difference, ms: far below what a clock shows, far above what a number can tell apart. */
const least = 1e-4;
/** A clock this far behind, ms, is another one, as a test's own that begins at 0: no burst of calls gets so far ahead. */
const replaced = 10;
let latest = 0;

/**
 * The monotonic time in milliseconds, never the same twice: what is sent after a failure is later than it, also within
 * one turn of the event loop and by the coarse clocks of browsers.
 */
export function instant(): number {
  const now = performance.now();
  latest = now < latest - replaced ? now : Math.max(now, latest + least);
  return latest;
}
