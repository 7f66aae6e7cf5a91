import {
  catchError,
  debounceTime,
  EMPTY,
  filter,
  ignoreElements,
  merge,
  switchMap,
  take,
  tap,
  throttleTime,
  type Observable,
} from 'rxjs';
import type { Cursor } from './cursor.js';
import type { LegContext } from './leg-context.js';
import { stream$, type StreamPart } from './stream.js';
import type { Target } from './target.js';

type StreamEvent = Extract<StreamPart, { type: 'event' }>;

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
const mostRungs = 8;
/** The rungs are set anew after a lull, ms; and in a long flow not more often than each second. */
const lull = 250;

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

  constructor(context: LegContext, cursor: Cursor) {
    this.#context = context;
    this.#cursor = cursor;
  }

  /** Keeps the rungs ahead of the store while subscribed; never emits. */
  keep$(target: Target, endpoint: string, items$: Observable<unknown>): Observable<never> {
    const moved$ = merge(
      items$.pipe(debounceTime(lull)),
      this.#context.pulse$,
      items$.pipe(throttleTime(1_000)),
    );
    return moved$.pipe(
      filter(() => this.#isOutdated()),
      throttleTime(lull),
      switchMap(() => {
        this.#base = this.#index;
        this.#rungs = Array.from({ length: this.#wanted }, (_, i) => ({
          from: this.#base + 1 + (i + 1) * sure,
          events: [],
        }));
        return merge(...this.#rungs.map((rung) => this.#rung$(target, endpoint, rung)));
      }),
    );
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
      filter((part) => part.type === 'event'),
      take(history),
      tap((event) => events.push(event)),
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

  get #wanted(): number {
    return Math.max(0, Math.min(mostRungs, Math.ceil((this.#cursor.mortal - history - sure) / sure)));
  }
}
