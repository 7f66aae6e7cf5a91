import { concat, map, of, switchMap, type Observable } from 'rxjs';
import type { V2Context } from '../context.js';
import type { Cursor } from './cursor.js';
import type { LegItem, LegStart } from './leg-item.js';
import { demandIndex$ } from './read-index.js';
import { readState$ } from './read-state.js';
import { resync } from './resync.js';
import type { Target } from './target.js';

/**
 * How a watch begins where polls tell nothing before their event (no headers to read, or none at all before etcd 0.3; or
 * a browser that keeps them back): with the index of the store, or its state, read before the first poll is made. What
 * happens in between is in its history.
 *
 * @param otherwise$ how it begins where the index is not told, for want of a right, but headers can be read
 */
export function blindStart$(
  context: V2Context,
  target: Target,
  endpoint: string,
  cursor: Cursor,
  start: LegStart,
  otherwise$: Observable<LegItem>,
): Observable<LegItem> {
  const begun$ =
    start === 'cursor'
      ? demandIndex$(context, endpoint, target.key).pipe(
          switchMap(({ index }): Observable<LegItem> => {
            if (index === 0) return otherwise$;
            cursor.start(index);
            return of({ type: 'live', endpoint });
          }),
        )
      : readState$(context, target, endpoint).pipe(map((state) => resync(cursor, state)));
  return concat(begun$, of<LegItem>({ type: 'chain' }));
}
