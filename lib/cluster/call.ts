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
import { Fault } from './fault.js';
import { anyMember, type RetryClass } from './retry-class.js';

/** One call of an API. */
export interface CallSpec<T> {
  /** For messages: `set /a`. */
  readonly operation: string;
  readonly retryClass: RetryClass;
  readonly settings: CallSettings;
  /** The one endpoint that is asked, whoever leads. */
  readonly at?: string | undefined;
  /** Makes one try; emits once, or errors with a TransportError or a Fault. */
  readonly send: (endpoint: string, timeout: number, trace: Trace) => Observable<T>;
}

/** How many redirects one try follows. */
const maxHops = 4;

/** A request this long without an answer has its member checked, ms. */
const slow = 1_000;

/** Runs a call: waits at the gate, tries, repeats what may be repeated, and ends by its deadline. */
export function call$<T>(cluster: Cluster, events: EventBus, spec: CallSpec<T>): Observable<T> {
  const { retryClass, settings } = spec;
  return defer(() => {
    const record = new CallRecord(cluster, events, spec);
    const answer$ = endpoint$(cluster, record, spec).pipe(
      switchMap((endpoint) => followed$(cluster, record, spec, endpoint)),
      failover({
        decide: (error) => record.decide(error),
        leader$: cluster.leaderEndpoint$(),
        members: () =>
          anyMember(retryClass) && spec.at === undefined ? Math.max(1, cluster.view.candidates.length) : 1,
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

function endpoint$<T>(
  cluster: Cluster,
  { tried }: CallRecord,
  { at, retryClass }: CallSpec<T>,
): Observable<string> {
  if (at !== undefined) return of(at);
  if (retryClass === 'read') return defer(() => of(cluster.readEndpoint(tried)));
  if (retryClass === 'leader-read') return defer(() => of(cluster.leaderOrAny(tried)));
  return cluster.leaderEndpoint$();
}

/**
 * One try, and those that it was redirected to: with method and body, to known members only, and not for ever. Old
 * members redirect to their leader; to themselves, while there is none.
 */
function followed$<T>(
  cluster: Cluster,
  record: CallRecord,
  spec: CallSpec<T>,
  endpoint: string,
  // What is asked of one member alone no other can answer.
  hops = spec.at === undefined ? maxHops : 0,
): Observable<T> {
  return attempt$(cluster, record, spec, endpoint).pipe(
    catchError((error: unknown) => {
      const target = error instanceof Fault ? error.config.redirect : undefined;
      return target !== undefined && hops > 0 && cluster.redirected(endpoint, target)
        ? followed$(cluster, record, spec, target, hops - 1)
        : throwError(() => error);
    }),
  );
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
      spec.at === undefined && (anyMember(spec.retryClass) || spec.retryClass === 'quorum-read')
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
