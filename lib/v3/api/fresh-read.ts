import { catchError, defer, of, switchMap, throwError, type Observable } from 'rxjs';
import { within } from '../../cluster/deadline.js';
import { triedOnceMore, untried } from '../../cluster/tried.js';
import { isAllNodesDown, isRequestTimeout, StaleReadError } from '../../errors.js';
import type { CallSettings } from '../../options.js';
import type { V3Context } from '../context.js';
import { isFutureRevision } from '../errors.js';
import type { ResponseInfo } from '../model/response-info.js';

/** Who is asked for a read, and how. */
interface Asking {
  readonly serializable: boolean;
  /** The one endpoint that is asked. Default: whoever serves it. */
  readonly at?: string | undefined;
  readonly settings: CallSettings;
}

/** What is read, as far as it matters here. */
interface Told {
  readonly info: ResponseInfo;
}

/** What is read. */
interface FreshRead<T> {
  readonly operation: string;
  readonly settings: CallSettings;
  readonly serializable: boolean;
  /** The past revision that is read; the same whoever is asked. */
  readonly revision: number | undefined;
  readonly ask$: (asking: Asking) => Observable<T>;
}

/**
 * A read that does not go back in time. An answer below the highest revision seen when the read was subscribed comes from a
 * member that lags, or from a store that was put back to an older state. A linearizable read tells the two apart, as a member
 * that lags answers it once it has caught up. One such answer may be wrong: another member is asked before the store is taken
 * for an older one, whose revisions are a new epoch, and whose answer is given.
 */
export function freshRead$<T extends Told>(context: V3Context, read: FreshRead<T>): Observable<T> {
  return defer(() => {
    const { seen, cluster } = context;
    const { operation, serializable, revision, ask$ } = read;
    const { value: mark, epoch } = seen;
    const startedAt = performance.now();
    const isStale = ({ revision: told }: ResponseInfo): boolean => seen.epoch === epoch && told < mark;

    const again$ = (stale: ResponseInfo, at?: string): Observable<T> =>
      ask$({ serializable: false, at, settings: within(read.settings, startedAt) }).pipe(
        catchError((error: unknown) =>
          throwError(() =>
            isAllNodesDown(error) || isRequestTimeout(error)
              ? new StaleReadError(operation, stale.revision, mark, error)
              : error,
          ),
        ),
      );
    const elsewhere$ = (answer: T): Observable<T> => {
      const { endpoint } = answer.info;
      return again$(answer.info, cluster.readEndpoint(triedOnceMore(untried, endpoint))).pipe(
        switchMap((other) => {
          if (isStale(other.info)) seen.restart(epoch, other.info.revision);
          return of(other);
        }),
      );
    };
    const linearizable$ = (stale: ResponseInfo): Observable<T> =>
      again$(stale).pipe(switchMap((answer) => (isStale(answer.info) ? elsewhere$(answer) : of(answer))));
    return ask$({ serializable, settings: read.settings }).pipe(
      switchMap((answer) => {
        // What stood at a revision that is past stands there for ever.
        if (revision !== undefined || !isStale(answer.info)) return of(answer);
        return serializable ? linearizable$(answer.info) : elsewhere$(answer);
      }),
      catchError((error: unknown) => {
        const isBehind =
          serializable && revision !== undefined && revision <= mark && isFutureRevision(error);
        if (!isBehind) throw error;
        return ask$({ serializable: false, settings: within(read.settings, startedAt) });
      }),
    );
  });
}
