import { Observable } from 'rxjs';
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
 * headers claim. One object for each idle watch, not a chain of operators: there may be thousands.
 *
 * @param busy an event is arriving: nothing is to be asked
 */
export function due$(
  { pulse$, pace, watermark }: LegContext,
  endpoint: string,
  cursor: Cursor,
  busy: () => boolean,
): Observable<void> {
  return new Observable((subscriber) => {
    let askedAt = performance.now();
    let freeAt = -Infinity;
    let turn: ReturnType<typeof setTimeout> | undefined;
    const isDue = (now: number): boolean => {
      if (busy() || cursor.lost !== undefined || cursor.next === undefined) return false;
      const ahead = watermark.value - cursor.next;
      return ahead > lag || (ahead >= 0 && now - askedAt > patience);
    };
    /** When its turn comes, it may no longer be needed. */
    const ask = (): void => {
      turn = undefined;
      const now = performance.now();
      if (!isDue(now)) return;
      askedAt = now;
      subscriber.next();
    };
    subscriber.add(() => {
      clearTimeout(turn);
    });
    return pulse$.subscribe({
      next: (pulse) => {
        const now = performance.now();
        if (pulse.answered) {
          cursor.witness(pulse.endpoint, pulse.sentAt);
          if (pulse.index > 0) cursor.told(pulse.endpoint, pulse.index, now);
        } else if (pulse.endpoint === endpoint) cursor.doubt();
        if (turn !== undefined || now < freeAt || !isDue(now)) return;
        freeAt = now + gap;
        turn = setTimeout(ask, pace.delay(now));
      },
      error: (error: unknown) => {
        subscriber.error(error);
      },
      complete: () => {
        subscriber.complete();
      },
    });
  });
}
