import { concatMap, map, of, throwError, type Observable } from 'rxjs';
import type { LostRevisions } from '../../errors.js';
import { stateTooOld } from '../../watch/member-left.js';
import { behind$ } from './behind.js';
import type { LegSite, V3LegItem } from './leg-site.js';
import { readState$, type State } from './read-state.js';

/**
 * Reads the state in place of what is lost. A state below the position of the same store is that of one which was put back,
 * which is found out first, or of a member that lags, which is asked again.
 */
export function resync$(site: LegSite): Observable<V3LegItem> {
  const { position } = site;
  return readState$(site).pipe(
    concatMap((state) => {
      if (position.lost !== 'compacted' || state.revision >= (position.next ?? 1) - 1) return of(state);
      return behind$(site).pipe(concatMap(() => throwError(() => stateTooOld())));
    }),
    map((state) => resync(site, state)),
  );
}

function resync({ position }: LegSite, { kvs, revision, clusterId }: State): V3LegItem {
  const { next: from = revision, epoch } = position;
  const reason = position.lost === 'restored' || position.lost === 'rebuilt' ? position.lost : 'compacted';
  const lost: LostRevisions =
    reason === 'compacted' ? { reason, from, to: Math.max(from, revision) } : { reason, from };
  position.clusterId = clusterId ?? position.clusterId;
  return {
    type: 'events',
    events: [{ type: 'resync', kvs, revision, lost, reason }],
    next: revision + 1,
    // Of another history, whose revisions say nothing of the former's.
    ...(reason === 'compacted' ? {} : { epoch: epoch + 1 }),
    state: lost,
  };
}
