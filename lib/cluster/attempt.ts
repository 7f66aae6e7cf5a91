import { Observable, type Observer, type Subscriber } from 'rxjs';
import { TransportError } from '../transport/transport-error.js';
import type { Trace } from '../transport/transport.js';
import type { CallRecord } from './call-record.js';
import type { Cluster } from './cluster.js';
import { Fault } from './fault.js';
import type { Flight } from './in-flight.js';
import { anyMember, type RetryClass } from './retry-class.js';

/** How the tries of a call are made. */
export interface Attempting<T> {
  readonly retryClass: RetryClass;
  /** The one endpoint that is asked, whoever leads. */
  readonly at: string | undefined;
  /** Makes one try; emits once, or errors with a TransportError or a Fault. */
  readonly send: (endpoint: string, timeout: number, trace: Trace) => Observable<T>;
}

/** How many redirects one try follows. */
const maxHops = 4;

/**
 * One try at one endpoint, and those that it is redirected to: with method and body, to known members only, and not for
 * ever. Old members redirect to their leader; to themselves, while there is none. A read leaves a member that stops
 * answering; a write cannot, once it was sent.
 */
export function attempt$<T>(
  cluster: Cluster,
  record: CallRecord,
  attempting: Attempting<T>,
  endpoint: string,
): Observable<T> {
  return new Observable((subscriber) => {
    const running = new RunningTry(cluster, record, attempting, subscriber);
    running.begin(endpoint);
    return () => {
      running.end();
    };
  });
}

/** One object for each try, not a chain of operators: every call makes one. */
class RunningTry<T> implements Flight, Observer<T> {
  endpoint = '';
  since = 0;
  isSlow = false;
  readonly #cluster: Cluster;
  readonly #record: CallRecord;
  readonly #attempting: Attempting<T>;
  readonly #subscriber: Subscriber<T>;
  #hops: number;
  #trace: Trace = { sent: () => false };
  #land = (): void => undefined;

  constructor(cluster: Cluster, record: CallRecord, attempting: Attempting<T>, subscriber: Subscriber<T>) {
    this.#cluster = cluster;
    this.#record = record;
    this.#attempting = attempting;
    this.#subscriber = subscriber;
    // What is asked of one member alone no other can answer.
    this.#hops = attempting.at === undefined ? maxHops : 0;
  }

  get dueSince(): number | undefined {
    const { exchange } = this.#trace;
    return exchange === undefined ? this.since : exchange.since;
  }

  begin(endpoint: string): void {
    const { trace, timeout, sentAt } = this.#record.begin(endpoint);
    this.#trace = trace;
    // Whoever was told of the redirect may have left: nobody would end this try.
    if (this.#subscriber.closed) return;
    this.endpoint = endpoint;
    this.since = sentAt;
    this.isSlow = false;
    this.#land = this.#cluster.inFlight.begin(this);
    try {
      this.#subscriber.add(this.#attempting.send(endpoint, timeout, trace).subscribe(this));
    } catch (error) {
      this.error(error);
    }
  }

  end(): void {
    this.#land();
  }

  next(value: T): void {
    this.#record.succeeded();
    this.#subscriber.next(value);
  }

  error(error: unknown): void {
    // First, lest its own failure make its member suspect to it.
    this.end();
    this.#record.failed(error);
    const target = error instanceof Fault ? error.config.redirect?.to : undefined;
    if (target !== undefined && this.#hops > 0 && this.#cluster.redirected(this.endpoint, target)) {
      this.#hops -= 1;
      this.begin(target);
    } else this.#subscriber.error(error);
  }

  complete(): void {
    this.#subscriber.complete();
  }

  suspected(): void {
    if (this.#subscriber.closed) return;
    const { at, retryClass } = this.#attempting;
    const isRead = anyMember(retryClass) || retryClass === 'quorum-read';
    const sent = this.#trace.sent();
    // A write that still waits for a connection may wait for another member's.
    if (at === undefined && (isRead || !sent))
      this.error(new TransportError('reset', 'its member stopped answering', sent));
  }

  slow(): void {
    this.#subscriber.add(this.#cluster.check$(this.endpoint).subscribe());
  }
}
