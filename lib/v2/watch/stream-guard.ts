import {
  catchError,
  concat,
  defer,
  EMPTY,
  expand,
  filter,
  first,
  ignoreElements,
  map,
  Observable,
  of,
  repeat,
  Subject,
  switchMap,
  tap,
  throwError,
  timer,
  type ObservableInput,
  type Subscriber,
} from 'rxjs';
import { withKey } from '../api/with-key.js';
import type { Gap } from './catch-up.js';
import { Rearm } from './rearm.js';
import { isHistoryLost } from './history-lost.js';
import type { LegSite, V2LegItem } from './leg-site.js';
import { matches } from './matches.js';
import { indexOf, isFound, type Found } from './poll-part.js';
import { poll$ } from './poll.js';
import { burstLullMs, guardEveryMs, stallMs } from './timing.js';

/** etcd silences a stream for which more than 100 events pile up; a little before as many, it is checked. */
const suspicious = 90;

/**
 * Tells whether a stream still lives: etcd silences one for which too many events pile up, without a word. After each
 * burst, and when an idle watch is due, a long poll from the cursor looks for what the stream does not bring.
 */
export class StreamGuard {
  readonly #site: LegSite;
  #unchecked = 0;
  #catchingUp = false;
  #sawAt = -Infinity;
  #look: ReturnType<typeof setTimeout> | undefined;
  #checkedAt = 0;
  #owed: Subscriber<number | undefined> | undefined;
  readonly #rearm: Rearm;
  #hasArrived = false;
  #gap:
    { readonly end: number; readonly asks$: Subject<void>; readonly arrivals$: Subject<void> } | undefined;
  #owesCheck = false;

  /** @param told called each time the store index is told */
  constructor(site: LegSite, told?: () => void) {
    this.#site = site;
    this.#rearm = new Rearm(site, {
      busy: () => this.#catchingUp,
      // What is above its start the stream itself brings.
      uncovered: () => this.#gap?.end ?? 0,
      told,
    });
  }

  /** The stream has brought something. */
  arrived(): void {
    this.#hasArrived = true;
    this.#gap?.arrivals$.next();
  }

  /** What fills the gap that ends there; as long as it is open, it is looked into in place of the stream. */
  fill$<T>(end: number, fill: (gap: Gap) => Observable<T>): Observable<T> {
    const open$ = defer(() => {
      const gap = { end, asks$: new Subject<void>(), arrivals$: new Subject<void>() };
      this.#gap = gap;
      return fill({
        ...gap,
        isAwaited: () => this.#hasArrived,
        saw: (part, from) => {
          this.#rearm.saw(part, from);
        },
      });
    });
    const closed$ = defer(() => {
      this.#gap = undefined;
      if (this.#owesCheck) this.check();
      return EMPTY;
    });
    return concat(open$, closed$);
  }

  /** The leg has brought something. */
  saw(item: V2LegItem): void {
    this.#sawAt = performance.now();
    if (item.type === 'events') this.#unchecked += item.events.length;
    else this.#catchingUp = item.type === 'catching-up';
    if (!this.#isOwed || this.#owed === undefined || this.#look !== undefined) return;
    this.#checkedAt = this.#sawAt;
    this.#lookIn(burstLullMs);
  }

  /** Has a poll look at once, and wait, for what the stream may not bring. */
  check(): void {
    this.#owesCheck = this.#gap !== undefined;
    this.#lookNow();
  }

  /**
   * Emits what is to be done when the stream has stalled.
   *
   * @param next what: a poll has found what the stream does not bring, or (`lost`) the error that it is history no more
   */
  stalled$<T>(next: (lost: unknown) => ObservableInput<T>): Observable<T> {
    return this.#when$().pipe(
      switchMap((from) => {
        if (this.#gap === undefined) return this.#missing$(from).pipe(switchMap(next));
        this.#gap.asks$.next();
        return EMPTY;
      }),
    );
  }

  get #isOwed(): boolean {
    return !this.#catchingUp && this.#unchecked >= suspicious;
  }

  #lookNow(): void {
    this.#owed?.next(this.#site.position.next);
  }

  /** Emits where to look from when a check is owed: behind a burst, and each second of a long one; or when the idle watch is due. */
  #when$(): Observable<number | undefined> {
    return new Observable((subscriber) => {
      this.#owed = subscriber;
      subscriber.add(() => {
        this.#owed = undefined;
        clearTimeout(this.#look);
      });
      return this.#rearm.asks$.subscribe(subscriber);
    });
  }

  #lookIn(ms: number): void {
    this.#look = setTimeout(() => {
      this.#look = undefined;
      if (!this.#isOwed) return;
      const now = performance.now();
      const left = this.#sawAt + burstLullMs - now;
      if (left <= 0) {
        // Only now: a check in the middle of a burst says nothing of the rest.
        this.#unchecked = 0;
        this.#lookNow();
        return;
      }
      if (now - this.#checkedAt >= guardEveryMs) {
        this.#checkedAt = now;
        this.#lookNow();
      }
      this.#lookIn(left);
    }, ms);
  }

  /**
   * What a poll has found and the stream does not bring. What the stream brings a little later says nothing of the rest: it is
   * looked for behind that, until a poll finds nothing more that has happened already.
   */
  #missing$(start: number | undefined): Observable<unknown> {
    const { position } = this.#site;
    const lookFrom$ = (from: number | undefined): Observable<Found> =>
      this.#found$(from).pipe(switchMap((found) => this.#silence$().pipe(map(() => found))));
    const look$ = defer(() => lookFrom$(position.next));
    return lookFrom$(start).pipe(
      expand((found, i) =>
        position.isNew(indexOf(found)) || !isFromHistory(found)
          ? EMPTY
          : concat(i === 0 ? EMPTY : timer(guardEveryMs).pipe(ignoreElements()), look$),
      ),
      filter((found) => position.isNew(indexOf(found))),
      map(() => undefined),
      catchError((error: unknown) => (isHistoryLost(error) ? of(error) : throwError(() => error))),
      tap(() => {
        // From now on the leg makes up for it.
        this.#catchingUp = true;
      }),
    );
  }

  /** The first event from an index on. */
  #found$(from: number | undefined): Observable<Found> {
    const site = this.#site;
    return poll$(site, from).pipe(
      // What a stream leaves out, as hidden keys, only a history holds.
      expand((part) => (isFound(part) && !this.#isWanted(part) ? poll$(site, indexOf(part) + 1) : EMPTY)),
      tap((part) => {
        this.#rearm.saw(part, from);
      }),
      filter((part): part is Found => isFound(part) && this.#isWanted(part)),
    );
  }

  /** Emits once when nothing has come for as long as a stalled stream is silent. */
  #silence$(): Observable<unknown> {
    const from = performance.now();
    return timer(stallMs).pipe(
      repeat(),
      first(() => performance.now() - Math.max(from, this.#sawAt) >= stallMs),
    );
  }

  #isWanted({ body }: Found): boolean {
    const { key, recursive } = this.#site.target;
    return matches(key, recursive, body.action, withKey(body.node ?? { key }));
  }
}

/** Whether it had happened before the poll was asked; else the poll was silent up to then. */
const isFromHistory = (found: Found): boolean => indexOf(found) <= (found.info.etcdIndex ?? 0);
