import { defer, type Observable } from 'rxjs';
import { resolveOptions, type CallOptions, type ClientOptions, type ConnectOptions } from '../options.js';
import { checkServer$ } from '../v2/api/connect.js';
import { isAuthentication } from '../v2/wire/is-authentication.js';
import { normaliseKey } from '../v2/wire/key-path.js';
import type { HttpMethod } from '../transport/http.js';
import { ApiCalls } from '../v2/api/api-calls.js';
import { AuthApi } from '../v2/api/auth.js';
import { basicAuthorization, type V2Context } from '../v2/context.js';
import { DirectoriesApi } from '../v2/api/directories.js';
import { KeyCalls } from '../v2/api/key-calls.js';
import {
  KeysApi,
  type CompareAndDeleteOptions,
  type CompareAndSwapOptions,
  type DeleteOptions,
  type GetOptions,
  type SetOptions,
  type TtlOptions,
} from '../v2/api/keys.js';
import { MembersApi } from '../v2/api/members.js';
import type { KeyResponse, WatchEvent } from '../v2/model/model.js';
import { v2Probe } from '../v2/probe.js';
import { RawApi, type RawOptions, type RawResponse } from '../v2/api/raw.js';
import { ServerApi } from '../v2/api/server.js';
import type { MemberHealth } from '../cluster/member-health.js';
import type { MemberVersion, ServerVersion } from '../cluster/server-version.js';
import { StatsApi } from '../v2/api/stats.js';
import { WatchApi, type WatchOnceOptions, type WatchOptions } from '../v2/watch/watch-api.js';
import type { OpenWatch } from '../v2/watch/open-watch.js';
import { Watermark } from '../v2/watermark.js';
import { BaseClient } from './base-client.js';
import { ClientCore, connecting, handedOver$, type Api } from './client-core.js';

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
export class EtcdClient extends BaseClient {
  readonly #core: ClientCore;
  readonly #context: V2Context;
  readonly #keyCalls: KeyCalls;
  readonly #keys: KeysApi;
  readonly #directories: DirectoriesApi;
  readonly #watch: WatchApi;
  readonly #server: ServerApi;
  readonly #raw: RawApi;

  /** The members of the cluster: list, add, update, remove. */
  readonly members: MembersApi;
  /** Statistics of the leader, of a member, of its store. */
  readonly stats: StatsApi;
  /** Authentication: its switch, users, roles. */
  readonly auth: AuthApi;

  /**
   * @param options endpoints (`host:port`, a URL or an array of them, then options), or options alone; default
   *   `http://127.0.0.1:2379`
   * @throws InvalidOptionError naming the option and the value
   */
  constructor(options?: ClientOptions);
  constructor(endpoints: string | readonly string[], options?: ClientOptions);
  constructor(first?: string | readonly string[] | ClientOptions, rest?: ClientOptions) {
    const core = new ClientCore(resolveOptions(first, rest), v2);
    super(core);
    const { settings, transport, cluster, events } = core;
    const context: V2Context = {
      settings,
      transport,
      cluster,
      events,
      watermark: new Watermark(() => {
        cluster.wasRebuilt();
      }),
      authorization: basicAuthorization(settings),
    };
    this.#core = core;
    const keyCalls = new KeyCalls(context);
    this.#context = context;
    this.#keyCalls = keyCalls;
    const apiCalls = new ApiCalls(context);
    this.#keys = new KeysApi(keyCalls, context.watermark);
    this.#directories = new DirectoriesApi(keyCalls);
    this.#watch = new WatchApi(context);
    this.#server = new ServerApi(apiCalls);
    this.#raw = new RawApi(context);
    this.members = new MembersApi(apiCalls);
    this.stats = new StatsApi(apiCalls);
    this.auth = new AuthApi(apiCalls);
  }

  /**
   * Emits a client once every endpoint was probed, the members are known and a key could be read, and completes. Closes
   * the client if that fails, or if unsubscribed before. `deadline` limits it as it does each call, but for 5 s where it is
   * not given.
   *
   * Errors: AllNodesDownError when nobody answers by the deadline; at once AuthenticationError (credentials wrong, or no
   * right to read `checkKey`), UnsupportedByServerError (an etcd without the v2 API), TlsError, and `UNEXPECTED_RESPONSE`
   * for what is no etcd.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd';
   * import { firstValueFrom } from 'rxjs';
   * const client = await firstValueFrom(EtcdClient.connect$('localhost:2379'));
   * console.log(`${client.clusterState$.value}`);
   * ```
   */
  static connect$(options?: ConnectOptions): Observable<EtcdClient>;
  static connect$(endpoints: string | readonly string[], options?: ConnectOptions): Observable<EtcdClient>;
  static connect$(
    first?: string | readonly string[] | ConnectOptions,
    rest?: ConnectOptions,
  ): Observable<EtcdClient> {
    return defer(() => {
      const { checkKey, deadline, args } = connecting(first, rest);
      const key = normaliseKey(checkKey ?? '/', 'checkKey');
      const client = new EtcdClient(...(args as [string, ClientOptions]));
      const check$ = (left: number): Observable<unknown> =>
        checkServer$(client.#context, client.#keyCalls, key, left);
      return handedOver$(client, client.#core.known$(deadline, check$));
    });
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

  /**
   * Gives an existing key a new TTL, in seconds, and a new modifiedIndex, and keeps its value; watches see nothing of it
   * (`isKeyNotFound`).
   */
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
   * Sets a key if it has the value `prevValue`, or the modifiedIndex `prevIndex`, or both (else `isCompareFailed`, or
   * `isKeyNotFound`).
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

  /**
   * Deletes a key if it has the value `prevValue`, or the modifiedIndex `prevIndex`, or both (else `isCompareFailed`, or
   * `isKeyNotFound`).
   */
  compareAndDelete$(key: string, options: CompareAndDeleteOptions): Observable<KeyResponse> {
    return this.#keys.compareAndDelete$(key, options);
  }

  /**
   * Makes a directory that must not exist as one (`isNotFile`); a file of that name is replaced. Directories above it,
   * and those of a key that is set, come into being by themselves.
   */
  setDir$(dir: string, options?: TtlOptions): Observable<KeyResponse> {
    return this.#directories.setDir$(dir, options);
  }

  /** Makes a directory where nothing must be (`isKeyExists`). */
  createDir$(dir: string, options?: TtlOptions): Observable<KeyResponse> {
    return this.#directories.createDir$(dir, options);
  }

  /**
   * Gives a directory that must exist (`isKeyNotFound`) another TTL, or without `ttl` none. With its TTL all that is in
   * it expires.
   *
   * Errors: EtcdApiError (`isNotDirectory` for a file, which etcd alone would empty), UnsupportedByServerError from
   * etcd 3.5, which cannot do it.
   */
  updateDir$(dir: string, options?: TtlOptions): Observable<KeyResponse> {
    return this.#directories.updateDir$(dir, options);
  }

  /** Makes a directory in a directory under a name that etcd makes: ascending in the order of creation. */
  createDirInOrder$(dir: string, options?: TtlOptions): Observable<KeyResponse> {
    return this.#directories.createDirInOrder$(dir, options);
  }

  /**
   * Deletes an empty directory (`isDirectoryNotEmpty`), or with `recursive` one with all that is in it; never a file
   * (`isNotDirectory`).
   */
  deleteDir$(dir: string, options?: DeleteOptions): Observable<KeyResponse> {
    return this.#directories.deleteDir$(dir, options);
  }

  /**
   * Follows the changes of a key and of all below it; endless. Ordered by index, each change once, through failovers,
   * restarts and lost connections; if the server's history is gone, or the cluster was rebuilt or is another one, one
   * `resync` event carries the state, and says what is lost and why. Go on later from `event.index + 1` by `fromIndex`.
   *
   * Watches of the same key and `recursive`, without `fromIndex`, share one connection, which outlives the last of them
   * by a second: who comes back within it misses nothing. Meanwhile the server keeps its watcher.
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

  /**
   * The open watches now, then again whenever one comes, goes, or changes its state or the number of its subscribers.
   * Watches of the same key and `recursive`, without `fromIndex`, are one. Completes when the client is closed.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd';
   * new EtcdClient().watches$.subscribe((watches) => {
   *   for (const { id, key, state, subscribers } of watches) console.log(id, key, state, subscribers);
   * });
   * ```
   */
  get watches$(): Observable<readonly OpenWatch[]> {
    return this.#watch.watches$;
  }

  /** Emits the next change of a key (or of what is below it) and completes; RequestTimeoutError after `timeout`. */
  watchOnce$(key: string, options?: WatchOnceOptions): Observable<WatchEvent> {
    return this.#watch.watchOnce$(key, options);
  }

  /** The client URLs that the members advertise, as one member lists them (`/v2/machines`). */
  machines$(options?: CallOptions): Observable<string[]> {
    return this.#server.machines$(options);
  }

  /** The releases that one member runs, whichever. */
  version$(options?: CallOptions): Observable<ServerVersion> {
    return this.#server.version$(options);
  }

  /**
   * The releases of each member: one value for each as it comes, then completes. A member that does not answer within
   * `timeout` (default: twice `probeTimeout`) has an `error` instead.
   */
  versions$(options?: CallOptions): Observable<MemberVersion> {
    return this.#server.versions$(options);
  }

  /**
   * The health of each member by its own word (`/health`): one value for each as it comes, then completes. A dead one
   * is not `healthy` and has an `error`; `timeout` as with `versions$`.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd';
   * new EtcdClient().health$().subscribe(({ member, healthy, reason, error }) => {
   *   console.log(member.name, healthy ? 'is well' : (reason ?? error?.code));
   * });
   * ```
   */
  health$(options?: CallOptions): Observable<MemberHealth> {
    return this.#server.health$(options);
  }

  /**
   * Sends whatever the other calls do not cover and emits the answer as it came, whatever its status; JSON is parsed.
   * GET, HEAD and OPTIONS go to any member and are repeated, all else goes to the leader and is sent again only if it
   * provably never reached a member.
   *
   * Errors: those of getting no answer (AllNodesDownError, OutcomeUnknownError, RequestTimeoutError, TlsError).
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd';
   * new EtcdClient()
   *   .raw$('PUT', '/v2/keys/k', { data: { value: 'v', ttl: 5 } })
   *   .subscribe(({ status, data }) => console.log(status, data));
   * ```
   */
  raw$(method: HttpMethod, path: string, options?: RawOptions): Observable<RawResponse> {
    return this.#raw.raw$(method, path, options);
  }
}

/** What the rest of a client has to know of the v2 API. */
const v2: Api = {
  probeOf: v2Probe,
  isConfidential: isAuthentication,
  unsupported: (endpoint, version) => ({ type: 'no-v2-api', endpoint, version }),
};
