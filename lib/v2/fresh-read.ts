import { catchError, defer, throwError, type Observable } from 'rxjs';
import { Fault } from '../cluster/fault.js';
import { isAllNodesDown, isEtcdApiError, StaleReadError } from '../errors.js';
import type { CallSettings } from '../options.js';
import { within } from './deadline.js';
import type { KeyResponse, ResponseInfo } from './model.js';
import type { Watermark } from './watermark.js';

/** Makes one read: of any member, of the leader, or with quorum. What `check` throws is its failure. */
type Read = (
  operation: 'get' | 'quorumGet',
  settings: CallSettings,
  leader: boolean,
  check: (info: ResponseInfo) => void,
) => Observable<KeyResponse>;

/** Who is asked, one after the other. */
const ways = [
  { operation: 'get', leader: false },
  { operation: 'get', leader: true },
  { operation: 'quorumGet', leader: true },
] as const;

/**
 * A read that does not go back in time: an answer (a "not found" too) below the highest index seen when the read was
 * subscribed is asked again, of the leader, then with quorum, and else ends in StaleReadError. An answer without an
 * index (as in a browser) is taken as it is.
 */
export function freshRead$(
  watermark: Watermark,
  operation: string,
  settings: CallSettings,
  quorum: boolean,
  read: Read,
): Observable<KeyResponse> {
  return defer(() => {
    const seen = watermark.value;
    const startedAt = performance.now();
    const own = quorum ? ways.slice(-1) : ways;
    // A watermark below what was seen has started anew, with another cluster.
    const isStale = (index: number): boolean => index > 0 && index < Math.min(seen, watermark.value);
    const check = ({ etcdIndex = 0, status }: ResponseInfo): void => {
      if (!isStale(etcdIndex)) return;
      const toError = (): StaleReadError => new StaleReadError(operation, etcdIndex, seen);
      throw new Fault({ summary: `stale: index ${String(etcdIndex)}`, status, toError });
    };
    const ask = (step: number, staleIndex: number): Observable<KeyResponse> => {
      const way = own[step];
      if (way === undefined) {
        // Not even a majority knows what was seen: the cluster was rebuilt. Say so once, then go on with it.
        watermark.restart(staleIndex);
        return throwError(() => new StaleReadError(operation, staleIndex, seen));
      }
      const limits = step === 0 ? settings : within(settings, startedAt);
      return read(way.operation, limits, way.leader, check).pipe(
        catchError((error: unknown) => {
          const index = error instanceof StaleReadError || isEtcdApiError(error) ? error.index : 0;
          if (isStale(index)) return ask(step + 1, index);
          return throwError(() =>
            step > 0 && isAllNodesDown(error)
              ? new StaleReadError(operation, staleIndex, seen, error)
              : error,
          );
        }),
      );
    };
    return ask(0, 0);
  });
}
