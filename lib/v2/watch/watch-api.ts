import {
  concat,
  concatMap,
  defer,
  EMPTY,
  finalize,
  identity,
  map,
  of,
  race,
  take,
  takeUntil,
  takeWhile,
  throwError,
  timeout,
  type MonoTypeOperatorFunction,
  type Observable,
} from 'rxjs';
import { check, checkOptions, type Check } from '../../check.js';
import {
  ClientClosedError,
  InvalidOptionError,
  RequestTimeoutError,
  WatchHistoryLostError,
} from '../../errors.js';
import type { V2Context } from '../context.js';
import { normaliseKey } from '../key-path.js';
import type { WatchEvent } from '../model.js';
import { demandKey } from '../request-size.js';
import type { LegContext } from './leg.js';
import { Pace } from './pace.js';
import { pulse$ } from './pulse.js';
import { watchSource$ } from './watch-source.js';

/** Options of {@link EtcdClient.watch$}. */
export interface WatchOptions {
  /** Also follows everything below the key. Default true. */
  recursive?: boolean | undefined;
  /** Emits the state first, as an event with the action `sync`. Default false. */
  initial?: boolean | undefined;
  /**
   * Starts with the first event at or after this index. An index that not even a quorum has reached is one of another
   * cluster: the watch then starts with a `resync`. Default: with what happens from now on.
   */
  fromIndex?: number | undefined;
  /**
   * When the server no longer holds events that the watch has not seen: `'resync'` emits the state with the range that
   * was lost and goes on, `'error'` ends in WatchHistoryLostError. Default `'resync'`.
   */
  onHistoryLost?: 'resync' | 'error' | undefined;
  /** Asked after each emitted event; the one it accepts is the last. Default: none is. */
  until?: ((event: WatchEvent) => boolean) | undefined;
}

/** Options of {@link EtcdClient.watchOnce$}. */
export interface WatchOnceOptions {
  /** Also waits for changes below the key. Default true. */
  recursive?: boolean | undefined;
  /** The first index of interest. Default: now. */
  fromIndex?: number | undefined;
  /** How long to wait for an event, in milliseconds. Default: for ever. */
  timeout?: number | undefined;
}

const baseChecks: Record<string, Check> = { recursive: check.boolean, fromIndex: check.index };
const watchChecks: Record<string, Check> = {
  ...baseChecks,
  initial: check.boolean,
  onHistoryLost: check.oneOf('resync', 'error'),
  until: check.fn,
};
const onceChecks: Record<string, Check> = { ...baseChecks, timeout: check.milliseconds };

/** Re-arms of idle watches, per second and client. */
const rearmsPerSecond = 100;

/** Watches (etcd: Documentation/v2/api.md, "Waiting for a change"). */
export class WatchApi {
  readonly #context: LegContext;
  /** The keys of the open watches: there the client has rights. */
  readonly #keys: string[] = [];
  #lastId = 0;

  constructor(context: V2Context) {
    this.#context = {
      ...context,
      pulse$: pulse$(context, () => this.#keys.at(-1) ?? '/'),
      pace: new Pace(rearmsPerSecond),
      nextId: () => (this.#lastId += 1),
    };
  }

  watch$(key: string, options: WatchOptions = {}): Observable<WatchEvent> {
    const { cluster } = this.#context;
    return defer(() => {
      const normalised = normaliseKey(key);
      checkOptions('', options, watchChecks);
      const { recursive = true, initial = false, fromIndex, onHistoryLost = 'resync', until } = options;
      if (initial && fromIndex !== undefined) {
        throw new InvalidOptionError(
          'fromIndex',
          fromIndex,
          'no index beside initial: true, which starts with the state',
        );
      }
      demandKey(this.#context.settings, normalised);
      if (cluster.closed) return throwError(() => new ClientClosedError(`watch ${normalised}`));
      this.#keys.push(normalised);
      return watchSource$(this.#context, { key: normalised, recursive }, { initial, fromIndex }).pipe(
        onHistoryLost === 'error' ? refuseLoss(normalised) : identity,
        until === undefined ? identity : endAfter(until),
        cluster.active(),
        finalize(() => {
          this.#keys.splice(this.#keys.indexOf(normalised), 1);
        }),
        takeUntil(cluster.closing$),
      );
    });
  }

  watchOnce$(key: string, options: WatchOnceOptions = {}): Observable<WatchEvent> {
    return defer(() => {
      checkOptions('', options, onceChecks);
      const { timeout: limit, ...rest } = options;
      const next$ = race(this.#context.cluster.closed$, this.watch$(key, rest).pipe(take(1)));
      if (limit === undefined) return next$;
      return next$.pipe(
        timeout({
          first: limit,
          with: () => throwError(() => new RequestTimeoutError(`watch ${key}`, limit)),
        }),
      );
    });
  }
}

/** Asks after each event has been emitted; the one that is accepted is the last. */
function endAfter(accepts: (event: WatchEvent) => boolean): MonoTypeOperatorFunction<WatchEvent> {
  const end = Symbol('end');
  return (events$) =>
    events$.pipe(
      concatMap((event) =>
        concat(
          of(event),
          defer(() => (accepts(event) ? of(end) : EMPTY)),
        ),
      ),
      takeWhile((item) => item !== end),
    );
}

/** Turns the word that events are lost into an error. */
function refuseLoss(key: string): MonoTypeOperatorFunction<WatchEvent> {
  return map((event) => {
    if (event.action === 'resync')
      throw new WatchHistoryLostError(key, event.lost, { endpoint: event.info.endpoint });
    return event;
  });
}
