import { catchError, defer, of, switchMap, tap, type Observable } from 'rxjs';
import { within } from '../../cluster/deadline.js';
import { triedOnceMore, untried } from '../../cluster/tried.js';
import { isAllNodesDown, isRequestTimeout, StaleReadError } from '../../errors.js';
import type { CallSettings } from '../../options.js';
import type { V3Context } from '../context.js';
import { compactedIn, isCompacted, isFutureRevision } from '../errors.js';
import type { ResponseInfo } from '../model/response-info.js';

/** Who is asked for a read, and how. */
export interface Asking {
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
  readonly ask$: (asking: Asking) => Observable<T>;
}

/**
 * A read that does not go back in time. An answer below the highest revision seen when the read was subscribed comes from a
 * member that lags, or from a store that was put back to an older state. A linearizable read tells the two apart, as a member
 * that lags answers it once it has caught up. One such answer may be wrong: another member is asked before the store is taken
 * for an older one, whose revisions are a new epoch, and whose answer is given.
 */
export function freshRead$<T extends Told>(
  context: V3Context,
  { operation, settings, serializable, ask$ }: FreshRead<T>,
): Observable<T> {
  return defer(() => {
    const { seen, cluster } = context;
    const { value: mark, epoch } = seen;
    const startedAt = performance.now();
    const isStale = ({ revision }: ResponseInfo): boolean => seen.epoch === epoch && revision < mark;

    const again$ = (stale: ResponseInfo, at?: string): Observable<T> =>
      ask$({ serializable: false, at, settings: within(settings, startedAt) }).pipe(
        catchError((error: unknown) => {
          throw isAllNodesDown(error) || isRequestTimeout(error)
            ? new StaleReadError(operation, stale.revision, mark, error)
            : error;
        }),
      );
    const elsewhere$ = (answer: T): Observable<T> => {
      const { endpoint } = answer.info;
      return again$(answer.info, cluster.readEndpoint(triedOnceMore(untried, endpoint))).pipe(
        tap(({ info }) => {
          if (isStale(info)) seen.restart(epoch, info.revision);
        }),
      );
    };
    const linearizable$ = (stale: ResponseInfo): Observable<T> =>
      again$(stale).pipe(switchMap((answer) => (isStale(answer.info) ? elsewhere$(answer) : of(answer))));
    return ask$({ serializable, settings }).pipe(
      switchMap((answer) => {
        if (!isStale(answer.info)) return of(answer);
        return serializable ? linearizable$(answer.info) : elsewhere$(answer);
      }),
    );
  });
}

/**
 * A read of what stood at a revision, which stands there for ever: whoever has it may answer. A member that has not reached a
 * revision which was seen lags behind; then a majority is asked.
 */
export function pastRead$<T extends Told>(
  { seen }: V3Context,
  revision: number,
  { settings, serializable, ask$ }: FreshRead<T>,
): Observable<T> {
  return defer(() => {
    const isSeen = revision <= seen.value;
    const startedAt = performance.now();
    return ask$({ serializable, settings }).pipe(
      catchError((error: unknown) => {
        if (serializable && isSeen && isFutureRevision(error))
          return ask$({ serializable: false, settings: within(settings, startedAt) });
        throw isCompacted(error) ? compactedIn(error, { revision }) : error;
      }),
    );
  });
}
