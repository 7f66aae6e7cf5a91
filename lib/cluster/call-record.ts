import {
  AllNodesDownError,
  ClientClosedError,
  EtcdError,
  OutcomeUnknownError,
  RequestTimeoutError,
  TlsError,
  type Attempt,
} from '../errors.js';
import type { EventBus } from '../insight/events.js';
import type { CallSettings } from '../options.js';
import { wasSent, type Trace } from '../transport/transport.js';
import { DeadlinePassed, TransportError } from '../transport/transport-error.js';
import { UnusableError } from '../transport/unusable.js';
import type { Cluster } from './cluster.js';
import type { FailoverStep } from './failover.js';
import { Fault } from './fault.js';
import { defined } from '../util/defined.js';
import { instant } from '../util/instant.js';
import { anyMember, type RetryClass } from './retry-class.js';
import { triedOnceMore, untried, type Tried } from './tried.js';

/** How many tries are kept for the error. */
const maxAttempts = 40;

/** What a call is judged by. */
interface Judged {
  readonly operation: string;
  readonly retryClass: RetryClass;
  readonly settings: CallSettings;
  readonly at?: string | undefined;
}

/**
 * What one call has been through: its tries, and with them the two judgements that matter, whether to try again and
 * what to tell the caller in the end.
 */
export class CallRecord {
  /** When the call is over (`performance.now()`). */
  readonly due: number;
  readonly #cluster: Cluster;
  readonly #events: EventBus;
  readonly #call: Judged;
  readonly #trace: Trace;
  readonly #attempts: Attempt[] = [];
  #tried = untried;
  /** Where the try under way goes. */
  #endpoint: string | undefined;
  /** When it was sent. */
  #sentAt = 0;
  /** Some try was sent and never answered. */
  #outcomeUnknown = false;
  /** What the last try was answered with, if that was no success. */
  #lastFault: Fault | undefined;

  /** @param trace of the try under way */
  constructor(cluster: Cluster, events: EventBus, call: Judged, trace: Trace) {
    this.#trace = trace;
    this.#cluster = cluster;
    this.#events = events;
    this.#call = call;
    this.due = performance.now() + call.settings.deadline;
  }

  /** How often each endpoint was tried in vain. */
  get tried(): Tried {
    return this.#tried;
  }

  /** A try begins; returns when: later than the failure that it may answer, also within the same millisecond. */
  begin(endpoint: string): number {
    const { operation } = this.#call;
    const previous = this.#attempts.at(-1)?.endpoint;
    if (previous !== undefined && previous !== endpoint) {
      this.#events.emit(() => ({ type: 'failover', operation, from: previous, to: endpoint }));
    }
    this.#endpoint = endpoint;
    this.#sentAt = instant();
    this.#lastFault = undefined;
    return this.#sentAt;
  }

  /** The try was answered, and well. */
  succeeded(): void {
    const endpoint = this.#endpoint;
    if (endpoint === undefined) return;
    this.#cluster.answered(endpoint, this.#sentAt);
    if (anyMember(this.#call.retryClass) || !this.#cluster.view.leaderKnown) this.#cluster.served(endpoint);
    this.#endpoint = undefined;
  }

  /** The try failed. */
  failed(error: unknown): void {
    const endpoint = this.#endpoint;
    if (endpoint === undefined) return;
    this.#tried = triedOnceMore(this.#tried, endpoint);
    if (error instanceof Fault) {
      const { executed, leaderless = false, isStrange = false, fromLearner = false } = error.config;
      if (!isStrange) this.#cluster.answered(endpoint, this.#sentAt);
      if (fromLearner) this.#cluster.refusedAsLearner(endpoint);
      this.#outcomeUnknown ||= executed === 'unknown';
      this.#lastFault = error;
      if (leaderless || isStrange) this.#cluster.doubt();
      this.#note(endpoint, error.message, error.config);
    } else if (error instanceof TransportError) {
      this.#cluster.blame(endpoint, error);
      const isUnusable = error instanceof UnusableError;
      this.#outcomeUnknown ||= isUnusable ? error.perhapsExecuted : error.sent;
      this.#note(endpoint, error.message, isUnusable ? { status: error.status } : {});
    }
    this.#endpoint = undefined;
  }

  /** What to do after a failed try; `retries` counts those already made. */
  decide(error: unknown, retries: number): FailoverStep {
    const step = this.#step(error);
    if (step !== 'fail') this.repeats(retries);
    return step;
  }

  /** It is tried again after a failed try. */
  repeats(retries: number): void {
    const { operation } = this.#call;
    const { endpoint = '', error: reason = '' } = this.#attempts.at(-1) ?? {};
    this.#events.emit(() => ({ type: 'retry', operation, endpoint, reason, attempt: retries + 1 }));
  }

  /** The error that the caller gets. */
  explain(error: unknown): unknown {
    const { operation, settings } = this.#call;
    if (error instanceof DeadlinePassed && this.#endpoint !== undefined) {
      this.#note(this.#endpoint, `no answer before the deadline of ${settings.deadline} ms`);
      this.#outcomeUnknown ||= wasSent(this.#trace);
    }
    const attempts = this.#attempts;
    const endpoint = attempts.at(-1)?.endpoint ?? '';
    if (error instanceof ClientClosedError) return new ClientClosedError(operation, { attempts });
    if (error instanceof EtcdError) return error;
    if (error instanceof Fault && error.config.executed === undefined) {
      return error.config.toError({ endpoint, attempts });
    }
    if (this.#isWrite && this.#outcomeUnknown) {
      const why = error instanceof UnusableError ? error.outcome : (attempts.at(-1)?.error ?? 'no answer');
      return new OutcomeUnknownError(operation, why, { attempts });
    }
    if (error instanceof UnusableError) return error.toEtcdError(operation, { attempts: this.#tries });
    if (error instanceof TransportError && error.kind === 'tls')
      return new TlsError(operation, error.message, { attempts: this.#tries });
    if (error instanceof DeadlinePassed) return this.#tooLate(endpoint);
    if (error instanceof TransportError) {
      if (error.kind === 'other')
        return new EtcdError('UNEXPECTED_RESPONSE', `${operation}: ${error.message}`, { attempts });
      return error.kind === 'timeout'
        ? new RequestTimeoutError(operation, error.timeoutMs ?? settings.timeout, { attempts })
        : this.#usedUp(error);
    }
    if (error instanceof Fault) {
      return error.config.leaderless
        ? (this.#astray ?? this.#allDown('no-quorum'))
        : error.config.toError({ endpoint, attempts });
    }
    return error;
  }

  get #isWrite(): boolean {
    return this.#call.retryClass === 'once' || this.#call.retryClass === 'idempotent';
  }

  #step(error: unknown): FailoverStep {
    const { retryClass, settings, at } = this.#call;
    const fault = error instanceof Fault ? error.config : undefined;
    if (fault !== undefined && fault.executed === undefined) return 'fail';
    if (fault === undefined && !(error instanceof TransportError)) return 'fail';
    if (fault?.fromLearner === true && at !== undefined) return 'fail';
    if (error instanceof TransportError && error.kind === 'tls') {
      const someUntried = this.#cluster.view.candidates.some((url) => !this.tried.has(url));
      return anyMember(retryClass) && someUntried
        ? 'next'
        : this.#isWrite || retryClass === 'quorum-read'
          ? 'leader'
          : 'fail';
    }
    // Not the network: the user's own interceptor or adapter threw, or what came cannot be used.
    if (error instanceof TransportError && (error.kind === 'other' || error.kind === 'unusable'))
      return 'fail';
    if (anyMember(retryClass)) return 'next';
    const isUnsent = fault === undefined ? !(error as TransportError).sent : fault.executed === 'no';
    if (
      this.#isWrite &&
      !isUnsent &&
      !(retryClass === 'idempotent' && settings.retry.writes === 'idempotent')
    )
      return 'fail';
    // After an answer the leader stands as it was: waiting for one to be named would be no wait.
    return fault === undefined ? 'leader' : 'next';
  }

  /** The deadline passed and nothing was executed. */
  #tooLate(endpoint: string): EtcdError {
    const { operation, settings, retryClass } = this.#call;
    const { live, leaderEndpoint, hasQuorum } = this.#cluster.view;
    const noLeader = !anyMember(retryClass) && (leaderEndpoint === undefined || hasQuorum === false);
    const redirected = this.#lastFault?.config.redirect !== undefined;
    const astray = this.#astray;
    if (astray !== undefined) return astray;
    if (this.#lastFault?.config.fromLearner === true)
      return this.#lastFault.config.toError({ endpoint, attempts: this.#attempts });
    if (live.length === 0 || noLeader || redirected) return this.#allDown();
    if (this.#lastFault !== undefined)
      return this.#lastFault.config.toError({ endpoint, attempts: this.#attempts });
    return new RequestTimeoutError(operation, settings.deadline, { attempts: this.#attempts });
  }

  /** No more retries, and nothing was executed. */
  #usedUp({ kind, message }: TransportError): EtcdError {
    const { live } = this.#cluster.view;
    // Who asks one member alone learns one thing: that it cannot be reached.
    if (kind === 'connect' || kind === 'withheld' || live.length === 0 || this.#call.at !== undefined)
      return this.#allDown('unreachable');
    const attempts = this.#attempts;
    return new EtcdError('UNEXPECTED_RESPONSE', `${this.#call.operation}: the connection broke: ${message}`, {
      attempts,
    });
  }

  #allDown(
    reason: 'no-quorum' | 'unreachable' = this.#cluster.view.live.length === 0 ? 'unreachable' : 'no-quorum',
  ): EtcdError {
    return new AllNodesDownError(this.#call.operation, reason, { attempts: this.#tries });
  }

  /**
   * The last answer points to a member that is known and not to be asked: not discovered, or at a URL that did not prove to be
   * its own.
   */
  get #astray(): EtcdError | undefined {
    const redirect = this.#lastFault?.config.redirect?.to;
    if (redirect === undefined) return undefined;
    const { candidates, members } = this.#cluster.view;
    if (candidates.includes(redirect)) return undefined;
    if (!members.some(({ clientURLs }) => clientURLs.includes(redirect))) return undefined;
    const hint = `redirected to ${redirect}, a member that is not among the endpoints`;
    return new AllNodesDownError(this.#call.operation, 'unreachable', { attempts: this.#tries, hint });
  }

  /** A call that never left the gate has no tries of its own; the probes tell why. */
  get #tries(): readonly Attempt[] {
    return this.#attempts.length === 0 ? this.#cluster.probeFailures : this.#attempts;
  }

  #note(
    endpoint: string,
    error: string,
    answer: { status?: number | undefined; body?: string | undefined } = {},
  ): void {
    const durationMs = performance.now() - this.#sentAt;
    if (this.#attempts.length >= maxAttempts) this.#attempts.splice(maxAttempts / 2, 1);
    this.#attempts.push(
      defined({
        endpoint,
        error,
        status: answer.status,
        body: answer.body?.slice(0, 500),
        at: new Date(Date.now() - durationMs),
        durationMs,
      }),
    );
  }
}
