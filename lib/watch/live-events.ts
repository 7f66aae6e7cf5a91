import { defer, distinctUntilChanged, filter, map, merge, startWith, type Observable } from 'rxjs';
import type { Position } from './position.js';
import type { WatchSource } from './watch-source.js';

/** Says that a watch has caught up. @param next everything below this place was told */
export type LiveEvent<E> = (next: number) => E;

/** Emits, at once or later, each time that a watch has caught up, with nothing lost that it has yet to make up for. */
export function lives$<E, P extends Position>(source: WatchSource<E, P>): Observable<unknown> {
  return source.stages$.pipe(
    startWith(undefined),
    map(() => source.run?.stage === 'live' && source.run.position.lost === undefined),
    distinctUntilChanged(),
    filter((isLive) => isLive),
  );
}

/** A source's events, and among them one each time that it has caught up; endless. */
export function withLive$<E, P extends Position>(
  source: WatchSource<E, P>,
  live: LiveEvent<E>,
): Observable<E> {
  // First the events: with its first subscriber the watch begins.
  return merge(
    source.events$,
    defer(() => lives$(source)).pipe(map(() => live(source.run?.position.next ?? 0))),
  );
}
