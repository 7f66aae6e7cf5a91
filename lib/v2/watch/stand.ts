import { concat, defer, startWith, throwError, type Observable } from 'rxjs';
import type { ResponseInfo } from '../model/model.js';
import { historyLost } from './history-lost.js';
import type { LegSite, V2LegItem } from './leg-site.js';
import { rebuilt$ } from './rebuilt.js';
import { resync$ } from './resync.js';

/**
 * A leg has got its first headers: checks that the cluster is still the same, reads the state if the leg starts with
 * it, on the same member, and else goes on from the position as that kind of leg does.
 */
export function stand$(
  site: LegSite,
  info: ResponseInfo,
  fromPosition: () => Observable<V2LegItem>,
): Observable<V2LegItem> {
  const { endpoint, position, start } = site;
  const { clusterId } = info;
  if (start === 'state') return resync$(site).pipe(startWith<V2LegItem>({ type: 'live', endpoint }));
  if (position.isOfAnother(clusterId)) return throwError(() => historyLost('another-cluster'));
  position.clusterId ??= clusterId;
  // No event waits for that in vain: where a quorum cannot be asked, nothing happens.
  return concat(rebuilt$(site, info), defer(fromPosition));
}
