import { EMPTY, filter, retry, switchMap, tap, timer, type Observable } from 'rxjs';
import { backoff } from '../../util/backoff.js';
import type { ResponseInfo } from '../model/model.js';
import { isLegacy } from '../old/server-release.js';
import type { Cursor } from './cursor.js';
import { HistoryLost } from './history-lost.js';
import type { LegContext } from './leg-context.js';
import { readIndex$ } from './read-index.js';
import type { Target } from './target.js';

/**
 * Errors with HistoryLost when the cluster was rebuilt under the same name. A store below the cursor belongs to such a
 * cluster or to a member that lags; only a quorum read tells the two apart.
 */
export function rebuilt$(
  context: LegContext,
  target: Target,
  cursor: Cursor,
  { endpoint, etcdIndex = 0 }: Pick<ResponseInfo, 'endpoint' | 'etcdIndex'>,
): Observable<never> {
  // Before 2.0 no read asks a quorum.
  if (isLegacy(context.cluster.version(endpoint))) return EMPTY;
  if (cursor.next === undefined || etcdIndex === 0 || etcdIndex >= cursor.next - 1) return EMPTY;
  const seen = Math.max(context.watermark.value, cursor.next - 1);
  return readIndex$(context, endpoint, target.key, true).pipe(
    tap(({ index }) => {
      if (index === 0) throw new TypeError('no index without a quorum');
    }),
    // Rebuilt and without a quorum yet: asked until there is one, or the leg ends.
    retry({ delay: (_, n) => timer(backoff(n - 1, context.settings.retry)) }),
    filter(({ index }) => index < seen),
    switchMap(({ index }) => {
      context.watermark.restart(index);
      throw new HistoryLost('rebuilt');
    }),
  );
}
