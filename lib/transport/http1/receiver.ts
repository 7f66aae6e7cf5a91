import type { Subscriber } from 'rxjs';
import type { HttpPart, HttpResponse } from '../http.js';
import type { TransportError } from '../transport-error.js';

/** Who wants the answer of an exchange; one object, as every request and every open watch has one. */
export interface Receiver {
  /** The answer is wanted as it comes. */
  readonly inParts: boolean;
  part(part: HttpPart): void;
  done(response: HttpResponse): void;
  error(error: TransportError): void;
}

/** Passes on what is read of the complete answer. */
export class WholeReceiver<T> implements Receiver {
  readonly inParts = false;
  readonly #subscriber: Subscriber<T>;
  readonly #read: (response: HttpResponse) => T;

  constructor(subscriber: Subscriber<T>, read: (response: HttpResponse) => T) {
    this.#subscriber = subscriber;
    this.#read = read;
  }

  part(): void {
    // Not wanted.
  }

  done(response: HttpResponse): void {
    pass(this.#subscriber, this.#read, response);
    this.#subscriber.complete();
  }

  error(error: TransportError): void {
    this.#subscriber.error(error);
  }
}

/** Passes on what is read of each part. */
export class PartReceiver<T> implements Receiver {
  readonly inParts = true;
  readonly #subscriber: Subscriber<T>;
  readonly #read: (part: HttpPart) => T;

  constructor(subscriber: Subscriber<T>, read: (part: HttpPart) => T) {
    this.#subscriber = subscriber;
    this.#read = read;
  }

  part(part: HttpPart): void {
    pass(this.#subscriber, this.#read, part);
  }

  done(): void {
    this.part({ type: 'end' });
    this.#subscriber.complete();
  }

  error(error: TransportError): void {
    this.#subscriber.error(error);
  }
}

/** What the reader throws is the subscriber's error. */
function pass<A, T>(subscriber: Subscriber<T>, read: (answer: A) => T, answer: A): void {
  let value: T;
  try {
    value = read(answer);
  } catch (error) {
    subscriber.error(error);
    return;
  }
  subscriber.next(value);
}
