import { defined } from '../../util/defined.js';
import { throwError, timer, type Observable } from 'rxjs';
import { backoff } from '../../util/backoff.js';
import { Fault } from '../../cluster/fault.js';
import { triedOnceMore, untried, type Tried } from '../../cluster/tried.js';
import { TlsError, type Attempt, type LostEvents } from '../../errors.js';
import { TransportError } from '../../transport/transport-error.js';
import { UnusableError } from '../../transport/unusable.js';
import { Cursor } from './cursor.js';
import { isHistoryLost, lossOf } from './history-lost.js';
import { MemberLeft } from './member-left.js';
import type { LegItem, LegStart } from './leg-item.js';
import type { LegContext } from './leg-context.js';
import { closeStandby, type Place } from './place.js';
import type { StandbyStreams } from './standby-streams.js';
import type { Target } from './target.js';

/**
 * What a watch is doing: `connecting` for the first time, `waiting` for its turn (in a browser, or where headers cannot
 * be read), `catching-up` with what it has missed, `live`, or `lost` its connection and about to try again.
 */
export type WatchStage = 'connecting' | 'waiting' | 'catching-up' | 'live' | 'lost';

/**
 * What one watch keeps from leg to leg: its cursor, where it stands, and how long to wait after a failure. The
 * back-off starts anew once a leg has delivered an event or stood longer than the delay before it.
 */
export class WatchRun implements Place {
  readonly id: number;
  readonly cursor: Cursor;
  standby: StandbyStreams | undefined;
  #tried = untried;
  readonly #context: LegContext;
  readonly #target: Target;
  readonly #changed: () => void;
  readonly #startedAt = performance.now();
  #endpoint = '';
  #chains = false;
  #lostBy = '';
  #lostAt: number | undefined;
  #everStood = false;
  #stoodSince: number | undefined;
  #stage: WatchStage = 'connecting';
  #since = new Date();
  #failures = 0;
  #lastDelay = 0;

  /** @param changed called when its stage has changed */
  constructor(
    context: LegContext,
    id: number,
    target: Target,
    fromIndex: number | undefined,
    changed: () => void = context.changed,
  ) {
    this.#changed = changed;
    this.id = id;
    this.#context = context;
    this.#target = target;
    this.cursor = new Cursor(fromIndex);
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
    return this.#since;
  }

  /** How the next leg begins. */
  get start(): LegStart {
    return this.cursor.lost === undefined ? 'cursor' : 'resync';
  }

  /** Where the watch stands, or stood last. */
  get endpoint(): string {
    return this.#endpoint;
  }

  /** The next leg goes to this endpoint. */
  goesTo(endpoint: string): void {
    if (endpoint !== this.#endpoint) closeStandby(this);
    this.#endpoint = endpoint;
  }

  /** Whether the leg has ended with the word to chain the next; said once. */
  takesChain(): boolean {
    const chains = this.#chains;
    this.#chains = false;
    return chains;
  }

  /** Takes note of what a leg emits. */
  saw(item: LegItem): void {
    const { id, cursor } = this;
    const { key } = this.#target;
    this.#chains ||= item.type === 'chain';
    if (item.type === 'live' || item.type === 'catching-up' || item.type === 'waiting') {
      if (item.type !== 'waiting') {
        this.#tried = untried;
        this.#everStood = true;
        this.#stoodSince ??= performance.now();
      }
      if (!this.#enters(item.type)) return;
      const { type, endpoint } = item;
      const place = { id, key, endpoint, index: cursor.next };
      if (type !== 'live') {
        this.#context.events.emit(() => ({ type: `watch-${type}`, ...place }));
        return;
      }
      const durationMs = this.#lostFor;
      this.#lostAt = undefined;
      this.#context.events.emit(() => ({ type: 'watch-live', ...place, durationMs }));
    } else if (item.type === 'event') {
      // A state read afresh is no progress: history could be lost again at once.
      if (item.event.action !== 'resync') this.#failures = 0;
      else {
        this.#reportResync(item.event.lost, item.event.info.endpoint);
        // Who waits for the new state to be the watch's own may read it now.
        this.#changed();
      }
    }
  }

  /** After a failed leg: when to make the next. Errors when no retry can mend the failure. */
  recover$(error: unknown): Observable<unknown> {
    const final = this.final(error);
    if (final !== undefined) return throwError(() => final);
    const reason = error instanceof Error ? error.message : String(error);
    const loss = lossOf(error);
    if (loss !== undefined) {
      this.cursor.lost = loss;
      this.#lostBy = reason;
    }
    if (error instanceof TransportError) this.#context.cluster.dropped(this.#endpoint, error);
    this.cursor.doubt();
    // What broke the leg may have broken them, too.
    closeStandby(this);
    this.#report(reason);
    this.#tried = triedOnceMore(this.#tried, this.#endpoint);
    const stood = this.#stoodSince === undefined ? 0 : performance.now() - this.#stoodSince;
    this.#stoodSince = undefined;
    this.#enters('lost');
    if (stood > this.#lastDelay && loss === undefined) this.#failures = 0;
    this.#lastDelay = backoff(this.#failures++, this.#context.settings.retry);
    return timer(this.#lastDelay);
  }

  /** The watch is over. */
  ended(error?: unknown): void {
    closeStandby(this);
    const { id } = this;
    const { key } = this.#target;
    const why = error instanceof Error ? error.message.split('\n')[0] : undefined;
    this.#context.events.emit(() => ({
      type: 'watch-ended',
      id,
      key,
      durationMs: performance.now() - this.#startedAt,
      error: why,
    }));
  }

  /** False if it was there already. */
  #enters(stage: WatchStage): boolean {
    if (this.#stage === stage) return false;
    this.#stage = stage;
    this.#since = new Date();
    this.#changed();
    return true;
  }

  /** How long it has not been live; undefined while it is. */
  get #lostFor(): number | undefined {
    return this.#lostAt === undefined ? undefined : performance.now() - this.#lostAt;
  }

  #report(reason: string): void {
    const { id, cursor } = this;
    const { key } = this.#target;
    const index = cursor.next;
    const durationMs = this.#lostFor;
    this.#lostAt ??= performance.now();
    this.#context.events.emit(() => ({
      type: 'watch-lost',
      id,
      key,
      endpoint: this.#endpoint,
      reason,
      durationMs,
      index,
    }));
  }

  #reportResync(lost: LostEvents, endpoint: string): void {
    const { id } = this;
    const { key } = this.#target;
    this.#context.events.emit(() => ({
      type: 'watch-resync',
      id,
      key,
      endpoint,
      reason: this.#lostBy,
      lost,
    }));
  }

  /** The error to end with, or undefined if another try can help. */
  final(error: unknown): Error | undefined {
    const endpoint = this.#endpoint;
    const attempt: Attempt = defined({
      endpoint,
      error: error instanceof Error ? error.message : String(error),
      status: error instanceof Fault ? error.config.status : undefined,
      at: new Date(),
      durationMs: 0,
    });
    const { tlsFailure } = this.#context.cluster.view;
    // TLS that has worked before may work again, as after the renewal of a certificate.
    if (tlsFailure !== undefined && !this.#everStood)
      return new TlsError(`watch ${this.#target.key}`, tlsFailure, { endpoint, attempts: [attempt] });
    if (error instanceof UnusableError && error.lasting)
      return error.toEtcdError(`watch ${this.#target.key}`, { endpoint, attempts: [attempt] });
    if (error instanceof TransportError || error instanceof MemberLeft || isHistoryLost(error))
      return undefined;
    if (!(error instanceof Fault)) return error instanceof Error ? error : new Error(String(error));
    if (error.config.executed !== undefined) return undefined;
    const final = error.config.toError({ endpoint, attempts: [attempt] });
    // Not etcd's word, but that of something in between, which may be mended.
    if (final.code === 'UNEXPECTED_RESPONSE') return undefined;
    // A path that was there before is there again once the gateway, or the member, is back.
    const wasThere = this.#everStood || this.#context.cluster.knows(endpoint);
    return final.code === 'UNSUPPORTED_BY_SERVER' && wasThere ? undefined : final;
  }
}
