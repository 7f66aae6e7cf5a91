import {
  catchError,
  EMPTY,
  filter,
  ignoreElements,
  merge,
  mergeAll,
  take,
  tap,
  type Observable,
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
  readonly #target: Target;
  readonly #endpoint: string;
  readonly #cursor: Cursor;
  #rungs: readonly Rung[] = [];
  #streams: Subscription | undefined;
  #base = 0;
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #setAt = -Infinity;
  #lookedAt = -Infinity;
  #sawAt = -Infinity;

  constructor(context: LegContext, target: Target, endpoint: string, cursor: Cursor) {
    this.#context = context;
    this.#target = target;
    this.#endpoint = endpoint;
    this.#cursor = cursor;
  }

  /** The leg has brought something: the store moves. */
  saw(): void {
    this.#sawAt = performance.now();
    if (this.#quiet === undefined) this.#lookIn(lull);
    if (this.#sawAt - this.#lookedAt < flow) return;
    this.#lookedAt = this.#sawAt;
    this.look();
  }

  /** Sets the rungs ahead of the store where that is needed. */
  look(): void {
    const now = performance.now();
    if (now - this.#setAt < lull || !this.#isOutdated()) return;
    this.#setAt = now;
    this.#streams?.unsubscribe();
    this.#base = this.#index;
    this.#rungs = Array.from({ length: this.#wanted }, (_, i) => ({
      from: this.#base + 1 + (i + 1) * sure,
      events: [],
    }));
    this.#streams = merge(...this.#rungs.map((rung) => this.#rung$(rung))).subscribe();
  }

  /** Ends the streams. */
  close(): void {
    clearTimeout(this.#quiet);
    this.#streams?.unsubscribe();
  }

  /** What the rungs have caught from the cursor on; it is to be moved over each before the next is asked for. */
  *take(): Generator<StreamEvent> {
    for (const { from, events } of this.#rungs) {
      if (from > (this.#cursor.next ?? 0)) return;
      yield* events;
    }
  }

  #lookIn(ms: number): void {
    this.#quiet = setTimeout(() => {
      this.#quiet = undefined;
      const left = this.#sawAt + lull - performance.now();
      if (left > 0) this.#lookIn(left);
      else this.look();
    }, ms);
  }

  #rung$({ from, events }: Rung): Observable<never> {
    return stream$(this.#context, this.#target, this.#endpoint, from).pipe(
      mergeAll(),
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

  /** One more than it takes: the store may move by a rung before they are set anew. */
  get #wanted(): number {
    const above = this.#cursor.keysWithTtl - history;
    return above <= sure ? 0 : Math.min(mostRungs, Math.ceil(above / sure));
  }
}
