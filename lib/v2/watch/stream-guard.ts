import {
  catchError,
  concat,
  defer,
  EMPTY,
  first,
  from,
  ignoreElements,
  map,
  Observable,
  repeat,
  Subject,
  switchMap,
  throwError,
  timer,
  type ObservableInput,
  type Subscriber,
} from 'rxjs';
import { withKey } from '../api/with-key.js';
import { HistoryLost, isHistoryLost } from './history-lost.js';
import type { LegSite, V2LegItem } from './leg-site.js';
import { matches } from './matches.js';
import { indexOf, type Found } from './poll.js';
import { rearm$ } from './rearm.js';
import { passed$, successivePolls$, type Ask } from './successive-polls.js';
import { burstLullMs, guardEveryMs, stallMs } from './timing.js';

/** etcd silences a stream for which more than 100 events pile up; a little before as many, it is checked. */
const suspicious = 90;

/** What a leg does when its stream does not bring what a poll has found. */
export interface Remedies {
  /** Something is missing. */
  readonly missing$: () => ObservableInput<V2LegItem>;
  /** History does not hold any more what is missing. */
  readonly lost$: (error: unknown) => ObservableInput<V2LegItem>;
  /** This came late, from before the position. */
  readonly late$: (found: Found) => ObservableInput<V2LegItem>;
}

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
  #lookedOnAt = -Infinity;
  #owed: Subscriber<Ask> | undefined;
  #arrivals$: Subject<void> | undefined;

  constructor(site: LegSite) {
    this.#site = site;
  }

  /** Emits when the stream brings something; made for those who ask. */
  get arrivals$(): Observable<void> {
    return (this.#arrivals$ ??= new Subject());
  }

  /** The stream has brought something. */
  arrived(): void {
    this.#arrivals$?.next();
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
    this.#owed?.next('position');
  }

  /**
   * What becomes of the looks: the position may pass on, or the leg has to make up for what the stream does not bring.
   *
   * @param told called each time the store index is told
   */
  watch$(make: Remedies, told?: () => void): Observable<V2LegItem> {
    const site = this.#site;
    return successivePolls$(site, this.#when$(told)).pipe(
      switchMap((part): ObservableInput<V2LegItem> => {
        if (part.type === 'passed') return passed$(site, part);
        return part.type === 'event' ? this.#found$(part, make) : EMPTY;
      }),
      catchError((error: unknown) => {
        if (!isHistoryLost(error) || error instanceof HistoryLost) return throwError(() => error);
        this.#catchingUp = true;
        return make.lost$(error);
      }),
    );
  }

  get #isOwed(): boolean {
    return !this.#catchingUp && this.#unchecked >= suspicious;
  }

  /** Emits when a look is owed: behind a burst, and each second of a long one; or when the idle watch is due. */
  #when$(told?: () => void): Observable<Ask> {
    return new Observable((subscriber) => {
      this.#owed = subscriber;
      subscriber.add(() => {
        this.#owed = undefined;
        clearTimeout(this.#look);
      });
      const busy = (): boolean => this.#catchingUp;
      return rearm$(this.#site, busy, told)
        .pipe(map((): Ask => 'position'))
        .subscribe(subscriber);
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
        this.#owed?.next('position');
        return;
      }
      if (now - this.#checkedAt >= guardEveryMs) {
        this.#checkedAt = now;
        this.#owed?.next('position');
      }
      this.#lookIn(left);
    }, ms);
  }

  /**
   * A poll has found something. What the stream brings a little later says nothing of the rest: it is looked for behind that, until a
   * poll finds nothing more that has happened already.
   */
  #found$(found: Found, make: Remedies): Observable<V2LegItem> {
    const { position } = this.#site;
    const index = indexOf(found);
    const isLate = index < (position.next ?? 0) && position.isNew(index);
    if (isLate || position.isDoubted(index)) {
      this.#catchingUp = true;
      return from(make.late$(found));
    }
    if (!this.#isWanted(found)) {
      // What a stream leaves out, as hidden keys, only a history holds.
      this.#owed?.next({ from: index + 1 });
      return EMPTY;
    }
    return this.#silence$().pipe(
      switchMap(() => {
        if (position.isNew(index)) {
          // From now on the leg makes up for it.
          this.#catchingUp = true;
          return make.missing$();
        }
        const isPast = index <= (found.info.etcdIndex ?? 0);
        return isPast ? this.#lookOn$() : EMPTY;
      }),
    );
  }

  /** Looks again at once, then once a second. */
  #lookOn$(): Observable<never> {
    const now = performance.now();
    const wait = Math.max(0, this.#lookedOnAt + guardEveryMs - now);
    this.#lookedOnAt = now + wait;
    return concat(
      wait === 0 ? EMPTY : timer(wait).pipe(ignoreElements()),
      defer(() => {
        this.#owed?.next('position');
        return EMPTY;
      }),
    );
  }

  /** Emits once when nothing has come for as long as a stalled stream is silent. */
  #silence$(): Observable<unknown> {
    const begun = performance.now();
    return timer(stallMs).pipe(
      repeat(),
      first(() => performance.now() - Math.max(begun, this.#sawAt) >= stallMs),
    );
  }

  #isWanted({ body }: Found): boolean {
    const { key, recursive } = this.#site.target;
    return matches(key, recursive, body.action, withKey(body.node ?? { key }));
  }
}
