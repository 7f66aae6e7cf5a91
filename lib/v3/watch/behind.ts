import { defer, map, retry, switchMap, timer, type Observable } from 'rxjs';
import { Fault } from '../../cluster/fault.js';
import { triedOnceMore, untried } from '../../cluster/tried.js';
import { backoff } from '../../util/backoff.js';
import { HistoryLost } from '../../watch/history-lost.js';
import type { LegSite } from './leg-site.js';
import { memberRange$ } from './member-range.js';

/**
 * A member tells a revision below what a watch was told: it lags, or the store was put back to an older state. A linearizable
 * read of what the watch has a right to read tells the two apart, as a member that lags answers it once it has caught up.
 * One such answer may be wrong: another member is asked before the store is taken for an older one.
 *
 * Emits once when the member lags; errors with HistoryLost when the store was put back.
 *
 * @param least a revision of the store that was told. Default: that before the position
 */
export function behind$(site: LegSite, least?: number): Observable<unknown> {
  const { context, endpoint, position } = site;
  const { seen, cluster } = context;
  const { epoch } = seen;
  const reached = (revision: number): boolean => revision >= (least ?? (position.next ?? 1) - 1);
  const elsewhere = (): string => cluster.readEndpoint(triedOnceMore(untried, endpoint));
  return newest$(site, () => endpoint).pipe(
    switchMap((revision) => (reached(revision) ? [revision] : newest$(site, elsewhere))),
    map((revision) => {
      if (reached(revision)) return;
      seen.restart(epoch, revision);
      throw new HistoryLost('restored', 'the store was put back to an older state');
    }),
  );
}

/** The store's revision by a linearizable read, tried until a quorum answers it, unless that is refused for good. */
const newest$ = ({ context, target }: LegSite, endpoint: () => string): Observable<number> =>
  // Anew each time: by then the token may be another, and so may be who is asked.
  defer(() => memberRange$(context, endpoint(), { ...target.bounds, limit: 1, keys_only: true })).pipe(
    map(({ header }) => header?.revision ?? 0),
    retry({
      delay: (error: unknown, n) => {
        if (error instanceof Fault && error.config.executed === undefined) throw error;
        return timer(backoff(n - 1, context.settings.retry));
      },
    }),
  );
