import {
  catchError,
  defer,
  EMPTY,
  NEVER,
  of,
  repeat,
  share,
  switchMap,
  tap,
  timer,
  type Observable,
} from 'rxjs';
import { unrefScheduler } from '#platform/util/unref-scheduler.js';
import type { V2Context } from '../context.js';
import { readIndex$, type StoreIndex } from './read-index.js';
import { fastReadingMs, readingGraceMs, slowReadingMs } from './timing.js';

/** The store moves fast when it grew by more than this between two readings. */
const fastGrowth = 100;

/**
 * The store's index again and again while a watch is open: how an idle watch learns that foreign writes push its place
 * out of etcd's history. With `heartbeat: false` there is none. Shared, and never
 * errors: a reading that fails says so; why it did is for the heartbeat to find out.
 *
 * @param key a key that is watched, if any is: there the client has rights
 */
export function storeIndex$(context: V2Context, key: () => string | undefined): Observable<StoreIndex> {
  const { cluster, settings } = context;
  if (settings.heartbeat === false) return NEVER;
  const period = Math.min(settings.heartbeat, slowReadingMs);
  return defer(() => {
    let index = 0;
    let growth = 0;
    return cluster.watchEndpoint$().pipe(
      switchMap((endpoint) => {
        const sentAt = performance.now();
        const unanswered: StoreIndex = { endpoint, index: 0, sentAt, answered: false, denied: false };
        return readIndex$(context, endpoint, key() ?? '/').pipe(catchError(() => of(unanswered)));
      }),
      catchError(() => EMPTY),
      tap((now) => {
        if (now.index === 0) return;
        growth = now.index - index;
        index = now.index;
      }),
      repeat({
        delay: () => timer(growth > fastGrowth ? Math.min(period, fastReadingMs) : period, unrefScheduler),
      }),
    );
  }).pipe(
    share({
      resetOnRefCountZero: () => (key() === undefined ? of(true) : timer(readingGraceMs, unrefScheduler)),
    }),
  );
}
