import { Observable } from 'rxjs';
import type { EventBus } from '../insight/events.js';
import type { CallSettings } from '../options.js';
import type { Trace } from '../transport/transport.js';
import type { Cluster } from './cluster.js';
import type { RetryClass } from './retry-class.js';
import { RunningCall } from './running-call.js';

/** One call of an API: what is asked, and how its answer is read. */
export interface Call<Q, A, T> {
  /** For messages: what is done, and to what. */
  readonly operation: string;
  readonly retryClass: RetryClass;
  readonly settings: CallSettings;
  /** The one endpoint that is asked, whoever leads. Default: as the retry class says. */
  readonly at?: string | undefined;
  /** What is sent to that endpoint, and has so long for it, ms; throws what speaks against it. */
  readonly request: (endpoint: string, timeout: number) => Q;
  /** Where its credentials come from. What is refused for them is sent once more, with those of then. */
  readonly credentials?: CredentialsSource | undefined;
  /** Done there before each try, within its time; the try fails with it. */
  readonly before$?: ((endpoint: string, timeout: number) => Observable<unknown> | undefined) | undefined;
  /** Reads the answer to that request; throws a Fault for what is no success. */
  readonly read: (answer: A, request: Q) => T;
}

/** Where the credentials of a request come from. */
export interface CredentialsSource {
  /** What is to be waited for before a request is made, wherever it goes; undefined: nothing is. */
  wait$(): Observable<never> | undefined;
}

/** Carries one request to one endpoint, and emits once what is read of its answer; errors with a TransportError. */
interface Carrier<Q, A> {
  read$<T>(request: Q, read: (answer: A) => T, trace: Trace): Observable<T>;
}

/** Who is asked, and over what. */
export interface SendContext<Q, A> {
  readonly cluster: Cluster;
  readonly events: EventBus;
  readonly transport: Carrier<Q, A>;
}

/**
 * Makes a request into a call: it waits at the gate, tries, repeats what its retry class allows to be repeated, and ends by
 * its deadline. Each subscription is one call; unsubscribing cancels it.
 */
export function send$<Q, A, T>(context: SendContext<Q, A>, call: Call<Q, A, T>): Observable<T> {
  return new Observable((subscriber) => {
    const running = new RunningCall(context, call, subscriber);
    running.start();
    return () => {
      running.end();
    };
  });
}
