import {
  catchError,
  defer,
  EMPTY,
  expand,
  filter,
  finalize,
  map,
  retry,
  switchMap,
  tap,
  throwError,
  type Observable,
} from 'rxjs';
import type { WatchEvent } from '../model.js';
import type { LegItem } from './leg-item.js';
import { leg$, type LegContext } from './leg.js';
import type { Target } from './target.js';
import { WatchRun } from './watch-run.js';

/** Where a source begins. */
export interface SourceStart {
  /** Begin with the state. */
  readonly initial: boolean;
  /** Begin with the event of this index, or the first above it. */
  readonly fromIndex: number | undefined;
}

/**
 * The endless stream of a target's events: legs chained by `expand`, restarted by `retry` and nothing else, around a
 * cursor that outlives both.
 */
export function watchSource$(
  context: LegContext,
  target: Target,
  start: SourceStart,
): Observable<WatchEvent> {
  return defer(() => {
    const run = new WatchRun(context, target, start);
    const nextLeg$: Observable<LegItem> = defer(() =>
      context.cluster.watchEndpoint$(run.tried, run.endpoint),
    ).pipe(
      switchMap((endpoint) => {
        run.goesTo(endpoint);
        return leg$(context, target, endpoint, run.cursor, run.start);
      }),
      tap((item) => {
        run.saw(item);
      }),
    );
    let failure: unknown;
    return nextLeg$.pipe(
      expand((item) => (item.type === 'chain' ? nextLeg$ : EMPTY)),
      retry({ delay: (error) => run.recover$(error) }),
      filter((item) => item.type === 'event'),
      map((item) => item.event),
      catchError((error: unknown) => {
        failure = error;
        return throwError(() => error);
      }),
      finalize(() => {
        run.ended(failure);
      }),
    );
  });
}
