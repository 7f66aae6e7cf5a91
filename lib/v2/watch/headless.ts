import { exhaustMap, filter, map, merge, switchMap, timer, type Observable } from 'rxjs';
import type { Cursor } from './cursor.js';
import type { LegContext } from './leg-context.js';
import type { LegItem } from './leg-item.js';
import { rebuilt$ } from './rebuilt.js';
import type { Target } from './target.js';

/** A poll that has not failed for so long counts as standing, ms. */
const standing = 500;

/**
 * What the headers of a poll would tell, where they cannot be read or (Firefox) come with the event: that it stands, in
 * time or else whether its member still answers, and that the store has fallen below the cursor.
 *
 * @param missing whether none have come yet
 */
export function headless$(
  context: LegContext,
  target: Target,
  endpoint: string,
  cursor: Cursor,
  missing: () => boolean,
): Observable<LegItem> {
  const { cluster, settings, pulse$ } = context;
  const stands$ = timer(standing).pipe(
    filter(missing),
    map((): LegItem => ({ type: 'live', endpoint })),
  );
  const checked$ = timer(settings.timeout).pipe(
    filter(missing),
    switchMap(() => cluster.check$(endpoint)),
  );
  const belied$ = pulse$.pipe(
    exhaustMap(({ index }) => rebuilt$(context, target, cursor, { endpoint, etcdIndex: index })),
  );
  return merge(stands$, checked$, belied$);
}
