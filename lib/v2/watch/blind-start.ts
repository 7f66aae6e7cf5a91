import { concat, map, of, switchMap, type Observable } from 'rxjs';
import { progress } from '../../watch/leg-item.js';
import { MemberLeft } from '../../watch/member-left.js';
import type { LegSite, V2LegItem } from './leg-site.js';
import { demandIndex$ } from './read-index.js';
import { readState$ } from './read-state.js';
import { resync$ } from './resync.js';

/**
 * How a watch begins where polls tell nothing before their event (no headers to read, or none at all before etcd 0.3; or
 * a browser that keeps them back): with the index of the store, or its state, read before the first poll is made. What
 * happens in between is in its history.
 */
export function blindStart$(site: LegSite): Observable<V2LegItem> {
  const { endpoint, start } = site;
  const begun$ =
    start === 'state'
      ? resync$(site)
      : index$(site).pipe(
          switchMap((index) => of<V2LegItem[]>(progress(index + 1), { type: 'live', endpoint })),
        );
  return concat(begun$, of<V2LegItem>({ type: 'end' }));
}

/** Where the store is: for want of a right to ask, or before it has read its log, as the key's own answer tells. */
function index$(site: LegSite): Observable<number> {
  const { context, endpoint, target } = site;
  return demandIndex$(context, endpoint, target.key).pipe(
    switchMap(({ index }) =>
      index > 0 ? of({ index }) : readState$({ ...site, target: { key: target.key, recursive: false } }),
    ),
    map(({ index }) => {
      if (index === 0) throw new MemberLeft('it does not tell where its store is');
      return index;
    }),
  );
}
