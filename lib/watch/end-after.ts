import { concat, concatMap, defer, EMPTY, of, takeWhile, type MonoTypeOperatorFunction } from 'rxjs';

/** Asks after each event has been emitted; the one that is accepted is the last. */
export function endAfter<E>(accepts: (event: E) => boolean): MonoTypeOperatorFunction<E> {
  const end = Symbol('end');
  return (events$) =>
    events$.pipe(
      concatMap((event) =>
        concat(
          of(event),
          defer(() => (accepts(event) ? of(end) : EMPTY)),
        ),
      ),
      takeWhile((item): item is E => item !== end),
    );
}
