import { Observable, Subscription } from 'rxjs';

/** Subscribes to all sources at once and emits what they emit in the order of the sources, as `concat` would. */
export function concatEager$<T>(sources: readonly Observable<T>[]): Observable<T> {
  return new Observable((subscriber) => {
    const waiting = sources.map((): T[] => []);
    const done = sources.map(() => false);
    let turn = 0;
    const advance = (): void => {
      while (turn < sources.length && !subscriber.closed) {
        for (const value of waiting[turn]?.splice(0) ?? []) subscriber.next(value);
        if (done[turn] !== true) return;
        turn += 1;
      }
      subscriber.complete();
    };
    const all = new Subscription();
    sources.forEach((source$, i) => {
      all.add(
        source$.subscribe({
          next: (value) => {
            if (i === turn) subscriber.next(value);
            else waiting[i]?.push(value);
          },
          error: (error: unknown) => {
            subscriber.error(error);
          },
          complete: () => {
            done[i] = true;
            if (i === turn) advance();
          },
        }),
      );
    });
    if (sources.length === 0) subscriber.complete();
    return all;
  });
}
