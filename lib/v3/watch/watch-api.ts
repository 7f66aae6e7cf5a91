import { defer, identity, map, takeUntil, type MonoTypeOperatorFunction, type Observable } from 'rxjs';
import { check, checkOptions, type Check } from '../../check.js';
import {
  ClientClosedError,
  InvalidOptionError,
  WatchHistoryLostError,
  type LostRevisions,
} from '../../errors.js';
import { maxProbeBytes } from '../../transport/refusals.js';
import { ConnectionSlots, scarceLegs } from '../../watch/connection-slots.js';
import { endAfter } from '../../watch/end-after.js';
import { firstEvent } from '../../watch/first-event.js';
import { MemberLeft } from '../../watch/member-left.js';
import { Watches } from '../../watch/watches.js';
import { revisionCheck } from '../api/kv-calls.js';
import type { V3Context } from '../context.js';
import { boundsOf, nameOf, type KeyRange } from '../model/key-range.js';
import type { WatchEvent } from '../model/watch-event.js';
import { gatewayWatch$ } from './gateway-watch.js';
import type { LegContext } from './leg-context.js';
import { openWatch, type OpenWatch } from './open-watch.js';
import { V3Watch } from './v3-watch.js';
import type { WatchPosition } from './watch-position.js';
import { WatchStreams } from './watch-streams.js';
import { isSameTarget, type V3Target } from './watch-target.js';

/** Options of `watchOnce$`. */
export interface WatchOnceOptions {
  /** The first revision of interest. Default: what happens from now on. */
  fromRevision?: number | undefined;
  /** Events tell what was there before. Default false. */
  prevKv?: boolean | undefined;
  /** Events of one kind alone; the server sends no others. Default: both. */
  only?: 'put' | 'delete' | undefined;
  /** How long to wait for an event, in milliseconds. Default: for ever. */
  timeout?: number | undefined;
}

/** Options of `watch$`. */
export interface WatchOptions extends Omit<WatchOnceOptions, 'timeout'> {
  /** Emits the state first, as an event of the type `sync`. Default false. */
  initial?: boolean | undefined;
  /**
   * When what the watch was not told can no longer be had, be it that it was compacted away, or that the cluster was put back
   * to an older state or is another one: `'resync'` emits the state with what is lost and goes on, `'error'` ends in
   * WatchHistoryLostError. Default `'resync'`.
   */
  onHistoryLost?: 'resync' | 'error' | undefined;
  /** Asked after each emitted event; the one it accepts is the last. Default: none is. */
  until?: ((event: WatchEvent) => boolean) | undefined;
  /** Emits an event of the type `live` each time that the watch has caught up. Default false. */
  live?: boolean | undefined;
  /**
   * Emits an event of the type `progress` when the member tells how far it is while nothing happens in the range: about each
   * minute, before etcd 3.4.25 and 3.5.8 each ten. Default false.
   */
  progress?: boolean | undefined;
}

const onceChecks: Record<string, Check> = {
  fromRevision: revisionCheck,
  prevKv: check.boolean,
  only: check.oneOf('put', 'delete'),
  timeout: check.milliseconds,
};
const { timeout: _, ...sharedChecks } = onceChecks;
const watchChecks: Record<string, Check> = {
  ...sharedChecks,
  initial: check.boolean,
  onHistoryLost: check.oneOf('resync', 'error'),
  until: check.fn,
  live: check.boolean,
  progress: check.boolean,
};

/** Watches (etcd: https://etcd.io/docs/v3.5/learning/api/#watch-api). */
export class WatchApi {
  readonly #context: LegContext;
  readonly #watches = new Watches<WatchEvent, WatchPosition, V3Target>(
    (target) => new V3Watch(this.#context, target),
    isSameTarget,
  );

  constructor(context: V3Context) {
    const { cluster, transport, seen } = context;
    const streams = new WatchStreams({
      openBodies: transport.abilities.openBodies,
      open$: (endpoint, requests) => gatewayWatch$(context, endpoint, requests),
      answers$: (endpoint) => answers$(context, endpoint),
      version: (endpoint) => cluster.version(endpoint),
      token: context.token,
    });
    this.#context = { ...context, streams, slots: new ConnectionSlots(scarceLegs, transport.tabs) };
    seen.whenHigher((revision) => {
      streams.reached(revision);
    });
  }

  /** The open watches, now and whenever one of them changes. */
  get watches$(): Observable<readonly OpenWatch[]> {
    return this.#watches.list$.pipe(
      map((list) => list.map(openWatch)),
      takeUntil(this.#context.cluster.closing$),
    );
  }

  watch$(range: KeyRange, options: WatchOptions = {}): Observable<WatchEvent> {
    return defer(() => {
      checkOptions('', options, watchChecks);
      const { initial = false, fromRevision, onHistoryLost = 'resync', until, live = false } = options;
      const target = targetOf(range, options);
      if (initial && fromRevision !== undefined) {
        throw new InvalidOptionError(
          'fromRevision',
          fromRevision,
          'no revision beside initial: true, which starts with the state',
        );
      }
      const { cluster, events } = this.#context;
      const operation = `watch ${target.key}`;
      if (cluster.closed) throw new ClientClosedError(operation);
      const hint = hintFor(range);
      if (hint !== undefined) events.emit(() => ({ type: 'hint', operation, hint }));
      const following = { from: fromRevision, initial, live: live ? liveEvent : undefined };
      return this.#watches
        .follow$(this.#context, target, following)
        .pipe(
          onHistoryLost === 'error' ? refuseLoss(target.key) : identity,
          until === undefined ? identity : endAfter(until),
        );
    });
  }

  watchOnce$(range: KeyRange, options: WatchOnceOptions = {}): Observable<WatchEvent> {
    return defer(() => {
      checkOptions('', options, onceChecks);
      const { timeout, ...rest } = options;
      const { key } = targetOf(range, rest);
      return this.watch$(range, rest).pipe(firstEvent(`watch ${key}`, timeout));
    });
  }
}

function targetOf(range: KeyRange, { prevKv = false, only, progress = false }: WatchOptions): V3Target {
  const bounds = boundsOf('range', range);
  return { key: nameOf(range), range, bounds, prevKv, only, progress };
}

/** Who comes from the v2 API means all that is below a key that looks like a directory. */
function hintFor(range: KeyRange): string | undefined {
  if (typeof range !== 'string' || !range.endsWith('/')) return undefined;
  return `this is the one key ${range}; { prefix: '${range}' } is all that begins so`;
}

const liveEvent = (next: number): WatchEvent => ({ type: 'live', revision: next - 1 });

/** Turns the word that something is lost into an error. */
function refuseLoss(key: string): MonoTypeOperatorFunction<WatchEvent> {
  return map((event) => {
    if (event.type === 'resync') throw new WatchHistoryLostError<LostRevisions>(key, event.lost);
    return event;
  });
}

/** Emits once the member answers there, whoever asks. */
const answers$ = ({ transport, settings }: V3Context, endpoint: string): Observable<unknown> =>
  transport.read$(
    {
      method: 'GET',
      path: '/version',
      endpoint,
      timeout: settings.probeTimeout,
      operation: 'watch',
      pool: 'watch',
      maxBytes: maxProbeBytes,
    },
    ({ status }) => {
      if (status !== 200) throw new MemberLeft(`its member does not answer: ${status}`);
    },
  );
