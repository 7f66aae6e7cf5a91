import { concat, map, of, switchMap, tap, type Observable } from 'rxjs';
import type { Cursor } from './cursor.js';
import type { LegContext } from './leg-context.js';
import type { LegItem, LegStart } from './leg-item.js';
import { MemberLeft } from './member-left.js';
import { demandIndex$ } from './read-index.js';
import { readState$ } from './read-state.js';
import { resync$ } from './resync.js';
import type { Target } from './target.js';

/**
 * How a watch begins where polls tell nothing before their event (no headers to read, or none at all before etcd 0.3; or
 * a browser that keeps them back): with the index of the store, or its state, read before the first poll is made. What
 * happens in between is in its history.
 */
export function blindStart$(
  context: LegContext,
  target: Target,
  endpoint: string,
  cursor: Cursor,
  start: LegStart,
): Observable<LegItem> {
  const begun$: Observable<LegItem> =
    start === 'cursor'
      ? index$(context, target, endpoint).pipe(
          tap((index) => {
            cursor.start(index);
          }),
          map(() => ({ type: 'live', endpoint })),
        )
      : resync$(context, target, cursor, endpoint);
  return concat(begun$, of<LegItem>({ type: 'chain' }));
}

/** Where the store is: for want of a right to ask, or before it has read its log, as the key's own answer tells. */
function index$(context: LegContext, target: Target, endpoint: string): Observable<number> {
  return demandIndex$(context, endpoint, target.key).pipe(
    switchMap(({ index }) =>
      index > 0 ? of({ index }) : readState$(context, { key: target.key, recursive: false }, endpoint),
    ),
    map(({ index }) => {
      if (index === 0) throw new MemberLeft('it does not tell where its store is');
      return index;
    }),
  );
}
