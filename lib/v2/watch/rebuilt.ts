import { EMPTY, filter, retry, switchMap, tap, timer, type Observable } from 'rxjs';
import { backoff } from '../../util/backoff.js';
import { isLegacy } from '../old/server-release.js';
import { HistoryLost } from './history-lost.js';
import type { LegSite } from './leg-site.js';
import { readIndex$ } from './read-index.js';

/**
 * Errors with HistoryLost when the cluster was rebuilt under the same name. A store below the position belongs to such a
 * cluster or to a member that lags; only a quorum read tells the two apart.
 */
export function rebuilt$({ context, target, endpoint, position }: LegSite, etcdIndex = 0): Observable<never> {
  // Before 2.0 no read asks a quorum.
  if (isLegacy(context.cluster.version(endpoint))) return EMPTY;
  const { next } = position;
  if (next === undefined || etcdIndex === 0 || etcdIndex >= next - 1) return EMPTY;
  const seen = Math.max(context.watermark.value, next - 1);
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
