import {
  catchError,
  defer,
  EMPTY,
  filter,
  finalize,
  first,
  map,
  mergeAll,
  of,
  take,
  tap,
  timer,
  type Observable,
  Subscription,
} from 'rxjs';
import type { Cursor } from './cursor.js';
import type { LegSite } from './leg-site.js';
import { indexOf } from './poll-part.js';
import { stream$, type StreamEvent } from './stream.js';
import { settleLookMs, settleMs, standbyFlowMs, standbyLullMs } from './timing.js';

interface Standby {
  /** Nothing from here to its last event is missing. */
  readonly from: number;
  readonly events: StreamEvent[];
  readonly stream: Subscription;
}

/** So many events etcd keeps for those who come late; the rest of a burst must be caught while it happens. */
const history = 1_000;
/** So many events of a burst a stream brings for sure before it is silenced. */
const sure = 100;
/** Standby streams at the most: for a burst of 1,900. */
const mostStreams = 9;

/**
 * Keys that expire in the same tick are the one burst that no reader can outrun: etcd makes all their events under one
 * lock. While a watch knows of more such keys than etcd's history holds, further streams wait at indexes ahead, each
 * to catch the part of the burst before which the one below it is silenced. They outlive the legs at their endpoint: a
 * burst may come in several ticks, and goes on while the watch makes up for the one before.
 */
export class StandbyStreams {
  /** As long as the streams are open. */
  readonly lasts = new Subscription(() => {
    clearTimeout(this.#quiet);
    for (const { stream } of this.#streams) stream.unsubscribe();
  });
  readonly #site: LegSite;
  /** In order of their indexes. */
  #streams: readonly Standby[] = [];
  /** Those that were set last. */
  #set: readonly Standby[] = [];
  #isAwaited = false;
  #base = 0;
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #setAt = -Infinity;
  #lookedAt = -Infinity;
  #sawAt = -Infinity;

  constructor(site: LegSite) {
    this.#site = site;
  }

  /** The leg has brought something: the store moves. */
  saw(): void {
    this.#sawAt = performance.now();
    if (this.#quiet === undefined) this.#lookIn(standbyLullMs);
    if (this.#sawAt - this.#lookedAt < standbyFlowMs) return;
    this.#lookedAt = this.#sawAt;
    this.look();
  }

  /** Sets the standby streams ahead of the store where that is needed. */
  look(): void {
    const now = performance.now();
    if (this.#isAwaited || now - this.#setAt < standbyLullMs || !this.#isOutdated()) return;
    this.#setAt = now;
    const held = this.#streams.filter((standby) => this.#isOfUse(standby));
    for (const standby of this.#streams) if (!held.includes(standby)) standby.stream.unsubscribe();
    this.#base = this.#index;
    this.#set = Array.from({ length: this.#wanted }, (_, i) =>
      this.#standby(this.#base + 1 + (i + 1) * sure),
    );
    this.#streams = [...held, ...this.#set].sort((a, b) => a.from - b.from);
  }

  /** Ends the streams. */
  close(): void {
    this.lasts.unsubscribe();
  }

  /** Emits once what was caught reaches to where history begins by now, or nothing more is to be hoped for. */
  settled$(): Observable<void> {
    if (this.#streams.length === 0) return of(undefined);
    return defer(() => {
      const until = performance.now() + settleMs;
      this.#isAwaited = true;
      return timer(0, settleLookMs).pipe(
        first(() => this.#reachesHistory || performance.now() >= until),
        map(() => undefined),
        finalize(() => {
          this.#isAwaited = false;
        }),
      );
    });
  }

  /** What the standby streams have caught from the cursor on; it is to be moved over each before the next is asked for. */
  *take(): Generator<StreamEvent> {
    for (const { from, events } of this.#streams) {
      if (from > (this.#site.position.next ?? 0)) return;
      yield* events;
    }
  }

  #lookIn(ms: number): void {
    this.#quiet = setTimeout(() => {
      this.#quiet = undefined;
      const left = this.#sawAt + standbyLullMs - performance.now();
      if (left > 0) this.#lookIn(left);
      else this.look();
    }, ms);
  }

  #standby(from: number): Standby {
    const events: StreamEvent[] = [];
    const stream = stream$(this.#site, from)
      .pipe(
        mergeAll(),
        filter((part) => part.type === 'event'),
        take(history),
        tap((event) => events.push(event)),
        catchError(() => EMPTY),
      )
      .subscribe();
    return { from, events, stream };
  }

  #isOutdated(): boolean {
    const { length } = this.#set;
    if (this.#wanted !== length) return true;
    return length === 0
      ? this.#streams.length > 0
      : this.#index < this.#base || this.#index - this.#base > sure;
  }

  get #reachesHistory(): boolean {
    let next = this.#site.position.next ?? 0;
    for (const { from, events } of this.#streams) {
      const last = events.at(-1);
      if (from <= next && last !== undefined) next = Math.max(next, indexOf(last) + 1);
    }
    return next > this.#index - history;
  }

  /** It holds something ahead of the cursor, and may get more; or the store has just passed it, and may be sending. */
  #isOfUse(standby: Standby): boolean {
    const next = this.#site.position.next ?? 0;
    const last = standby.events.at(-1);
    if (last !== undefined) return indexOf(last) >= next;
    return this.#set.includes(standby) && standby.from <= this.#index && next <= this.#index;
  }

  get #index(): number {
    return Math.max(this.#site.context.watermark.value, (this.#site.position.next ?? 1) - 1);
  }

  /** One more than it takes: the store may move by a standby before they are set anew. */
  get #wanted(): number {
    return needsStandby(this.#site.position)
      ? Math.min(mostStreams, Math.ceil((this.#site.position.keysWithTtl - history) / sure))
      : 0;
  }
}

/** Whether so many keys may expire at once that some could be missed. */
const needsStandby = ({ keysWithTtl }: Cursor): boolean => keysWithTtl > history + sure;

/** The streams that wait ahead, opened if they are needed by now. They end with the site's stay. */
export function standbyOf(site: LegSite): StandbyStreams | undefined {
  const { position, stay } = site;
  if (position.standby === undefined && needsStandby(position)) {
    const standby = new StandbyStreams(site);
    standby.lasts.add(() => {
      position.standby = undefined;
    });
    stay.add(standby.lasts);
    position.standby = standby;
  }
  return position.standby;
}
