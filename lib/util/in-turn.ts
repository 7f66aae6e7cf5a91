import { isObservable, Observable, type Observer, type OperatorFunction, type Subscriber } from 'rxjs';

/** `concatMap` in a third of its memory, for chains of which there may be thousands. */
export const inTurn =
  <T, R>(project$: (value: T) => Observable<R> | Iterable<R>): OperatorFunction<T, R> =>
  (source$) =>
    new Observable((subscriber) => source$.subscribe(new Turns(project$, subscriber)));

/** One value after the other: what comes while it is the turn of another waits. */
class Turns<T, R> implements Observer<T> {
  readonly #project$: (value: T) => Observable<R> | Iterable<R>;
  readonly #subscriber: Subscriber<R>;
  #isTaken = false;
  #waiting: T[] | undefined;
  /** No more values come. */
  #isLast = false;

  constructor(project$: (value: T) => Observable<R> | Iterable<R>, subscriber: Subscriber<R>) {
    this.#project$ = project$;
    this.#subscriber = subscriber;
  }

  next(value: T): void {
    (this.#waiting ??= []).push(value);
    this.#go();
  }

  error(error: unknown): void {
    this.#subscriber.error(error);
  }

  complete(): void {
    this.#isLast = true;
    this.#go();
  }

  #go(): void {
    while (!this.#isTaken && this.#waiting !== undefined && !this.#subscriber.closed) {
      const [value, ...others] = this.#waiting;
      this.#waiting = others.length > 0 ? others : undefined;
      this.#isTaken = true;
      this.#take(value as T);
    }
    if (this.#isLast && !this.#isTaken && this.#waiting === undefined) this.#subscriber.complete();
  }

  #take(value: T): void {
    try {
      const results = this.#project$(value);
      if (isObservable(results)) {
        this.#subscriber.add(results.subscribe(this.#turn()));
        return;
      }
      for (const result of results) {
        this.#subscriber.next(result);
        if (this.#subscriber.closed) return;
      }
      this.#isTaken = false;
    } catch (error) {
      this.#subscriber.error(error);
    }
  }

  #turn(): Observer<R> {
    return {
      next: (result) => {
        this.#subscriber.next(result);
      },
      error: (error: unknown) => {
        this.#subscriber.error(error);
      },
      complete: () => {
        this.#isTaken = false;
        this.#go();
      },
    };
  }
}
