import { exhaustMap, filter, map, merge, switchMap, tap, timer, type Observable } from 'rxjs';
import type { Cursor } from './cursor.js';
import type { LegContext } from './leg-context.js';
import type { LegItem } from './leg-item.js';
import { rebuilt$ } from './rebuilt.js';
import type { Target } from './target.js';

/** A poll that has not failed for so long counts as standing, ms. */
const standing = 500;

/**
 * What the headers of a poll would tell, where they cannot be read or (Firefox) come with the event: that it stands;
 * that its member still answers, when they are overdue; and that the store has fallen below the cursor.
 *
 * @param seen what of the answer has come yet
 */
export function headless$(
  context: LegContext,
  target: Target,
  endpoint: string,
  cursor: Cursor,
  seen: () => 'none' | 'headers' | 'body',
): Observable<LegItem> {
  const { cluster, settings, storeIndex$, prompt } = context;
  const begunAt = performance.now();
  const missing = (): boolean => seen() === 'none';
  const stands$ = timer(standing).pipe(
    tap(() => {
      // They came by themselves.
      if (seen() === 'headers') prompt.add(endpoint);
    }),
    filter(missing),
    map((): LegItem => ({ type: 'live', endpoint })),
  );
  const checked$ = timer(settings.timeout).pipe(
    filter(missing),
    switchMap(() => cluster.check$(endpoint)),
  );
  const belied$ = storeIndex$.pipe(
    // An older one may know less than an event that has come since; and what is lost already is about to be read.
    filter(({ sentAt }) => sentAt >= begunAt && cursor.lost === undefined),
    exhaustMap(({ index }) => rebuilt$(context, target, cursor, { endpoint, etcdIndex: index })),
  );
  return missing() ? merge(stands$, checked$, belied$) : belied$;
}
