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

/** Passes on what is read; what the reader throws is the subscriber's error. */
class Reading<A, T> {
  readonly #subscriber: Subscriber<T>;
  readonly #read: (answer: A) => T;

  constructor(subscriber: Subscriber<T>, read: (answer: A) => T) {
    this.#subscriber = subscriber;
    this.#read = read;
  }

  error(error: unknown): void {
    this.#subscriber.error(error);
  }

  protected pass(answer: A): void {
    let value: T;
    try {
      value = this.#read(answer);
    } catch (error) {
      this.error(error);
      return;
    }
    this.#subscriber.next(value);
  }

  protected end(answer: A): void {
    this.pass(answer);
    this.#subscriber.complete();
  }
}

/** Passes on what is read of the complete answer. */
export class WholeReceiver<T> extends Reading<HttpResponse, T> implements Receiver {
  readonly inParts = false;

  part(): void {
    // Not wanted.
  }

  done(response: HttpResponse): void {
    this.end(response);
  }
}

/** Passes on what is read of each part. */
export class PartReceiver<T> extends Reading<HttpPart, T> implements Receiver {
  readonly inParts = true;

  part(part: HttpPart): void {
    this.pass(part);
  }

  done(): void {
    this.end({ type: 'end' });
  }
}
