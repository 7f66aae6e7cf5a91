import { defer, Observable, type Observer, type OperatorFunction, type Subscriber } from 'rxjs';

/**
 * `switchMap` for a source of one value, for chains of which there may be thousands: once it has come nothing is kept but what
 * it leads to.
 */
export const goOn =
  <T, R>(project$: (value: T) => Observable<R>): OperatorFunction<T, R> =>
  (source$) =>
    new Observable((subscriber) => source$.subscribe(new First(project$, subscriber)));

class First<T, R> implements Observer<T> {
  readonly #project$: (value: T) => Observable<R>;
  readonly #subscriber: Subscriber<R>;
  #hasCome = false;

  constructor(project$: (value: T) => Observable<R>, subscriber: Subscriber<R>) {
    this.#project$ = project$;
    this.#subscriber = subscriber;
  }

  next(value: T): void {
    if (this.#hasCome) return;
    this.#hasCome = true;
    defer(() => this.#project$(value)).subscribe(this.#subscriber);
  }

  error(error: unknown): void {
    if (!this.#hasCome) this.#subscriber.error(error);
  }

  complete(): void {
    if (!this.#hasCome) this.#subscriber.complete();
  }
}
