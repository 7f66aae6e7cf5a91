import { concat, defer, startWith, throwError, type Observable } from 'rxjs';
import type { ResponseInfo } from '../model/model.js';
import type { Cursor } from './cursor.js';
import { HistoryLost } from './history-lost.js';
import type { LegContext } from './leg-context.js';
import type { LegItem, LegStart } from './leg-item.js';
import { rebuilt$ } from './rebuilt.js';
import { resync$ } from './resync.js';
import type { Target } from './target.js';

/**
 * A leg has got its first headers: checks that the cluster is still the same, reads the state if the leg starts with
 * it, on the same member, and else goes on from the cursor as that kind of leg does.
 */
export function stand$(
  context: LegContext,
  target: Target,
  cursor: Cursor,
  start: LegStart,
  info: ResponseInfo,
  fromCursor: () => Observable<LegItem>,
): Observable<LegItem> {
  const { endpoint, clusterId } = info;
  if (start === 'resync')
    return resync$(context, target, cursor, endpoint).pipe(startWith<LegItem>({ type: 'live', endpoint }));
  if (cursor.isOfAnother(clusterId)) return throwError(() => new HistoryLost('another-cluster'));
  cursor.clusterId ??= clusterId;
  // No event waits for that in vain: where a quorum cannot be asked, nothing happens.
  return concat(rebuilt$(context, target, cursor, info), defer(fromCursor));
}
