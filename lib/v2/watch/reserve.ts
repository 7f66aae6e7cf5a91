import {
  catchError,
  EMPTY,
  ignoreElements,
  merge,
  Observable,
  takeWhile,
  tap,
  type Subscription,
} from 'rxjs';
import type { Cursor } from './cursor.js';
import type { LegContext } from './leg-context.js';
import { stream$, type StreamEvent } from './stream.js';
import type { Target } from './target.js';

interface Rung {
  /** Nothing from here to its last event is missing. */
  readonly from: number;
  readonly events: StreamEvent[];
}

/** So many events etcd keeps for those who come late; the rest of a burst must be caught while it happens. */
const history = 1_000;
/** So many events of a burst a stream brings for sure before it is silenced. */
const sure = 100;
/** Rungs at the most: for a burst of 1,900. */
const mostRungs = 9;
/** The rungs are set anew after a lull, ms: in the middle of a burst they hold what is yet to be rescued. */
const lull = 250;
/** And in a long flow not more often than this, ms. */
const flow = 1_000;

/**
 * Keys that expire in the same tick are the one burst that no reader can outrun: etcd makes all their events under one
 * lock. While a watch knows of more such keys than etcd's history holds, further streams wait at indexes ahead, each
 * to catch the part of the burst before which the one below it is silenced.
 */
export class Reserve {
  readonly #context: LegContext;
  readonly #cursor: Cursor;
  #rungs: readonly Rung[] = [];
  #base = 0;
  #onItem = (): void => undefined;

  constructor(context: LegContext, cursor: Cursor) {
    this.#context = context;
    this.#cursor = cursor;
  }

  /** The leg has brought something: the store moves. */
  saw(): void {
    this.#onItem();
  }

  /** Keeps the rungs ahead of the store while subscribed; never emits. */
  keep$(target: Target, endpoint: string): Observable<never> {
    return new Observable((subscriber) => {
      let rungs: Subscription | undefined;
      let quiet: ReturnType<typeof setTimeout> | undefined;
      let [setAt, lookedAt, sawAt] = [-Infinity, -Infinity, -Infinity];
      const look = (now: number): void => {
        if (now - setAt < lull || !this.#isOutdated()) return;
        setAt = now;
        rungs?.unsubscribe();
        this.#base = this.#index;
        this.#rungs = Array.from({ length: this.#wanted }, (_, i) => ({
          from: this.#base + 1 + (i + 1) * sure,
          events: [],
        }));
        rungs = merge(...this.#rungs.map((rung) => this.#rung$(target, endpoint, rung))).subscribe();
      };
      const lookIn = (ms: number): void => {
        quiet = setTimeout(() => {
          quiet = undefined;
          const now = performance.now();
          const left = sawAt + lull - now;
          if (left > 0) lookIn(left);
          else look(now);
        }, ms);
      };
      this.#onItem = () => {
        sawAt = performance.now();
        if (quiet === undefined) lookIn(lull);
        if (sawAt - lookedAt < flow) return;
        lookedAt = sawAt;
        look(sawAt);
      };
      subscriber.add(() => {
        this.#onItem = () => undefined;
        clearTimeout(quiet);
        rungs?.unsubscribe();
      });
      return this.#context.pulse$.subscribe({
        next: () => {
          look(performance.now());
        },
        error: (error: unknown) => {
          subscriber.error(error);
        },
      });
    });
  }

  /** What the rungs have caught from the cursor on; it is to be moved over each before the next is asked for. */
  *take(): Generator<StreamEvent> {
    for (const { from, events } of this.#rungs) {
      if (from > (this.#cursor.next ?? 0)) return;
      yield* events;
    }
  }

  #rung$(target: Target, endpoint: string, { from, events }: Rung): Observable<never> {
    return stream$(this.#context, target, endpoint, from).pipe(
      tap((parts) => {
        const more = parts.filter((part) => part.type === 'event');
        events.push(...more.slice(0, history - events.length));
      }),
      takeWhile(() => events.length < history),
      ignoreElements(),
      catchError(() => EMPTY),
    );
  }

  #isOutdated(): boolean {
    return this.#wanted !== this.#rungs.length || (this.#wanted > 0 && this.#index - this.#base > sure);
  }

  get #index(): number {
    return Math.max(this.#context.watermark.value, (this.#cursor.next ?? 1) - 1);
  }

  /** One more than it takes: the store may move by a rung before they are set anew. */
  get #wanted(): number {
    const above = this.#cursor.mortal - history;
    return above <= sure ? 0 : Math.min(mostRungs, Math.ceil(above / sure));
  }
}
