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
  switchMap,
  tap,
  throwError,
  timer,
  type ObservableInput,
  type Subscriber,
} from 'rxjs';
import { withKey } from '../api/with-key.js';
import { claimsOf } from './claims.js';
import { rearm$ } from './rearm.js';
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
  #owed: Subscriber<void> | undefined;

  constructor(site: LegSite) {
    this.#site = site;
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
    this.#owed?.next();
  }

  /**
   * Emits what is to be done when the stream has stalled.
   *
   * @param next what: a poll has found what the stream does not bring, or (`lost`) the error that it is history no more
   * @param told called each time the store index is told
   */
  stalled$<T>(next: (lost: unknown) => ObservableInput<T>, told?: () => void): Observable<T> {
    return this.#when$(told).pipe(switchMap(() => this.#missing$().pipe(switchMap(next))));
  }

  get #isOwed(): boolean {
    return !this.#catchingUp && this.#unchecked >= suspicious;
  }

  /** Emits when a check is owed: behind a burst, and each second of a long one; or when the idle watch is due. */
  #when$(told?: () => void): Observable<void> {
    return new Observable((subscriber) => {
      this.#owed = subscriber;
      subscriber.add(() => {
        this.#owed = undefined;
        clearTimeout(this.#look);
      });
      const busy = (): boolean => this.#catchingUp;
      return rearm$(this.#site, busy, told).subscribe(subscriber);
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
        this.#owed?.next();
        return;
      }
      if (now - this.#checkedAt >= guardEveryMs) {
        this.#checkedAt = now;
        this.#owed?.next();
      }
      this.#lookIn(left);
    }, ms);
  }

  /**
   * What a poll has found and the stream does not bring. What the stream brings a little later says nothing of the rest: it is
   * looked for behind that, until a poll finds nothing more that has happened already.
   */
  #missing$(): Observable<unknown> {
    const { position } = this.#site;
    const look$ = defer(() => this.#found$()).pipe(
      switchMap((found) => this.#silence$().pipe(map(() => found))),
    );
    return look$.pipe(
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

  /** The first event from the position on. */
  #found$(): Observable<Found> {
    const site = this.#site;
    return poll$(site, site.position.next).pipe(
      // What a stream leaves out, as hidden keys, only a history holds.
      expand((part) => (isFound(part) && !this.#isWanted(part) ? poll$(site, indexOf(part) + 1) : EMPTY)),
      tap(claimsOf(site)),
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
