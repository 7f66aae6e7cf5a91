import { catchError, defer, map, of, switchMap, throwError, type Observable } from 'rxjs';
import { isAllNodesDown, isEtcdApiError, StaleReadError, type EtcdApiError } from '../errors.js';
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

type Outcome = { readonly response: KeyResponse } | { readonly error: EtcdApiError };

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
    // A watermark below what was seen has started anew, with another cluster.
    const isStale = (index: number): boolean => index > 0 && index < Math.min(seen, watermark.value);
    const left = (): CallSettings => within(settings, startedAt);
    const quorumRead = (): Observable<KeyResponse> => read('quorumGet', left(), true);
    const ways = quorum
      ? [quorumRead]
      : [
          (): Observable<KeyResponse> => read('get', left(), false),
          (): Observable<KeyResponse> => read('get', left(), true),
          quorumRead,
        ];

    const ask = (step: number, staleIndex: number): Observable<KeyResponse> => {
      const way = ways[step];
      if (way === undefined) {
        // Not even a majority knows what was seen: the cluster was rebuilt. Say so once, then go on with it.
        watermark.restart(staleIndex);
        return throwError(() => new StaleReadError(operation, staleIndex, seen));
      }
      return way().pipe(
        map((response): Outcome => ({ response })),
        catchError((error: unknown) => {
          if (isEtcdApiError(error)) return of<Outcome>({ error });
          return throwError(() =>
            step > 0 && isAllNodesDown(error)
              ? new StaleReadError(operation, staleIndex, seen, error)
              : error,
          );
        }),
        switchMap((outcome) => {
          const index = 'error' in outcome ? outcome.error.index : (outcome.response.info.etcdIndex ?? 0);
          if (isStale(index)) return ask(step + 1, index);
          return 'error' in outcome ? throwError(() => outcome.error) : of(outcome.response);
        }),
      );
    };
    return ask(0, 0);
  });
}
