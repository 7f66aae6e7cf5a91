import { exhaustMap, filter, map, merge, switchMap, tap, timer, type Observable } from 'rxjs';
import type { LegSite, V2LegItem } from './leg-site.js';
import { rebuilt$ } from './rebuilt.js';
import { standingMs } from './timing.js';

/**
 * What the headers of a poll would tell, where they cannot be read or (Firefox) come with the event: that it stands;
 * that its member still answers, when they are overdue; and that the store has fallen below the position.
 *
 * @param seen what of the answer has come yet
 */
export function headless$(site: LegSite, seen: () => 'none' | 'headers' | 'body'): Observable<V2LegItem> {
  const { context, endpoint, position } = site;
  const { cluster, settings, storeIndex$, headers } = context;
  const begunAt = performance.now();
  const missing = (): boolean => seen() === 'none';
  const stands$ = timer(standingMs).pipe(
    tap(() => {
      // They came by themselves.
      if (seen() === 'headers') headers.cameAtOnce(endpoint);
    }),
    filter(missing),
    map((): V2LegItem => ({ type: 'live', endpoint })),
  );
  const checked$ = timer(settings.timeout).pipe(
    filter(missing),
    switchMap(() => cluster.check$(endpoint)),
  );
  const belied$ = storeIndex$.pipe(
    // An older one may know less than an event that has come since; and what is lost already is about to be read.
    filter(({ sentAt }) => sentAt >= begunAt && position.lost === undefined),
    exhaustMap(({ index }) => rebuilt$(site, { etcdIndex: index })),
  );
  return missing() ? merge(stands$, checked$, belied$) : belied$;
}
