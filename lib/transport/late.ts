/** A timer that fires so much later than it should is late, ms. */
const late = 5;

/**
 * Does what a limit asks for; when its timer is late, only once the event loop has looked into the sockets. Timers come
 * first: after a suspend, or a long piece of work, a limit passes while the answer lies there unread.
 *
 * @param due when the timer should have fired (`performance.now()`)
 */
export function limitPassed(due: number, work: () => void): void {
  if (performance.now() - due < late) work();
  else if (typeof setImmediate === 'function') setImmediate(work);
  else setTimeout(work, 0);
}
