import { Subscription, throwError, timer, type Observable } from 'rxjs';
import { Fault } from '../cluster/fault.js';
import { triedOnceMore, untried, type Tried } from '../cluster/tried.js';
import { isUnsupportedByServer, TlsError, type Attempt, type Lost } from '../errors.js';
import { TransportError } from '../transport/transport-error.js';
import { UnusableError } from '../transport/unusable.js';
import { backoff } from '../util/backoff.js';
import { defined } from '../util/defined.js';
import type { LegItem } from './leg-item.js';
import { MemberLeft } from './member-left.js';
import type { Position } from './position.js';
import type { WatchContext } from './watch-context.js';
import type { Site, Verdict, WatchProtocol } from './watch-protocol.js';

/**
 * What a watch is doing: `connecting` for the first time, `waiting` for its turn (in a browser, or where headers cannot
 * be read), `catching-up` with what it has missed, `live`, or `lost` its connection and about to try again.
 */
export type WatchStage = 'connecting' | 'waiting' | 'catching-up' | 'live' | 'lost';

/** Which watch it is. */
interface Identity {
  readonly id: number;
  readonly key: string;
  readonly from: number | undefined;
}

/**
 * What one watch keeps from leg to leg: its position, where it stands, and how long to wait after a failure. The back-off
 * starts anew once a leg has delivered an event or stood longer than the delay before it.
 */
export class WatchRun<E, P extends Position> {
  readonly id: number;
  readonly position: P;
  #tried = untried;
  readonly #context: WatchContext;
  readonly #protocol: WatchProtocol<E, P>;
  readonly #key: string;
  readonly #changed: () => void;
  readonly #startedAt = performance.now();
  #endpoint = '';
  #stay = new Subscription();
  #lostBy = '';
  #lostAt: number | undefined;
  #everStood = false;
  #stoodSince: number | undefined;
  #stage: WatchStage = 'connecting';
  #since = Date.now();
  #failures = 0;
  #lastDelay = 0;

  /** @param changed called when its stage has changed */
  constructor(
    context: WatchContext,
    protocol: WatchProtocol<E, P>,
    { id, key, from }: Identity,
    changed: () => void,
  ) {
    this.id = id;
    this.position = protocol.position(from);
    this.#context = context;
    this.#protocol = protocol;
    this.#key = key;
    this.#changed = changed;
  }

  /** How often each endpoint failed this watch since one last stood. */
  get tried(): Tried {
    return this.#tried;
  }

  /** Where it stands in its life, and since when. */
  get stage(): WatchStage {
    return this.#stage;
  }

  get since(): Date {
    return new Date(this.#since);
  }

  /** Where the watch stands, or stood last. */
  get endpoint(): string {
    return this.#endpoint;
  }

  /** Where the next leg runs: the watch goes to that endpoint, or stays there. */
  site(endpoint: string): Site<P> {
    if (endpoint !== this.#endpoint) this.#leave();
    this.#endpoint = endpoint;
    const { position } = this;
    return {
      endpoint,
      position,
      start: position.lost === undefined ? 'position' : 'state',
      stay: this.#stay,
    };
  }

  /** Takes note of what a leg emits, and moves the position by it. */
  saw(item: LegItem<E>): void {
    if (item.type === 'end') return;
    if (item.type !== 'events') {
      this.#stands(item.type, item.endpoint);
      return;
    }
    this.position.moveTo(item);
    if (item.state !== undefined) {
      // A state read afresh is no progress: history could be lost again at once.
      this.#reportResync(item.state);
      // Who waits for the new state to be the watch's own may read it now.
      this.#changed();
    } else if (item.events.length > 0) this.#failures = 0;
  }

  /** After a failed leg: when to make the next. Errors when no retry can mend the failure. */
  recover$(error: unknown): Observable<unknown> {
    const verdict = this.verdict(error);
    if (verdict instanceof Error) return throwError(() => verdict);
    const reason = error instanceof Error ? error.message : String(error);
    if (verdict !== 'again') {
      this.position.lose(verdict.lost);
      this.#lostBy = reason;
    }
    if (error instanceof TransportError) this.#context.cluster.dropped(this.#endpoint, error);
    // What broke the leg may have broken what outlives it, too.
    this.#leave();
    this.#reportLost(reason);
    this.#tried = triedOnceMore(this.#tried, this.#endpoint);
    const stood = this.#stoodSince === undefined ? 0 : performance.now() - this.#stoodSince;
    this.#stoodSince = undefined;
    this.#enters('lost');
    if (stood > this.#lastDelay && verdict === 'again') this.#failures = 0;
    this.#lastDelay = backoff(this.#failures++, this.#context.settings.retry);
    return timer(this.#lastDelay);
  }

  /** The watch is over. */
  ended(error?: unknown): void {
    this.#stay.unsubscribe();
    const why = error instanceof Error ? error.message.split('\n')[0] : undefined;
    this.#context.events.emit(() => ({
      type: 'watch-ended',
      id: this.id,
      key: this.#key,
      durationMs: performance.now() - this.#startedAt,
      error: why,
    }));
  }

  /** What a failure means: another leg, one that starts with the state, or the error to end with. */
  verdict(error: unknown): Verdict {
    const endpoint = this.#endpoint;
    const attempt: Attempt = defined({
      endpoint,
      error: error instanceof Error ? error.message : String(error),
      status: error instanceof Fault ? error.config.status : undefined,
      at: new Date(),
      durationMs: 0,
    });
    const { cluster } = this.#context;
    const { tlsFailure } = cluster.view;
    // TLS that has worked before may work again, as after the renewal of a certificate.
    if (tlsFailure !== undefined && !this.#everStood)
      return new TlsError(`watch ${this.#key}`, tlsFailure, { endpoint, attempts: [attempt] });
    if (error instanceof UnusableError && error.lasting)
      return error.toEtcdError(`watch ${this.#key}`, { endpoint, attempts: [attempt] });
    if (error instanceof TransportError || error instanceof MemberLeft) return 'again';
    const verdict = this.#protocol.verdict(error, attempt);
    // A path that was there before is there again once the gateway, or the member, is back.
    const wasThere = this.#everStood || cluster.knows(endpoint);
    return isUnsupportedByServer(verdict) && wasThere ? 'again' : verdict;
  }

  /** What lasts as long as the watch is at its endpoint ends. */
  #leave(): void {
    this.#stay.unsubscribe();
    this.#stay = new Subscription();
  }

  #stands(stage: 'waiting' | 'catching-up' | 'live', endpoint: string): void {
    if (stage !== 'waiting') {
      this.#tried = untried;
      this.#everStood = true;
      this.#stoodSince ??= performance.now();
    }
    if (!this.#enters(stage)) return;
    const place = { id: this.id, key: this.#key, endpoint, index: this.position.next };
    if (stage !== 'live') {
      this.#context.events.emit(() => ({ type: `watch-${stage}`, ...place }));
      return;
    }
    const durationMs = this.#lostFor;
    this.#lostAt = undefined;
    this.#context.events.emit(() => ({ type: 'watch-live', ...place, durationMs }));
  }

  /** False if it was there already. */
  #enters(stage: WatchStage): boolean {
    if (this.#stage === stage) return false;
    this.#stage = stage;
    this.#since = Date.now();
    this.#changed();
    return true;
  }

  /** How long it has not been live; undefined while it is. */
  get #lostFor(): number | undefined {
    return this.#lostAt === undefined ? undefined : performance.now() - this.#lostAt;
  }

  #reportLost(reason: string): void {
    const durationMs = this.#lostFor;
    this.#lostAt ??= performance.now();
    const { next: index } = this.position;
    const place = { id: this.id, key: this.#key, endpoint: this.#endpoint, index };
    this.#context.events.emit(() => ({ type: 'watch-lost', reason, ...place, durationMs }));
  }

  #reportResync(lost: Lost): void {
    const place = { id: this.id, key: this.#key, endpoint: this.#endpoint };
    this.#context.events.emit(() => ({ type: 'watch-resync', reason: this.#lostBy, ...place, lost }));
  }
}
