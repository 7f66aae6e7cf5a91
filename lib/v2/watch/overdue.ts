import {
  catchError,
  EMPTY,
  exhaustMap,
  filter,
  interval,
  map,
  Observable,
  startWith,
  take,
  tap,
  type Subscriber,
} from 'rxjs';
import type { LegSite, V2LegItem } from './leg-site.js';
import { readIndex$ } from './read-index.js';
import { overdueMs } from './timing.js';

/**
 * Ends a leg whose headers are overdue while its member answers a request that was sent later: what is in between holds
 * back what is not complete. A member that does not answer is slow, or gone.
 */
export class Overdue {
  readonly #site: LegSite;
  readonly #sentAt = performance.now();
  #hasBegun = false;
  #subscriber: Subscriber<V2LegItem> | undefined;

  constructor(site: LegSite) {
    this.#site = site;
  }

  /** Emits the end of the leg; completes once its headers have come. */
  end$(): Observable<V2LegItem> {
    return new Observable((subscriber) => {
      if (this.#hasBegun) {
        subscriber.complete();
        return undefined;
      }
      this.#subscriber = subscriber;
      // Almost none needs more than a timer.
      const due = setTimeout(() => {
        subscriber.add(this.#heldBack$().subscribe(subscriber));
      }, overdueMs);
      return () => {
        clearTimeout(due);
        this.#subscriber = undefined;
      };
    });
  }

  /** The headers have come. */
  begun(): void {
    this.#hasBegun = true;
    this.#subscriber?.complete();
  }

  #heldBack$(): Observable<V2LegItem> {
    const { context, endpoint, target } = this.#site;
    const { headers } = context;
    const answered$ = readIndex$(context, endpoint, target.key).pipe(catchError(() => EMPTY));
    return interval(overdueMs).pipe(
      startWith(0),
      exhaustMap(() => headers.once$(endpoint, answered$)),
      // A stream that began meanwhile says that they pass: these are late for a reason of their own.
      filter(() => !headers.haveBegunSince(endpoint, this.#sentAt)),
      take(1),
      tap(() => {
        headers.areHeldBack(endpoint);
      }),
      map((): V2LegItem => ({ type: 'end' })),
    );
  }
}
