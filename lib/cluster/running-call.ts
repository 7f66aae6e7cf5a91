import {
  concat,
  ignoreElements,
  take,
  type Observable,
  type Observer,
  type Subscriber,
  type Subscription,
} from 'rxjs';
import type { ClientClosedError } from '../errors.js';
import { limitPassed } from '../transport/late.js';
import { DeadlinePassed, TransportError } from '../transport/transport-error.js';
import { wasSent, type Trace, type Underway } from '../transport/transport.js';
import type { Limited } from '../util/limits.js';
import type { Link } from '../util/linked-list.js';
import type { Ending } from './activity.js';
import { CallRecord } from './call-record.js';
import { pauseAfter, type Pause } from './failover.js';
import { Fault, type FaultConfig } from './fault.js';
import type { Flight } from './in-flight.js';
import { anyMember } from './retry-class.js';
import type { Call, SendContext } from './send.js';

/** How many redirects one try follows. */
const maxHops = 4;

/**
 * A call from its subscription to its end: one object that is whatever others want of a call, not a chain of operators,
 * as every call makes one.
 *
 * A try goes to one endpoint, and to those that it is redirected to: to known members only, and not for ever. Old members
 * redirect to their leader; to themselves, while there is none. A read leaves a member that stops answering; a write cannot,
 * once it was sent.
 */
export class RunningCall<Q, A, T> implements Ending, Limited, Flight, Trace, Observer<T> {
  endpoint = '';
  since = 0;
  isSlow = false;
  exchange: Underway | undefined;
  readonly #context: SendContext<Q, A>;
  readonly #call: Call<Q, A, T>;
  readonly #subscriber: Subscriber<T>;
  readonly #record: CallRecord;
  #attendance: Link<Ending> | undefined;
  #deadline: Link<Limited> | undefined;
  #flight: Link<Flight> | undefined;
  /** The request under way, or what is waited for. */
  #step: Subscription | undefined;
  #steps = 0;
  /** Looks whether a slow member still answers. */
  #check: Subscription | undefined;
  #hops = 0;
  #retries = 0;
  /** It was sent once more with newer credentials. */
  #isRenewed = false;
  /** What comes after a failure; most calls never ask. */
  #pause$: Pause | undefined;

  constructor(context: SendContext<Q, A>, call: Call<Q, A, T>, subscriber: Subscriber<T>) {
    this.#context = context;
    this.#call = call;
    this.#subscriber = subscriber;
    this.#record = new CallRecord(context.cluster, context.events, call, this);
  }

  /** When it is over (`performance.now()`). */
  get due(): number {
    return this.#record.due;
  }

  get limitAt(): number {
    return this.#record.due;
  }

  get dueSince(): number | undefined {
    return this.exchange === undefined ? this.since : this.exchange.since;
  }

  start(): void {
    const { cluster } = this.#context;
    // First the closed client's word, so that it sends nothing.
    this.#attendance = cluster.attend(this);
    if (this.#subscriber.closed) return;
    this.#deadline = cluster.deadlines.add(this, this.#call.settings.deadline);
    this.#route();
  }

  end(): void {
    this.#attendance?.leave();
    this.#deadline?.leave();
    this.#leaveStep();
  }

  /** The client was closed. */
  closed(error: ClientClosedError): void {
    this.#fail(error);
  }

  /** The deadline. */
  passed(): void {
    limitPassed(this.limitAt, () => {
      if (!this.#subscriber.closed) this.#fail(new DeadlinePassed());
    });
  }

  next(value: T): void {
    this.#record.succeeded();
    // Answered: whoever is told may close the client.
    this.#attendance?.leave();
    this.#subscriber.next(value);
  }

  complete(): void {
    this.#subscriber.complete();
  }

  /** The try has failed. */
  error(error: unknown): void {
    if (this.#subscriber.closed) return;
    // First, lest its own failure make its member suspect to it.
    this.#leaveStep();
    this.#record.failed(error);
    const config: Partial<FaultConfig> = error instanceof Fault ? error.config : {};
    const { redirect, credentialsRefused, fromLearner = false } = config;
    const target = redirect?.to;
    if (target !== undefined && this.#hops > 0 && this.#context.cluster.redirected(this.endpoint, target)) {
      this.#hops -= 1;
      this.#try(target);
    } else if (credentialsRefused === true && this.#call.credentials !== undefined && !this.#isRenewed) {
      this.#isRenewed = true;
      this.#record.repeats(this.#retries);
      this.#route();
    } else if (fromLearner && this.#mayGoOn) {
      this.#record.repeats(this.#retries);
      this.#retries += 1;
      this.#route();
    } else this.#retry(error);
  }

  /** It may go to another member at once: this one refused it for the first time. */
  get #mayGoOn(): boolean {
    const { at, settings } = this.#call;
    return (
      at === undefined && this.#retries < settings.retry.max && this.#record.tried.get(this.endpoint) === 1
    );
  }

  suspected(): void {
    if (this.#subscriber.closed) return;
    const { at, retryClass } = this.#call;
    const isRead = anyMember(retryClass) || retryClass === 'quorum-read';
    const sent = wasSent(this);
    // A write that still waits for a connection may wait for another member's.
    if (at === undefined && (isRead || !sent))
      this.error(new TransportError('reset', 'its member stopped answering', sent));
  }

  slow(): void {
    this.#check = this.#context.cluster.check$(this.endpoint).subscribe();
  }

  /** A try where one may be made now, or once there is a leader. */
  #route(): void {
    const { at, retryClass } = this.#call;
    const { cluster } = this.#context;
    const endpoint =
      at ??
      (retryClass === 'read'
        ? cluster.readEndpoint(this.#record.tried)
        : retryClass === 'leader-read'
          ? cluster.leaderOrAny(this.#record.tried)
          : cluster.servingEndpoint(this.#record.tried));
    // What is asked of one member alone no other can answer.
    this.#hops = at === undefined ? maxHops : 0;
    if (endpoint === undefined) this.#await();
    else this.#try(endpoint);
  }

  #try(endpoint: string): void {
    const { cluster, transport } = this.#context;
    const { request, credentials, before$, read, settings } = this.#call;
    const wait$ = credentials?.wait$();
    if (wait$ !== undefined) {
      this.#wait(wait$);
      return;
    }
    this.exchange = undefined;
    this.endpoint = endpoint;
    this.isSlow = false;
    this.since = this.#record.begin(endpoint);
    // Whoever was told of the try may have left: nobody would end it.
    if (this.#subscriber.closed) return;
    this.#flight = cluster.inFlight.begin(this);
    try {
      const { timeout } = settings;
      const sent = request(endpoint, timeout);
      const sent$ = transport.read$(sent, (answer) => read(answer, sent), this);
      const first$ = before$?.(endpoint, timeout);
      this.#take(first$ === undefined ? sent$ : concat(first$.pipe(ignoreElements()), sent$), this);
    } catch (error) {
      this.error(error);
    }
  }

  /** By then another member may be the one to ask. */
  #wait(wait$: Observable<never>): void {
    this.#take(wait$, {
      complete: () => {
        this.#route();
      },
      error: (error: unknown) => {
        this.#fail(error);
      },
    });
  }

  #retry(error: unknown): void {
    const { cluster } = this.#context;
    const { at, retryClass, settings } = this.#call;
    this.#pause$ ??= pauseAfter({
      decide: (failure, retries) => this.#record.decide(failure, retries),
      leader$: cluster.leaderEndpoint$(),
      members: () =>
        anyMember(retryClass) && at === undefined ? Math.max(1, cluster.view.candidates.length) : 1,
      ...settings.retry,
    });
    this.#retries += 1;
    this.#take(this.#pause$(error, this.#retries).pipe(take(1)), {
      next: () => {
        this.#route();
      },
      error: (failure: unknown) => {
        this.#fail(failure);
      },
    });
  }

  /** The gate. */
  #await(): void {
    this.#take(this.#context.cluster.leaderEndpoint$(), {
      next: (leader) => {
        this.#try(leader);
      },
      error: (error: unknown) => {
        this.#retry(error);
      },
    });
  }

  /** Goes one step; what is heard of it may begin the next one at once, or end the call. */
  #take<V>(step$: Observable<V>, observer: Partial<Observer<V>>): void {
    const number = (this.#steps += 1);
    const step = step$.subscribe(observer);
    if (this.#steps === number && !this.#subscriber.closed) this.#step = step;
    else step.unsubscribe();
  }

  #leaveStep(): void {
    this.#flight?.leave();
    this.#check?.unsubscribe();
    this.#step?.unsubscribe();
    this.#flight = this.#check = this.#step = undefined;
  }

  #fail(error: unknown): void {
    this.#subscriber.error(this.#record.explain(error));
  }
}
