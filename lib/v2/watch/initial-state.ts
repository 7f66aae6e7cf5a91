import {
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  filter,
  map,
  of,
  retry,
  startWith,
  switchMap,
  take,
  takeUntil,
  tap,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import { backoff } from '../../util/backoff.js';
import type { SyncEvent, WatchEvent } from '../model/model.js';
import { isHistoryLost } from './history-lost.js';
import { MemberLeft } from './member-left.js';
import type { LegContext } from './leg-context.js';
import { readState$, type State } from './read-state.js';
import { rebuilt$ } from './rebuilt.js';
import { countKeysWithTtl } from './resync.js';
import type { WatchRun } from './watch-run.js';
import type { WatchSource } from './watch-source.js';

/** Up to where something holds: an index, and the epoch in which it counts. */
interface Mark {
  readonly epoch: number;
  readonly index: number;
}

/** A state, and which of the source's events it holds already. */
interface InitialState extends State {
  readonly held: Mark;
}

/**
 * A source's events behind the state that they change. The state is read once the source stands, at its member; what
 * comes meanwhile waits, and what the state holds already is left out. Once something above the state has come, all that
 * follows passes.
 */
export function withInitialState$(context: LegContext, source: WatchSource): Observable<WatchEvent> {
  return defer(() => {
    let held: Mark | undefined;
    const sync$ = state$(context, source).pipe(
      map((state): SyncEvent => {
        held = state.held;
        const { node, index, info } = state;
        return { action: 'sync', node, index, info };
      }),
    );
    const isHeld = (told: Mark): boolean => {
      if (held !== undefined && isUpTo(told, held)) return true;
      held = undefined;
      return false;
    };
    return source.events$.pipe(
      // As it is told: by the time that it is asked for, the source may have gone on to another epoch.
      map((event) => ({ event, epoch: source.run?.cursor.epoch ?? 0, index: event.index })),
      startWith(undefined),
      concatMap((told): Observable<WatchEvent> =>
        told === undefined ? sync$ : isHeld(told) ? EMPTY : of(told.event),
      ),
    );
  });
}

const isUpTo = (told: Mark, held: Mark): boolean =>
  told.epoch < held.epoch || (told.epoch === held.epoch && told.index <= held.index);

function state$(context: LegContext, source: WatchSource): Observable<InitialState> {
  let reads = 0;
  return defer(() => standing$(source)).pipe(
    switchMap((run) => stateAt$(context, source, run, (reads += 1) > 1)),
    tap(({ node }) => {
      const cursor = source.run?.cursor;
      if (cursor !== undefined) cursor.keysWithTtl = Math.max(cursor.keysWithTtl, countKeysWithTtl(node));
    }),
    retry({
      delay: (error: unknown, n) => {
        const final = source.run?.final(error);
        if (final !== undefined) throw final;
        return timer(backoff(n - 1, context.settings.retry));
      },
    }),
  );
}

/**
 * The state where the source stands. One below what the source has delivered is that of a member that lags, which is
 * asked again; if that does not help, a quorum tells whether the store began anew without the source's knowledge. Such a
 * store is one epoch ahead, as another cluster is: what the source tells of the former one is nothing to it, and the
 * source's resync is still to come.
 */
function stateAt$(
  context: LegContext,
  source: WatchSource,
  run: WatchRun,
  again: boolean,
): Observable<InitialState> {
  const { cursor, endpoint } = run;
  const { epoch, next = 1 } = cursor;
  return readState$(context, source.target, endpoint).pipe(
    switchMap((state): Observable<InitialState> => {
      // Read from before or from behind the change: nobody knows.
      if (cursor.epoch !== epoch || cursor.lost !== undefined)
        throw new MemberLeft('the store has become another one meanwhile');
      const ahead = { ...state, held: { epoch: epoch + 1, index: 0 } };
      if (cursor.isOfAnother(state.info.clusterId)) return of(ahead);
      if (state.index >= next - 1) return of({ ...state, held: { epoch, index: state.index } });
      const lags$ = throwError(() => new MemberLeft('its state is older than what was seen'));
      if (!again) return lags$;
      const isRebuilt$ = rebuilt$(context, source.target, cursor, { endpoint, etcdIndex: state.index }).pipe(
        catchError((error: unknown) => {
          if (isHistoryLost(error)) return of(ahead);
          throw error;
        }),
        takeUntil(source.stages$),
      );
      return concat(isRebuilt$, lags$).pipe(take(1));
    }),
  );
}

/** Emits the source's run once it stands, with nothing lost that it has yet to make up for. */
function standing$(source: WatchSource): Observable<WatchRun> {
  return source.stages$.pipe(
    startWith(undefined),
    map(() => source.run),
    filter((run) => run !== undefined),
    filter(({ stage, cursor }) => (stage === 'live' || stage === 'catching-up') && cursor.lost === undefined),
    take(1),
  );
}
