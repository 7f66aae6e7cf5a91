import { defer, Observable, switchMap } from 'rxjs';
import type { EventBus } from '../insight/events.js';
import { limitPassed } from '../transport/late.js';
import { DeadlinePassed } from '../transport/transport-error.js';
import { attempt$ } from './attempt.js';
import { CallRecord } from './call-record.js';
import type { CallSpec } from './call-spec.js';
import type { Cluster } from './cluster.js';
import { failover } from './failover.js';
import { anyMember } from './retry-class.js';

/** Runs a call: waits at the gate, tries, repeats what may be repeated, and ends by its deadline. */
export function call$<T>(cluster: Cluster, events: EventBus, spec: CallSpec<T>): Observable<T> {
  const { settings } = spec;
  return new Observable((subscriber) => {
    const record = new CallRecord(cluster, events, spec);
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
    return routed$(cluster, record, spec)
      .pipe(
        failover({
          decide: (error, retries) => record.decide(error, retries),
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
      ? cluster.leaderEndpoint$().pipe(switchMap((leader) => attempt$(cluster, record, spec, leader)))
      : attempt$(cluster, record, spec, endpoint);
  });
}
