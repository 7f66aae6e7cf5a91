import {
  catchError,
  defer,
  distinctUntilChanged,
  finalize,
  ignoreElements,
  interval,
  map,
  merge,
  race,
  takeUntil,
  throwError,
  timeout,
  type Observable,
} from 'rxjs';
import type { ClusterState } from './cluster/cluster-state.js';
import type { ClusterState$ } from './cluster/cluster-state-subject.js';
import { Cluster } from './cluster/cluster.js';
import type { Member } from './cluster/member.js';
import { AllNodesDownError, ClientClosedError, TlsError } from './errors.js';
import { EventBus, type ClientEvent } from './events.js';
import { resolveOptions, type CallOptions, type ClientOptions, type Settings } from './options.js';
import { TransportError } from './transport/transport-error.js';
import { Transport } from './transport/transport.js';
import { basicAuthorization, type V2Context } from './v2/context.js';
import {
  KeysApi,
  type CompareAndDeleteOptions,
  type CompareAndSwapOptions,
  type DeleteOptions,
  type GetOptions,
  type SetOptions,
  type TtlOptions,
} from './v2/keys.js';
import type { KeyResponse, WatchEvent } from './v2/model.js';
import { v2Probe } from './v2/probe.js';
import { WatchApi, type WatchOnceOptions, type WatchOptions } from './v2/watch/watch-api.js';
import { Watermark } from './v2/watermark.js';

/**
 * A reactive client of an etcd cluster. Every operation returns a cold Observable: nothing is sent before it is
 * subscribed, each subscription sends again, and unsubscribing cancels. A client that is never subscribed opens
 * nothing.
 *
 * @example
 * ```ts
 * import { EtcdClient } from 'rxetcd';
 * import { firstValueFrom } from 'rxjs';
 * const client = new EtcdClient(['http://10.0.0.1:2379', 'http://10.0.0.2:2379']);
 * const { node } = await firstValueFrom(client.get$('/config/app'));
 * ```
 */
export class EtcdClient {
  readonly #settings: Settings;
  readonly #events = new EventBus();
  readonly #transport: Transport;
  readonly #cluster: Cluster;
  readonly #keys: KeysApi;
  readonly #watch: WatchApi;

  /**
   * Members and leader, followed by a heartbeat while anyone subscribes here, watches, or has a call in flight. Never
   * errors; completes when the client is closed. The heartbeat's timers do not keep a process alive.
   */
  readonly clusterState$: ClusterState$;
  /** What happens inside, for logs and metrics; hot. Never a body, a value or a credential. */
  readonly events$: Observable<ClientEvent>;

  /**
   * @param options endpoints (`host:port`, a URL or an array of them, then options), or options alone; default
   *   `http://127.0.0.1:2379`
   * @throws InvalidOptionError naming the option and the value
   */
  constructor(options?: ClientOptions);
  constructor(endpoints: string | readonly string[], options?: ClientOptions);
  constructor(first?: string | readonly string[] | ClientOptions, rest?: ClientOptions) {
    this.#settings = resolveOptions(first, rest);
    this.#transport = new Transport(this.#settings, this.#events);
    this.#cluster = new Cluster(this.#settings, v2Probe(this.#transport, this.#settings), this.#events);
    const context: V2Context = {
      settings: this.#settings,
      transport: this.#transport,
      cluster: this.#cluster,
      events: this.#events,
      watermark: new Watermark(),
      authorization: basicAuthorization(this.#settings),
    };
    this.#keys = new KeysApi(context);
    this.#watch = new WatchApi(context);
    this.clusterState$ = this.#cluster.state$;
    this.events$ = this.#events.events$;
  }

  /**
   * Emits a client once every endpoint was probed and the members are known, and completes. Closes the client if that
   * fails by the deadline (AllNodesDownError), or if unsubscribed before.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd';
   * import { firstValueFrom } from 'rxjs';
   * const client = await firstValueFrom(EtcdClient.connect$('localhost:2379'));
   * console.log(`${client.clusterState$.value}`);
   * ```
   */
  static connect$(options?: ClientOptions): Observable<EtcdClient>;
  static connect$(endpoints: string | readonly string[], options?: ClientOptions): Observable<EtcdClient>;
  static connect$(
    first?: string | readonly string[] | ClientOptions,
    rest?: ClientOptions,
  ): Observable<EtcdClient> {
    return defer(() => {
      const client = new EtcdClient(first as string, rest);
      let handedOver = false;
      return client.#known$().pipe(
        map(() => {
          handedOver = true;
          return client;
        }),
        finalize(() => {
          if (!handedOver) client.close();
        }),
      );
    });
  }

  /** The URLs known: the configured ones, then those found in the cluster. */
  get endpoints(): readonly string[] {
    return this.#cluster.endpoints;
  }

  /**
   * Emits the leader now (undefined if none is known), then each change; endless. Unlike `clusterState$`, a
   * subscription keeps a Node process alive.
   */
  leader$(): Observable<Member | undefined> {
    const keepAlive$ = interval(2 ** 31 - 1).pipe(ignoreElements());
    return defer(() =>
      this.#cluster.closed
        ? throwError(() => new ClientClosedError('leader'))
        : merge(
            this.clusterState$.pipe(
              map((state) => state.leader),
              distinctUntilChanged((a, b) => a?.id === b?.id && a?.name === b?.name),
            ),
            keepAlive$,
          ).pipe(takeUntil(this.#cluster.closing$)),
    );
  }

  /** Probes every member now and emits the state that follows. */
  refreshCluster$(): Observable<ClusterState> {
    return race(this.#cluster.closed$, this.#cluster.refresh$()).pipe(this.#cluster.active());
  }

  /**
   * Reads a key or a directory.
   *
   * Errors: EtcdApiError (`isKeyNotFound`), AllNodesDownError, RequestTimeoutError, StaleReadError.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd';
   * new EtcdClient().get$('/config', { recursive: true, sorted: true }).subscribe(({ node }) => console.log(node.nodes));
   * ```
   */
  get$(key: string, options?: GetOptions): Observable<KeyResponse> {
    return this.#keys.get$(key, options);
  }

  /** Reads the value of a key; undefined if the key does not exist or is a directory. */
  getValue$(key: string, options?: GetOptions): Observable<string | undefined> {
    return this.#keys.getValue$(key, options);
  }

  /** Whether there is such a key or directory. */
  exists$(key: string, options?: GetOptions): Observable<boolean> {
    return this.#keys.exists$(key, options);
  }

  /**
   * Sets a key, whether it exists or not. Without `ttl` an earlier TTL is removed.
   *
   * Errors: OutcomeUnknownError when it was sent and not answered, AllNodesDownError when it surely was not executed.
   * Unsubscribing ends the waiting, not a write that was sent: prefer `concatMap` to `switchMap`.
   */
  set$(key: string, value: string, options?: SetOptions): Observable<KeyResponse> {
    return this.#keys.set$(key, value, options);
  }

  /** Creates a key that must not exist (`isKeyExists`). */
  create$(key: string, value: string, options?: TtlOptions): Observable<KeyResponse> {
    return this.#keys.create$(key, value, options);
  }

  /** Sets a key that must exist (`isKeyNotFound`). Without `ttl` an earlier TTL is removed. */
  update$(key: string, value: string, options?: TtlOptions): Observable<KeyResponse> {
    return this.#keys.update$(key, value, options);
  }

  /** Gives an existing key a new TTL, in seconds, and keeps its value; watches see nothing of it. */
  refresh$(key: string, ttl: number, options?: CallOptions): Observable<KeyResponse> {
    return this.#keys.refresh$(key, ttl, options);
  }

  /** Creates a key in a directory under a name that etcd makes: ascending in the order of creation. */
  createInOrder$(dir: string, value: string, options?: TtlOptions): Observable<KeyResponse> {
    return this.#keys.createInOrder$(dir, value, options);
  }

  /** Deletes a key, or with `recursive` a directory and all that is in it. */
  delete$(key: string, options?: DeleteOptions): Observable<KeyResponse> {
    return this.#keys.delete$(key, options);
  }

  /**
   * Sets a key if it has the value `prevValue`, or the modifiedIndex `prevIndex`, or both (`isCompareFailed`).
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd';
   * import { switchMap } from 'rxjs';
   * const client = new EtcdClient();
   * const incremented$ = client.get$('/counter', { quorum: true }).pipe(
   *   switchMap(({ node }) =>
   *     client.compareAndSwap$('/counter', String(Number(node.value) + 1), { prevIndex: node.modifiedIndex ?? 1 }),
   *   ),
   * );
   * ```
   */
  compareAndSwap$(key: string, value: string, options: CompareAndSwapOptions): Observable<KeyResponse> {
    return this.#keys.compareAndSwap$(key, value, options);
  }

  /** Deletes a key if it has the value `prevValue`, or the modifiedIndex `prevIndex`, or both (`isCompareFailed`). */
  compareAndDelete$(key: string, options: CompareAndDeleteOptions): Observable<KeyResponse> {
    return this.#keys.compareAndDelete$(key, options);
  }

  /**
   * Follows the changes of a key and of all below it; endless. Ordered by index, each change once, through failovers,
   * restarts and lost connections; if the server's history is gone, one `resync` event carries the state and the range
   * that was lost. Go on later from `event.index + 1` by `fromIndex`.
   *
   * Ends in an error only for what no retry can mend: a bad option, a missing right, a server without the v2 API.
   * There is no back-pressure in RxJS: use `concatMap` for slow work, and mind what it buffers.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd';
   * const client = new EtcdClient();
   * client.watch$('/svc', { initial: true }).subscribe((event) => {
   *   if (event.action === 'sync' || event.action === 'resync') console.log('state', event.node.nodes ?? []);
   *   else console.log(event.action, event.node.key, event.node.value);
   * });
   * ```
   */
  watch$(key: string, options?: WatchOptions): Observable<WatchEvent> {
    return this.#watch.watch$(key, options);
  }

  /** Emits the next change of a key (or of what is below it) and completes; RequestTimeoutError after `timeout`. */
  watchOnce$(key: string, options?: WatchOnceOptions): Observable<WatchEvent> {
    return this.#watch.watchOnce$(key, options);
  }

  /**
   * Ends the client: open watches, `clusterState$` and `events$` complete, calls in flight and later ones fail with
   * ClientClosedError, connections are closed. Closing twice does nothing.
   */
  close(): void {
    if (this.#cluster.closed) return;
    this.#cluster.close();
    this.#events.close();
    this.#transport.close();
  }

  /** One readable line, without options. */
  toString(): string {
    return `EtcdClient (${this.#cluster.closed ? 'closed' : 'open'}) ${this.endpoints.join(' ')}`;
  }

  /** The same line. */
  toJSON(): string {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  #known$(): Observable<unknown> {
    const { deadline } = this.#settings;
    const down = (): AllNodesDownError =>
      new AllNodesDownError('connect', 'unreachable', { attempts: this.#cluster.probeFailures });
    return this.#cluster.known$().pipe(
      timeout({ first: deadline, with: () => throwError(() => down()) }),
      catchError((error: unknown) =>
        throwError(() => (error instanceof TransportError ? new TlsError('connect', error.message) : error)),
      ),
      this.#cluster.active(),
    );
  }
}
