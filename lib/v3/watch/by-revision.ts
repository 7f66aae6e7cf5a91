import { defer, mergeMap, type OperatorFunction } from 'rxjs';
import type { ChangeEvent, WatchEvent } from '../model/watch-event.js';

/** All that a watch tells of one revision, in order: what one transaction has changed. */
export interface Revision {
  readonly type: 'revision';
  readonly revision: number;
  readonly events: readonly ChangeEvent[];
}

/** What a watch tells, its changes revision by revision. */
export type RevisionEvent = Revision | Exclude<WatchEvent, ChangeEvent>;

/**
 * Puts the changes of one revision, which one transaction made, together into one event; all else passes.
 *
 * @example
 * ```ts
 * import { EtcdClient, byRevision } from 'rxetcd/v3';
 * new EtcdClient()
 *   .watch$({ prefix: '/config/' }, { initial: true })
 *   .pipe(byRevision())
 *   .subscribe((event) => {
 *     if (event.type === 'revision') console.log(event.revision, event.events.length);
 *   });
 * ```
 */
export function byRevision(): OperatorFunction<WatchEvent, RevisionEvent> {
  return (events$) =>
    defer(() => {
      let events: ChangeEvent[] = [];
      return events$.pipe(
        mergeMap((event): readonly RevisionEvent[] => {
          if (event.type !== 'put' && event.type !== 'delete') return [event];
          events.push(event);
          if (!event.last) return [];
          const told: Revision = { type: 'revision', revision: event.revision, events };
          events = [];
          return [told];
        }),
      );
    });
}
