import { defer, identity, map, takeUntil, type MonoTypeOperatorFunction, type Observable } from 'rxjs';
import { check, checkOptions, type Check } from '../../check.js';
import { ClientClosedError, InvalidOptionError, WatchHistoryLostError } from '../../errors.js';
import { ConnectionSlots, scarceLegs } from '../../watch/connection-slots.js';
import { endAfter } from '../../watch/end-after.js';
import { firstEvent } from '../../watch/first-event.js';
import { Watches } from '../../watch/watches.js';
import type { V2Context } from '../context.js';
import { normaliseKey } from '../wire/key-path.js';
import type { WatchEvent } from '../model/model.js';
import { demandKey } from '../wire/request-size.js';
import type { Cursor } from './cursor.js';
import { HeaderSupport } from './header-support.js';
import type { LegContext } from './leg-context.js';
import type { OpenWatch } from './open-watch.js';
import { Pace } from './pace.js';
import { storeIndex$ } from './store-index.js';
import type { Target } from './target.js';
import { V2Watch } from './v2-watch.js';

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
   * When events that the watch has not seen can no longer be had, be it that the server's history has moved on, that the
   * cluster was rebuilt or that it is another one: `'resync'` emits the state with what is lost and goes on, `'error'`
   * ends in WatchHistoryLostError. Default `'resync'`.
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
  readonly #watches = new Watches<WatchEvent, Cursor, Target>((target) => new V2Watch(this.#context, target));

  constructor(context: V2Context) {
    this.#context = {
      ...context,
      storeIndex$: storeIndex$(context, () => this.#watches.latestKey),
      pace: new Pace(rearmsPerSecond),
      headers: new HeaderSupport(context.transport.abilities, (endpoint) =>
        context.cluster.version(endpoint),
      ),
      slots: new ConnectionSlots(scarceLegs, context.transport.tabs),
    };
    context.cluster.whenGone((url) => {
      this.#context.headers.forget(url);
    });
  }

  /** The open watches, now and whenever one of them changes. */
  get watches$(): Observable<readonly OpenWatch[]> {
    return this.#watches.list$.pipe(takeUntil(this.#context.cluster.closing$));
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
      if (cluster.closed) throw new ClientClosedError(`watch ${normalised}`);
      return this.#watches
        .follow$(this.#context, { key: normalised, recursive }, { from: fromIndex, initial })
        .pipe(
          onHistoryLost === 'error' ? refuseLoss(normalised) : identity,
          until === undefined ? identity : endAfter(until),
        );
    });
  }

  watchOnce$(key: string, options: WatchOnceOptions = {}): Observable<WatchEvent> {
    return defer(() => {
      checkOptions('', options, onceChecks);
      const { timeout: limit, ...rest } = options;
      return this.watch$(key, rest).pipe(firstEvent(`watch ${key}`, limit));
    });
  }
}

/** Turns the word that events are lost into an error. */
function refuseLoss(key: string): MonoTypeOperatorFunction<WatchEvent> {
  return map((event) => {
    if (event.action === 'resync')
      throw new WatchHistoryLostError(key, event.lost, { endpoint: event.info.endpoint });
    return event;
  });
}
