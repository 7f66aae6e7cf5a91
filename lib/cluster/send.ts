import { concat, defer, ignoreElements, Observable, switchMap } from 'rxjs';
import type { EventBus } from '../insight/events.js';
import type { CallSettings } from '../options.js';
import { limitPassed } from '../transport/late.js';
import { DeadlinePassed } from '../transport/transport-error.js';
import type { Trace } from '../transport/transport.js';
import { attempt$, type Attempting } from './attempt.js';
import { CallRecord } from './call-record.js';
import type { Cluster } from './cluster.js';
import { failover } from './failover.js';
import { anyMember, type RetryClass } from './retry-class.js';

/** One call of an API: what is asked, and how its answer is read. */
export interface Call<Q, A, T> {
  /** For messages: what is done, and to what. */
  readonly operation: string;
  readonly retryClass: RetryClass;
  readonly settings: CallSettings;
  /** The one endpoint that is asked, whoever leads. Default: as the retry class says. */
  readonly at?: string | undefined;
  /** What is sent to that endpoint; throws what speaks against it. */
  readonly request: (endpoint: string) => Q;
  /** Done there before each try, within its time; the try fails with it. */
  readonly before$?: ((endpoint: string, timeout: number) => Observable<unknown> | undefined) | undefined;
  /** Reads the answer; throws a Fault for what is no success. */
  readonly read: (answer: A, endpoint: string) => T;
}

/** Where one try goes, and how long it may take, ms. */
interface Site {
  readonly endpoint: string;
  readonly timeout: number;
}

/** Carries one request to one endpoint, and emits once what is read of its answer; errors with a TransportError. */
interface Carrier<Q, A> {
  read$<T>(request: Q & Site, read: (answer: A) => T, trace: Trace): Observable<T>;
}

/** Who is asked, and over what. */
export interface SendContext<Q, A> {
  readonly cluster: Cluster;
  readonly events: EventBus;
  readonly transport: Carrier<Q, A>;
}

/**
 * Makes a request into a call: it waits at the gate, tries, repeats what its retry class allows to be repeated, and ends by
 * its deadline. Each subscription is one call; unsubscribing cancels it.
 */
export function send$<Q extends object, A, T>(
  { cluster, events, transport }: SendContext<Q, A>,
  call: Call<Q, A, T>,
): Observable<T> {
  const { settings, retryClass, at } = call;
  const attempting: Attempting<T> = {
    retryClass,
    at,
    send: (endpoint, timeout, trace) => {
      const request = { ...call.request(endpoint), endpoint, timeout };
      const sent$ = transport.read$(request, (answer) => call.read(answer, endpoint), trace);
      const before$ = call.before$?.(endpoint, timeout);
      return before$ === undefined ? sent$ : concat(before$.pipe(ignoreElements()), sent$);
    },
  };
  return new Observable((subscriber) => {
    const record = new CallRecord(cluster, events, call);
    const fail = (error: unknown): void => {
      subscriber.error(record.explain(error));
    };
    // First the closed client's word, so that it sends nothing.
    const leave = cluster.attend(fail);
    subscriber.add(leave);
    if (subscriber.closed) return;
    const limit = setTimeout(() => {
      limitPassed(record.due, () => {
        if (!subscriber.closed) fail(new DeadlinePassed());
      });
    }, settings.deadline);
    subscriber.add(() => {
      clearTimeout(limit);
    });
    return routed$(cluster, record, attempting)
      .pipe(
        failover({
          decide: (error, retries) => record.decide(error, retries),
          leader$: cluster.leaderEndpoint$(),
          members: () =>
            anyMember(retryClass) && at === undefined ? Math.max(1, cluster.view.candidates.length) : 1,
          ...settings.retry,
        }),
      )
      .subscribe({
        next: (value) => {
          // Answered: whoever is told may close the client.
          leave();
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
function routed$<T>(cluster: Cluster, record: CallRecord, attempting: Attempting<T>): Observable<T> {
  const { at, retryClass } = attempting;
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
      ? cluster.leaderEndpoint$().pipe(switchMap((leader) => attempt$(cluster, record, attempting, leader)))
      : attempt$(cluster, record, attempting, endpoint);
  });
}
