import {
  catchError,
  defer,
  ignoreElements,
  merge,
  NEVER,
  of,
  race,
  raceWith,
  switchMap,
  tap,
  throwError,
  timeout,
  timer,
  type Observable,
} from 'rxjs';
import type { CallSettings } from '../options.js';
import type { EventBus } from '../events.js';
import type { Trace } from '../transport/transport.js';
import { TransportError } from '../transport/transport-error.js';
import { CallRecord, DeadlinePassed } from './call-record.js';
import type { Cluster } from './cluster.js';
import { failover } from './failover.js';

/**
 * How a call may be repeated. `read`: by any member, freely. `quorum-read`: by the leader, freely. `once`: a write,
 * sent again only if it provably never reached a member. `set`: as `once`, unless the user chose `'idempotent'`.
 */
export type RetryClass = 'read' | 'quorum-read' | 'once' | 'set';

/** One call of an API. */
export interface CallSpec<T> {
  /** For messages: `set /a`. */
  readonly operation: string;
  readonly retryClass: RetryClass;
  readonly settings: CallSettings;
  /** Makes one try; emits once, or errors with a TransportError or a Fault. */
  readonly send: (endpoint: string, timeout: number, trace: Trace) => Observable<T>;
}

/** A request this long without an answer has its member checked, ms. */
const slow = 1_000;

/** Runs a call: waits at the gate, tries, repeats what may be repeated, and ends by its deadline. */
export function call$<T>(cluster: Cluster, events: EventBus, spec: CallSpec<T>): Observable<T> {
  const { retryClass, settings } = spec;
  return defer(() => {
    const record = new CallRecord(cluster, events, spec);
    const endpoint$ =
      retryClass === 'read' ? defer(() => of(cluster.readEndpoint(record.tried))) : cluster.leaderEndpoint$();
    const answer$ = endpoint$.pipe(
      switchMap((endpoint) => attempt$(cluster, record, spec, endpoint)),
      failover({
        decide: (error) => record.decide(error),
        leader$: cluster.leaderEndpoint$(),
        members: () => (retryClass === 'read' ? Math.max(1, cluster.view.candidates.length) : 1),
        ...settings.retry,
      }),
      timeout({ first: settings.deadline, with: () => throwError(() => new DeadlinePassed()) }),
    );
    // First the closed client's word, so that it sends nothing.
    return race(cluster.closed$, answer$).pipe(
      catchError((error: unknown) => throwError(() => record.explain(error))),
    );
  }).pipe(cluster.active());
}

/** One try at one endpoint. A read leaves a member that stops answering; a write cannot. */
function attempt$<T>(
  cluster: Cluster,
  record: CallRecord,
  spec: CallSpec<T>,
  endpoint: string,
): Observable<T> {
  return defer(() => {
    const { trace, timeout: limit } = record.begin(endpoint);
    const leave$ =
      spec.retryClass === 'read' || spec.retryClass === 'quorum-read'
        ? cluster
            .suspected$(endpoint)
            .pipe(
              switchMap(() =>
                throwError(() => new TransportError('reset', 'its member stopped answering', true)),
              ),
            )
        : NEVER;
    const check$ = timer(slow).pipe(switchMap(() => cluster.check$(endpoint)));
    return spec.send(endpoint, limit, trace).pipe(
      raceWith(merge(leave$, check$).pipe(ignoreElements())),
      tap({
        next: () => {
          record.succeeded();
        },
        error: (error: unknown) => {
          record.failed(error);
        },
      }),
    );
  });
}
