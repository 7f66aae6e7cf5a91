import { catchError, defer, Observable, switchMap, throwError } from 'rxjs';
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

/** Runs a call: waits at the gate, tries, repeats what may be repeated, and ends by its deadline. */
export function call$<T>(cluster: Cluster, events: EventBus, spec: CallSpec<T>): Observable<T> {
  const { settings } = spec;
  return new Observable((subscriber) => {
    const record = new CallRecord(cluster, events, spec);
    const fail = (error: unknown): void => {
      subscriber.error(record.explain(error));
    };
    // First the closed client's word, so that it sends nothing.
    subscriber.add(cluster.attend(fail));
    if (subscriber.closed) return;
    const limit = setTimeout(() => {
      fail(new DeadlinePassed());
    }, settings.deadline);
    subscriber.add(() => {
      clearTimeout(limit);
    });
    return routed$(cluster, record, spec)
      .pipe(
        failover({
          decide: (error) => record.decide(error),
          leader$: cluster.leaderEndpoint$(),
          members: () =>
            anyMember(spec.retryClass) && spec.at === undefined
              ? Math.max(1, cluster.view.candidates.length)
              : 1,
          ...settings.retry,
        }),
      )
      .subscribe({
        next: (value) => {
          subscriber.next(value);
        },
        error: fail,
        complete: () => {
          subscriber.complete();
        },
      });
  });
}

/** A try where one may be made now, or once there is a leader. */
function routed$<T>(cluster: Cluster, record: CallRecord, spec: CallSpec<T>): Observable<T> {
  const { at, retryClass } = spec;
  return defer(() => {
    const { leaderEndpoint } = cluster.view;
    const endpoint =
      at ??
      (retryClass === 'read'
        ? cluster.readEndpoint(record.tried)
        : retryClass === 'leader-read'
          ? cluster.leaderOrAny(record.tried)
          : leaderEndpoint);
    return endpoint === undefined
      ? cluster.leaderEndpoint$().pipe(switchMap((leader) => followed$(cluster, record, spec, leader)))
      : followed$(cluster, record, spec, endpoint);
  });
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
  const mayLeave = spec.at === undefined && (anyMember(spec.retryClass) || spec.retryClass === 'quorum-read');
  return new Observable((subscriber) => {
    const { trace, timeout } = record.begin(endpoint);
    const fail = (error: unknown): void => {
      // First, lest its own failure make its member suspect to it.
      end();
      record.failed(error);
      subscriber.error(error);
    };
    const end = cluster.inFlight.begin(endpoint, {
      onSuspected: mayLeave
        ? () => {
            fail(new TransportError('reset', 'its member stopped answering', true));
          }
        : undefined,
      onSlow: () => {
        subscriber.add(cluster.check$(endpoint).subscribe());
      },
    });
    subscriber.add(end);
    return spec.send(endpoint, timeout, trace).subscribe({
      next: (value) => {
        record.succeeded();
        subscriber.next(value);
      },
      error: fail,
      complete: () => {
        subscriber.complete();
      },
    });
  });
}
