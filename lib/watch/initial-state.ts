import {
  concatMap,
  defer,
  EMPTY,
  filter,
  map,
  merge,
  of,
  retry,
  startWith,
  switchMap,
  take,
  tap,
  timer,
  type Observable,
} from 'rxjs';
import { backoff } from '../util/backoff.js';
import { lives$, type LiveEvent } from './live-events.js';
import { MemberLeft } from './member-left.js';
import type { Position } from './position.js';
import type { InitialState } from './watch-protocol.js';
import type { WatchRun } from './watch-run.js';
import type { WatchSource } from './watch-source.js';

/** Up to where something holds: a place, and the epoch in which it counts. */
type Mark = Pick<InitialState<unknown>, 'epoch' | 'next'>;

/** What a source has told, and up to where it has told everything then; undefined: that it has caught up. */
interface Told<E> extends Mark {
  readonly event: E | undefined;
}

/**
 * A source's events behind the state that they change. The state is read once the source stands, at its member; what
 * comes meanwhile waits, and what the state holds already is left out. Once something above the state has come, all that
 * follows passes.
 *
 * @param live what is told each time that the source has caught up. Default: nothing
 */
export function withInitialState$<E, P extends Position>(
  source: WatchSource<E, P>,
  live?: LiveEvent<E>,
): Observable<E> {
  // As it is told: by the time that it is asked for, the source may have gone on.
  const place = (event: E | undefined): Told<E> => ({
    event,
    next: source.run?.position.next ?? 0,
    epoch: source.run?.position.epoch ?? 0,
  });
  return defer(() => {
    let held: Mark | undefined;
    const sync$ = state$(source).pipe(
      map(({ event, epoch, next }) => {
        held = { epoch, next };
        return event;
      }),
    );
    const isHeld = (told: Mark): boolean => {
      if (held !== undefined && isUpTo(told, held)) return true;
      held = undefined;
      return false;
    };
    const events$ = source.events$.pipe(map(place));
    const lives = live === undefined ? [] : [defer(() => lives$(source)).pipe(map(() => place(undefined)))];
    return merge(events$, ...lives).pipe(
      startWith(undefined),
      concatMap((told): Observable<E> => {
        if (told === undefined) return sync$;
        if (told.event === undefined) return live === undefined ? EMPTY : of(live(furthest(told, held)));
        return isHeld(told) ? EMPTY : of(told.event);
      }),
    );
  });
}

/** Up to where everything is told: by the watch, or by the state. */
const furthest = (told: Mark, held: Mark | undefined): number =>
  held !== undefined && isUpTo(told, held) ? held.next : told.next;

const isUpTo = (told: Mark, held: Mark): boolean =>
  told.epoch < held.epoch || (told.epoch === held.epoch && told.next <= held.next);

function state$<E, P extends Position>(source: WatchSource<E, P>): Observable<InitialState<E>> {
  const { protocol, context } = source;
  let reads = 0;
  return defer(() => standing$(source)).pipe(
    switchMap((run) => {
      const { position, endpoint } = run;
      const { epoch } = position;
      return protocol.state$(run.site(endpoint), (reads += 1) > 1).pipe(
        tap(() => {
          // Read from before or from behind the change: nobody knows.
          if (position.epoch !== epoch || position.lost !== undefined)
            throw new MemberLeft('the store has become another one meanwhile');
        }),
      );
    }),
    retry({
      delay: (error: unknown, n) => {
        const verdict = source.run?.verdict(error);
        if (verdict instanceof Error) throw verdict;
        return timer(backoff(n - 1, context.settings.retry));
      },
    }),
  );
}

/** Emits the source's run once it stands, with nothing lost that it has yet to make up for. */
function standing$<E, P extends Position>(source: WatchSource<E, P>): Observable<WatchRun<E, P>> {
  return source.stages$.pipe(
    startWith(undefined),
    map(() => source.run),
    filter((run) => run !== undefined),
    filter(
      ({ stage, position }) => (stage === 'live' || stage === 'catching-up') && position.lost === undefined,
    ),
    take(1),
  );
}
