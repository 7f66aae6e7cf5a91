import { exhaustMap, filter, tap, throttleTime, timer, type Observable } from 'rxjs';
import type { Cursor } from './cursor.js';
import type { LegContext } from './leg-context.js';

/** An idle leg asks again once the store is this far ahead of its cursor: well within etcd's 1,000 events. */
const lag = 250;
/** And at most once in this time, ms. */
const gap = 1_000;
/** Whenever the store moved at all, it asks again after this time: its connection may be dead without a word, ms. */
const patience = 15_000;

/**
 * Emits when an idle leg should ask its member again from the cursor. Each pulse is a witness for what the leg's own
 * headers claim.
 *
 * @param busy an event is arriving: nothing is to be asked
 */
export function due$(
  { pulse$, pace, watermark }: LegContext,
  endpoint: string,
  cursor: Cursor,
  busy: () => boolean,
): Observable<unknown> {
  let askedAt = performance.now();
  const isDue = (): boolean => {
    if (busy() || cursor.lost !== undefined || cursor.next === undefined) return false;
    const ahead = watermark.value - cursor.next;
    return ahead > lag || (ahead >= 0 && performance.now() - askedAt > patience);
  };
  return pulse$.pipe(
    tap((pulse) => {
      if (pulse.answered) {
        cursor.witness(pulse.endpoint, pulse.sentAt);
        if (pulse.index > 0) cursor.told(pulse.endpoint, pulse.index, performance.now());
      } else if (pulse.endpoint === endpoint) cursor.doubt();
    }),
    filter(isDue),
    throttleTime(gap),
    // One turn at a time; when it comes, it may no longer be needed.
    exhaustMap(() => timer(pace.delay())),
    filter(isDue),
    tap(() => {
      askedAt = performance.now();
    }),
  );
}
