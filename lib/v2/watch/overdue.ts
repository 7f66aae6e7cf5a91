import {
  catchError,
  EMPTY,
  exhaustMap,
  filter,
  map,
  take,
  takeWhile,
  tap,
  timer,
  type Observable,
} from 'rxjs';
import type { LegSite, V2LegItem } from './leg-site.js';
import { readIndex$ } from './read-index.js';
import { overdueMs } from './timing.js';

/**
 * Ends a leg whose headers are overdue while its member answers a request that was sent later: what is in between holds
 * back what is not complete. A member that does not answer is slow, or gone.
 *
 * @param stands whether they have come
 */
export function overdue$(site: LegSite, stands: () => boolean): Observable<V2LegItem> {
  const { context, endpoint, target } = site;
  const { headers } = context;
  const sentAt = performance.now();
  const answered$ = readIndex$(context, endpoint, target.key).pipe(catchError(() => EMPTY));
  return timer(overdueMs, overdueMs).pipe(
    map(stands),
    takeWhile((yes) => !yes),
    exhaustMap(() => headers.once$(endpoint, answered$)),
    // A stream that began meanwhile says that they pass: these are late for a reason of their own.
    filter(() => !stands() && !headers.haveBegunSince(endpoint, sentAt)),
    take(1),
    tap(() => {
      headers.areHeldBack(endpoint);
    }),
    map((): V2LegItem => ({ type: 'end' })),
  );
}
