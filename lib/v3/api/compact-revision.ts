import { catchError, defaultIfEmpty, filter, map, of, take, timeout, type Observable } from 'rxjs';
import type { V3Context } from '../context.js';
import type { CompactedError } from '../errors.js';
import type { Bounds } from '../model/key-range.js';
import { gatewayWatch$ } from '../watch/gateway-watch.js';

/**
 * Emits up to where the store is compacted, after a read that found its revision gone; undefined if nobody says. etcd tells it
 * to watches alone: one from that revision is refused with it.
 */
export function compactRevision$(
  context: V3Context,
  bounds: Bounds,
  { endpoint, revision }: CompactedError,
): Observable<number | undefined> {
  if (endpoint === undefined || revision === undefined) return of(undefined);
  const create_request = { ...bounds, start_revision: revision };
  return gatewayWatch$(context, endpoint, { create_request }).pipe(
    map(({ compact_revision: compacted }) => compacted),
    filter((compacted) => compacted > 0),
    take(1),
    timeout(context.settings.probeTimeout),
    catchError(() => of(undefined)),
    defaultIfEmpty(undefined),
  );
}
