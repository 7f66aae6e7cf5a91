import { Observable, Subscription, tap, timer } from 'rxjs';
import type { LegItem } from './leg-item.js';

/** How long a leg may keep its turn while others wait, ms. */
const patience = 1_000;

interface Turn {
  /** Since when, ms. */
  readonly since: number;
  readonly yield: () => void;
}

/**
 * A browser has six connections to one host and port for all its pages: of more parked polls than four, commands would
 * wait for ever. Legs beyond that take turns: one that has waited for a second ends the oldest other, which chains its
 * next leg at the end of the queue. As polls go on from their cursors, nothing is lost.
 */
export class Turns {
  readonly #most: number;
  readonly #running = new Map<string, Set<Turn>>();
  readonly #waiting = new Map<string, (() => void)[]>();

  /** @param most legs side by side at one endpoint */
  constructor(most: number) {
    this.#most = most;
  }

  /** Runs the leg when it is its turn; says so if it has to wait. */
  take$(endpoint: string, leg$: Observable<LegItem>): Observable<LegItem> {
    return new Observable((subscriber) => {
      const running = listOf(this.#running, endpoint, () => new Set<Turn>());
      const waiting = listOf(this.#waiting, endpoint, (): (() => void)[] => []);
      const own = new Subscription();

      const run = (): void => {
        const turn: Turn = {
          since: performance.now(),
          yield: () => {
            subscriber.next({ type: 'chain' });
            subscriber.complete();
          },
        };
        running.add(turn);
        own.add(() => {
          running.delete(turn);
          // Later: whoever waits may be on the way out, too.
          queueMicrotask(() => {
            if (running.size < this.#most) waiting.shift()?.();
          });
        });
        own.add(
          leg$
            .pipe(
              // Before the next leg asks for a turn: it need not wait if nobody else does.
              tap((item) => {
                if (item.type === 'chain') running.delete(turn);
              }),
            )
            .subscribe(subscriber),
        );
      };
      if (running.size < this.#most && waiting.length === 0) {
        run();
        return own;
      }
      const called = (): void => {
        nudge.unsubscribe();
        run();
      };
      // The first in the queue asks the oldest to make room; those behind it follow in their turn.
      const nudge = timer(patience, patience).subscribe({
        next: () => {
          const [oldest] = running;
          if (waiting[0] === called && oldest !== undefined && performance.now() - oldest.since >= patience)
            oldest.yield();
        },
        // A timer never errors.
        error: () => undefined,
      });
      waiting.push(called);
      own.add(nudge);
      own.add(() => {
        const place = waiting.indexOf(called);
        if (place >= 0) waiting.splice(place, 1);
      });
      subscriber.next({ type: 'waiting', endpoint });
      return own;
    });
  }
}

function listOf<T>(lists: Map<string, T>, endpoint: string, make: () => T): T {
  const known = lists.get(endpoint);
  if (known !== undefined) return known;
  const made = make();
  lists.set(endpoint, made);
  return made;
}
