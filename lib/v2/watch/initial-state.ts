import {
  concatMap,
  defer,
  filter,
  map,
  of,
  retry,
  startWith,
  switchMap,
  take,
  tap,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import { backoff } from '../../cluster/backoff.js';
import type { SyncEvent, WatchEvent } from '../model.js';
import { MemberLeft } from './member-left.js';
import type { LegContext } from './leg-context.js';
import { readState$ } from './read-state.js';
import { countKeysWithTtl } from './resync.js';
import type { WatchSource } from './watch-source.js';

/**
 * A source's events behind the state that they change. The state is read once the source stands, at its member; what
 * comes meanwhile waits, and what the state holds already is left out. A member that lags behind what the source had
 * delivered before is asked again.
 */
export function withInitialState$(context: LegContext, source: WatchSource): Observable<WatchEvent> {
  return defer(() => {
    let index = 0;
    const sync$ = state$(context, source).pipe(
      tap((event) => {
        index = event.index;
      }),
    );
    return source.events$.pipe(
      startWith(undefined),
      concatMap((event: WatchEvent | undefined): Observable<WatchEvent> =>
        event === undefined ? sync$ : of(event),
      ),
      filter((event) => event.action === 'sync' || event.index > index),
    );
  });
}

function state$(context: LegContext, source: WatchSource): Observable<SyncEvent> {
  return defer(() => {
    const delivered = (source.run?.cursor.next ?? 1) - 1;
    return standing$(source).pipe(
      switchMap((endpoint) => readState$(context, source.target, endpoint)),
      tap(({ index, node }) => {
        if (index < delivered) throw new MemberLeft('its state is older than what was seen');
        const cursor = source.run?.cursor;
        if (cursor !== undefined) cursor.keysWithTtl = Math.max(cursor.keysWithTtl, countKeysWithTtl(node));
      }),
      map(({ node, index, info }): SyncEvent => ({ action: 'sync', node, index, info })),
      retry({
        delay: (error: unknown, n) => {
          const final = source.run?.final(error);
          return final === undefined
            ? timer(backoff(n - 1, context.settings.retry))
            : throwError(() => final);
        },
      }),
    );
  });
}

/** Where the source stands, now or as soon as it does. */
function standing$(source: WatchSource): Observable<string> {
  return source.stages$.pipe(
    startWith(undefined),
    map(() => source.run),
    filter((run) => run?.stage === 'live' || run?.stage === 'catching-up'),
    map((run) => run?.endpoint ?? ''),
    take(1),
  );
}
