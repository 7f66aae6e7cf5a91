import { catchError, defer, tap, throwError, type Observable } from 'rxjs';
import { isAllNodesDown, isEtcdApiError, StaleReadError } from '../errors.js';
import type { CallSettings } from '../options.js';
import { within } from './deadline.js';
import type { KeyResponse } from './model.js';
import type { Watermark } from './watermark.js';

/** Makes one read: of any member, of the leader, or with quorum. */
type Read = (
  operation: 'get' | 'quorumGet',
  settings: CallSettings,
  leader: boolean,
) => Observable<KeyResponse>;

/** Who is asked, one after the other. */
const ways = [
  { operation: 'get', leader: false },
  { operation: 'get', leader: true },
  { operation: 'quorumGet', leader: true },
] as const;

/** An answer from before what was seen. */
class Stale {
  constructor(readonly index: number) {}
}

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
    const ask = (step: number, staleIndex: number): Observable<KeyResponse> => {
      const way = own[step];
      if (way === undefined) {
        // Not even a majority knows what was seen: the cluster was rebuilt. Say so once, then go on with it.
        watermark.restart(staleIndex);
        return throwError(() => new StaleReadError(operation, staleIndex, seen));
      }
      const limits = step === 0 ? settings : within(settings, startedAt);
      return read(way.operation, limits, way.leader).pipe(
        tap(({ info: { etcdIndex = 0 } }) => {
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- caught below, and costly to make as an Error
          if (isStale(etcdIndex)) throw new Stale(etcdIndex);
        }),
        catchError((error: unknown) => {
          const index = error instanceof Stale || isEtcdApiError(error) ? error.index : 0;
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
