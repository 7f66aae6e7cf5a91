import { defer, type Observable } from 'rxjs';
import type { MemberHealth } from '../cluster/member-health.js';
import type { MemberVersion, ServerVersion } from '../cluster/server-version.js';
import { resolveOptions, type CallOptions, type ClientOptions, type ConnectOptions } from '../options.js';
import { tokensOf } from '../v3/api/authenticate.js';
import { checkServer$ } from '../v3/api/connect.js';
import {
  ConditionalApi,
  type CompareAndDeleteOptions,
  type CompareAndSwapOptions,
  type CreateOptions,
  type UpdateOptions,
} from '../v3/api/conditional.js';
import { KeysApi } from '../v3/api/keys.js';
import { KvCalls } from '../v3/api/kv-calls.js';
import type { Modification, ModifyOptions, ModifyResponse } from '../v3/api/modify.js';
import type { DeleteOptions, PutOptions } from '../v3/api/put-options.js';
import type { Operations, Transaction } from '../v3/api/op.js';
import type { GetOptions, PagesOptions, RangeOptions } from '../v3/api/range-options.js';
import { RawApi, type RawOptions } from '../v3/api/raw.js';
import { ServerApi } from '../v3/api/server.js';
import { TxnApi, type TxnOptions, type TxnResponse } from '../v3/api/txn.js';
import type { V3Context } from '../v3/context.js';
import { keyBytes, type Key, type KeyRange, type Value } from '../v3/model/key-range.js';
import type { DeleteResponse, GetResponse, PutResponse, RangeResponse } from '../v3/model/responses.js';
import type { WatchEvent } from '../v3/model/watch-event.js';
import { v3Probe } from '../v3/probe.js';
import { SeenRevision } from '../v3/seen-revision.js';
import type { OpenWatch } from '../v3/watch/open-watch.js';
import { WatchApi, type WatchOnceOptions, type WatchOptions } from '../v3/watch/watch-api.js';
import { isConfidential } from '../v3/wire/confidential.js';
import type { AnswerOf, RequestOf, ServiceName, UnaryName } from '../v3/wire/methods.js';
import { BaseClient } from './base-client.js';
import { ClientCore, connecting, handedOver$, type Api } from './client-core.js';

/**
 * A reactive client of an etcd cluster by the v3 API: etcd 3.4 and later, as they come. Every operation returns a cold
 * Observable: nothing is sent before it is subscribed, each subscription sends again, and unsubscribing cancels. A client that
 * is never subscribed opens nothing.
 *
 * @example
 * ```ts
 * import { EtcdClient } from 'rxetcd/v3';
 * import { firstValueFrom } from 'rxjs';
 * const client = new EtcdClient(['http://10.0.0.1:2379', 'http://10.0.0.2:2379']);
 * const { kv } = await firstValueFrom(client.get$('/config/app'));
 * console.log(kv?.value);
 * ```
 */
export class EtcdClient extends BaseClient {
  readonly #core: ClientCore;
  readonly #calls: KvCalls;
  readonly #keys: KeysApi;
  readonly #conditional: ConditionalApi;
  readonly #txn: TxnApi;
  readonly #watch: WatchApi;
  readonly #server: ServerApi;
  readonly #raw: RawApi;

  /**
   * @param options endpoints (`host:port`, a URL or an array of them, then options), or options alone; default
   *   `http://127.0.0.1:2379`
   * @throws InvalidOptionError naming the option and the value
   */
  constructor(options?: ClientOptions);
  constructor(endpoints: string | readonly string[], options?: ClientOptions);
  constructor(first?: string | readonly string[] | ClientOptions, rest?: ClientOptions) {
    const core = new ClientCore(resolveOptions(first, rest, 'any'), v3);
    super(core);
    const { settings, transport, cluster, events } = core;
    const tokens = tokensOf(settings, () => context);
    const context: V3Context = {
      settings,
      transport,
      cluster,
      events,
      // Later: whoever has found out is the first to act on it.
      seen: new SeenRevision(() => {
        queueMicrotask(() => {
          cluster.wasRebuilt();
        });
      }),
      token: () => tokens?.current,
      tokens,
    };
    this.#core = core;
    this.#calls = new KvCalls(context);
    this.#keys = new KeysApi(this.#calls);
    this.#conditional = new ConditionalApi(this.#calls);
    this.#txn = new TxnApi(this.#calls);
    this.#watch = new WatchApi(context);
    this.#server = new ServerApi(context);
    this.#raw = new RawApi(context);
  }

  /**
   * Emits a client once every endpoint was probed, the members are known and a key could be read, and completes. Closes
   * the client if that fails, or if unsubscribed before. `deadline` limits it as it does each call, but for 5 s where it is
   * not given. Who may not read the key is known by name all the same: that is an error only of a `checkKey` that was given.
   *
   * Errors: AllNodesDownError when nobody answers by the deadline; at once AuthenticationError (no user of that name and
   * password, or none given), PermissionDeniedError (no right to read the `checkKey` given), UnsupportedByServerError (an etcd
   * without the v3 API), TlsError, and `UNEXPECTED_RESPONSE` for what is no etcd.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd/v3';
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
      const key = keyBytes('checkKey', checkKey ?? '/');
      const client = new EtcdClient(...(args as [string, ClientOptions]));
      const check$ = (left: number): Observable<unknown> =>
        checkServer$(client.#calls, key, checkKey !== undefined, left);
      return handedOver$(client, client.#core.known$(deadline, check$));
    });
  }

  /**
   * Reads one key and emits `{ kv?, info }`, without `kv` if there is no such key.
   *
   * Errors: CompactedError, FutureRevisionError, AllNodesDownError, RequestTimeoutError, StaleReadError,
   * PermissionDeniedError, AuthenticationError, InvalidOptionError.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd/v3';
   * const client = new EtcdClient();
   * client.get$('/config/colour').subscribe(({ kv }) => console.log(kv?.value, kv?.modRevision));
   * ```
   * @see https://etcd.io/docs/v3.5/learning/api/#range
   */
  get$(key: Key, options?: GetOptions): Observable<GetResponse> {
    return this.#keys.get$(key, options);
  }

  /**
   * Reads the value of a key as text; undefined if there is no such key. Its options and errors are those of `get$`.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd/v3';
   * import { firstValueFrom } from 'rxjs';
   * const client = new EtcdClient();
   * const colour = await firstValueFrom(client.getValue$('/config/colour'));
   * ```
   * @see https://etcd.io/docs/v3.5/learning/api/#range
   */
  getValue$(key: Key, options?: GetOptions): Observable<string | undefined> {
    return this.#keys.getValue$(key, options);
  }

  /**
   * Emits whether there is such a key, without reading it. Its options and errors are those of `get$`.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd/v3';
   * const client = new EtcdClient();
   * client.exists$('/config/colour').subscribe((isThere) => console.log(isThere));
   * ```
   * @see https://etcd.io/docs/v3.5/learning/api/#range
   */
  exists$(key: Key, options?: GetOptions): Observable<boolean> {
    return this.#keys.exists$(key, options);
  }

  /**
   * Reads a range and emits once `{ kvs, count, more, info }`, all of one revision, `info.revision`, or of the option
   * `revision`. `count` is how many keys the range holds, whatever `limit` and the bounds of revisions; `more`: `limit` has cut
   * some off. A large range is read in pages of 1,000 keys or about 1 MiB, and begun anew at most 5 times when its revision is
   * compacted meanwhile; in another order than by key, ascending, it is read in one piece. `deadline` is that of the whole.
   *
   * Errors: as `get$`, and ResponseTooLargeError.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd/v3';
   * const client = new EtcdClient();
   * client
   *   .range$({ prefix: '/config/' }, { sort: { by: 'modRevision', order: 'descending' }, limit: 10 })
   *   .subscribe(({ kvs, count }) => console.log(kvs.map((kv) => kv.key), 'of', count));
   * ```
   * @see https://etcd.io/docs/v3.5/learning/api/#range
   */
  range$(range: KeyRange, options?: RangeOptions): Observable<RangeResponse> {
    return this.#keys.range$(range, options);
  }

  /**
   * Emits how many keys a range holds. Its options and errors are those of `get$`.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd/v3';
   * const client = new EtcdClient();
   * client.count$({ prefix: '/services/' }).subscribe((count) => console.log(count));
   * ```
   * @see https://etcd.io/docs/v3.5/learning/api/#range
   */
  count$(range: KeyRange, options?: GetOptions): Observable<number> {
    return this.#keys.count$(range, options);
  }

  /**
   * Emits a range page after page, each as `range$` would emit it, in the order of its keys and all of one revision: that of
   * the first page, or of the option `revision`. `more` tells that pages are still to come, `count` of each how many keys stand
   * from its first one on. The next page is asked for once one was emitted; `deadline` is that of each. An empty range is one
   * empty page.
   *
   * Errors: as `get$`, and ResponseTooLargeError. CompactedError, with `revision`, `compactRevision` and the bytes of the
   * `lastKey` emitted, when the revision is compacted meanwhile: nothing is begun anew without a word.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd/v3';
   * const client = new EtcdClient();
   * client.pages$({ prefix: '/logs/' }, { size: 100 }).subscribe(({ kvs }) => console.log(kvs.length));
   * ```
   * @see https://etcd.io/docs/v3.5/learning/api/#range
   */
  pages$(range: KeyRange, options?: PagesOptions): Observable<RangeResponse> {
    return this.#keys.pages$(range, options);
  }

  /**
   * Writes a key, text as its UTF-8, and emits `{ prevKv?, info }`.
   *
   * Errors: LeaseNotFoundError, NoSpaceError, OutcomeUnknownError, AllNodesDownError, RequestTimeoutError,
   * PermissionDeniedError, AuthenticationError, InvalidOptionError; EtcdApiError where `ignoreValue` or `ignoreLease` finds no
   * key, or the value is larger than the server takes (1.5 MiB by default).
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd/v3';
   * const client = new EtcdClient();
   * client.put$('/config/colour', 'blue', { prevKv: true }).subscribe(({ prevKv }) => console.log(prevKv?.value));
   * ```
   * @see https://etcd.io/docs/v3.5/learning/api/#put
   */
  put$(key: Key, value: Value | undefined, options?: PutOptions): Observable<PutResponse> {
    return this.#keys.put$(key, value, options);
  }

  /**
   * Deletes a key, or all keys of a range, in one step and emits `{ deleted, prevKvs, info }`: how many there were, and with
   * `prevKv` what they were. What is not there is no error.
   *
   * Errors: OutcomeUnknownError, AllNodesDownError, RequestTimeoutError, PermissionDeniedError, AuthenticationError,
   * InvalidOptionError.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd/v3';
   * const client = new EtcdClient();
   * client.delete$({ prefix: '/config/' }).subscribe(({ deleted }) => console.log(deleted));
   * ```
   * @see https://etcd.io/docs/v3.5/learning/api/#delete-range
   */
  delete$(range: KeyRange, options?: DeleteOptions): Observable<DeleteResponse> {
    return this.#keys.delete$(range, options);
  }

  /**
   * Writes a key that must not exist, and emits `{ info }`.
   *
   * Errors: CompareFailedError, with the `kv` that is there; those of `put$`.
   *
   * @example
   * ```ts
   * import { EtcdClient, isCompareFailed } from 'rxetcd/v3';
   * const client = new EtcdClient();
   * client.create$('/jobs/7', 'mine').subscribe({
   *   error: (e) => isCompareFailed(e) && console.log('taken:', e.kv?.value),
   * });
   * ```
   * @see https://etcd.io/docs/v3.5/learning/api/#transaction
   */
  create$(key: Key, value: Value, options?: CreateOptions): Observable<PutResponse> {
    return this.#conditional.create$(key, value, options);
  }

  /**
   * Writes a key that must exist, and emits `{ prevKv?, info }`.
   *
   * Errors: CompareFailedError, without `kv`; those of `put$`.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd/v3';
   * const client = new EtcdClient();
   * client.update$('/config/colour', 'blue', { ignoreLease: true }).subscribe();
   * ```
   * @see https://etcd.io/docs/v3.5/learning/api/#transaction
   */
  update$(key: Key, value: Value, options?: UpdateOptions): Observable<PutResponse> {
    return this.#conditional.update$(key, value, options);
  }

  /**
   * Writes a key if it has the value `prevValue`, the mod revision `modRevision`, the version `version`, or all that are given
   * of these, and emits `{ prevKv?, info }`. Prefer `modRevision`: a value may be the same again, and a version too once the
   * key was deleted.
   *
   * Errors: CompareFailedError, with the `kv` that is there; those of `put$`.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd/v3';
   * import { switchMap } from 'rxjs';
   * const client = new EtcdClient();
   * client
   *   .get$('/config/colour')
   *   .pipe(
   *     switchMap(({ kv }) => client.compareAndSwap$('/config/colour', 'blue', { modRevision: kv?.modRevision ?? 1 })),
   *   )
   *   .subscribe();
   * ```
   * @see https://etcd.io/docs/v3.5/learning/api/#transaction
   */
  compareAndSwap$(key: Key, value: Value, options: CompareAndSwapOptions): Observable<PutResponse> {
    return this.#conditional.compareAndSwap$(key, value, options);
  }

  /**
   * Deletes a key if it has the value `prevValue`, the mod revision `modRevision`, the version `version`, or all that are given
   * of these, and emits `{ deleted: 1, prevKvs, info }`.
   *
   * Errors: CompareFailedError, with the `kv` that is there, if any; those of `delete$`.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd/v3';
   * const client = new EtcdClient();
   * client.compareAndDelete$('/jobs/7', { prevValue: 'mine' }).subscribe();
   * ```
   * @see https://etcd.io/docs/v3.5/learning/api/#transaction
   */
  compareAndDelete$(key: Key, options: CompareAndDeleteOptions): Observable<DeleteResponse> {
    return this.#conditional.compareAndDelete$(key, options);
  }

  /**
   * Reads a key, writes what the function makes of it unless the key was changed meanwhile, else begins anew with what it is
   * now, and emits `{ kv?, prevKv?, changed, info }`. The function gets the key, undefined if there is none, and returns the new
   * value; undefined deletes the key, and the same bytes write nothing. It may run often, and should do nothing else. What it
   * throws is the error. The key keeps its lease.
   *
   * A write whose answer never came is settled by sending it again, if the key was there before: no change is made twice. A new
   * key's creation, or where it stays open who changed the key, ends in OutcomeUnknownError.
   *
   * Errors: those of `get$` and `put$`; CompareFailedError, with the `kv` that is there, if it has lost every race until its
   * `deadline`, or more often than `retry.max`.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd/v3';
   * const client = new EtcdClient();
   * client.modify$('/counter', (kv) => String(Number(kv?.value ?? 0) + 1)).subscribe(({ kv }) => console.log(kv?.value));
   * ```
   * @see https://etcd.io/docs/v3.5/learning/api/#transaction
   */
  modify$(key: Key, fn: Modification, options?: ModifyOptions): Observable<ModifyResponse> {
    return this.#conditional.modify$(key, fn, options);
  }

  /**
   * Does all of `then` if all of `if` holds, else all of `else`, in one step, and emits `{ succeeded, responses, info }`. Each
   * response stands where its operation stands, and is what the call of that name emits, without `info`; after
   * `if (succeeded)` they are those of `then`. All writes get one revision, `info.revision`. That `if` does not hold is no
   * error. A range is read in one piece.
   *
   * A transaction that writes nothing is a read: it may be asked again, and is never older than what the client has seen. One
   * that may write, by either list, and whose answer never comes ends in OutcomeUnknownError. With
   * `retry.writes: 'idempotent'` it is sent again, as it was, if it demands with `compare.modRevision(key).equals(...)` the
   * revision of a key that `then` puts or deletes, and `else` only reads: it is applied once at most, and its answer settles
   * the first. Where that leaves it open who has changed the key since, it still ends in OutcomeUnknownError. It counts as one
   * operation more under `else`, which reads the key.
   *
   * Errors: LeaseNotFoundError, NoSpaceError, OutcomeUnknownError, CompactedError, FutureRevisionError, AllNodesDownError,
   * RequestTimeoutError, StaleReadError, ResponseTooLargeError, PermissionDeniedError, AuthenticationError; InvalidOptionError,
   * with the place as `then[1].key`; EtcdApiError where a key is written twice, or the server takes no so many operations (128
   * in a list by default) or bytes (1.5 MiB).
   *
   * @example
   * ```ts
   * import { compare, EtcdClient, op } from 'rxetcd/v3';
   * new EtcdClient()
   *   .txn$({
   *     if: [compare.value('/account/a').equals('100'), compare.absent('/transfers/7')],
   *     then: [op.put('/account/a', '60'), op.put('/account/b', '40'), op.put('/transfers/7', 'done')],
   *     else: [op.get('/account/a')],
   *   })
   *   .subscribe((r) => console.log(r.succeeded ? `done at ${r.info.revision}` : r.responses[0].kv?.value));
   * ```
   * @see https://etcd.io/docs/v3.5/learning/api/#transaction
   */
  txn$<const Then extends Operations = readonly [], const Else extends Operations = readonly []>(
    transaction: Transaction<Then, Else>,
    options?: TxnOptions,
  ): Observable<TxnResponse<Then, Else>> {
    return this.#txn.txn$(transaction, options);
  }

  /**
   * Follows the changes of a key or a range of keys; endless. In the order of revisions, each change once, all of a revision
   * together, through failovers, restarts and lost connections. What can no longer be had, as it was compacted away or the
   * cluster was put back to an older state or is another one, is told by one `resync` event, with the state and what is lost.
   * Go on later from `event.revision + 1` by `fromRevision`, once an event was the `last` of its revision.
   *
   * Watches of the same range and with the same `prevKv`, `only` and `progress`, without `fromRevision`, are one at the server,
   * which outlives the last of them by a second; all watches at a member share one connection.
   *
   * Ends in an error only for what no retry can mend: a bad option, a missing right, a server without the v3 API. There is no
   * back-pressure in RxJS: use `concatMap` for slow work, and mind what it buffers.
   *
   * Errors: PermissionDeniedError, AuthenticationError, WatchHistoryLostError (`onHistoryLost: 'error'`),
   * ResponseTooLargeError, UnsupportedByServerError, ClientClosedError, InvalidOptionError.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd/v3';
   * const client = new EtcdClient();
   * client.watch$({ prefix: '/svc/' }, { initial: true }).subscribe((event) => {
   *   if (event.type === 'sync' || event.type === 'resync') console.log('state', event.kvs.length, event.revision);
   *   else if (event.type === 'put') console.log('put', event.kv.key, event.kv.value);
   *   else if (event.type === 'delete') console.log('delete', event.key);
   * });
   * ```
   * @see https://etcd.io/docs/v3.5/learning/api/#watch-api
   */
  watch$(range: KeyRange, options?: WatchOptions): Observable<WatchEvent> {
    return this.#watch.watch$(range, options);
  }

  /**
   * Emits the next event of a key or range and completes; RequestTimeoutError after `timeout`.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd/v3';
   * new EtcdClient()
   *   .watchOnce$('/jobs/7', { only: 'delete', timeout: 60_000 })
   *   .subscribe(() => console.log('done'));
   * ```
   * @see https://etcd.io/docs/v3.5/learning/api/#watch-api
   */
  watchOnce$(range: KeyRange, options?: WatchOnceOptions): Observable<WatchEvent> {
    return this.#watch.watchOnce$(range, options);
  }

  /**
   * The open watches now, then again whenever one comes, goes, or changes its state or the number of its subscribers; those
   * that are one at the server are one here. Completes when the client is closed.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd/v3';
   * new EtcdClient().watches$.subscribe((watches) => {
   *   for (const { id, key, state, subscribers } of watches) console.log(id, key, state, subscribers);
   * });
   * ```
   */
  get watches$(): Observable<readonly OpenWatch[]> {
    return this.#watch.watches$;
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
   * import { EtcdClient } from 'rxetcd/v3';
   * new EtcdClient().health$().subscribe(({ member, healthy, reason, error }) => {
   *   console.log(member.name, healthy ? 'is well' : (reason ?? error?.code));
   * });
   * ```
   */
  health$(options?: CallOptions): Observable<MemberHealth> {
    return this.#server.health$(options);
  }

  /**
   * Calls a method of etcd's own API, by the names of its `rpc.proto`, and emits its answer; streams are not to be had here.
   * Fields have etcd's names, bytes are Uint8Arrays, ids hexadecimal text, other 64-bit integers numbers. What only reads is
   * repeated, all else is sent again only if it provably never reached a member.
   *
   * Errors: those of etcd, AllNodesDownError, OutcomeUnknownError, RequestTimeoutError, TlsError, InvalidOptionError.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd/v3';
   * new EtcdClient()
   *   .raw$('Lease', 'LeaseGrant', { TTL: 60 })
   *   .subscribe(({ ID, TTL }) => console.log(ID, TTL));
   * ```
   * @see https://etcd.io/docs/v3.5/dev-guide/api_reference_v3/
   */
  raw$<S extends ServiceName, M extends UnaryName<S>>(
    service: S,
    method: M,
    message: RequestOf<S, M>,
    options?: RawOptions,
  ): Observable<AnswerOf<S, M>> {
    return this.#raw.raw$(service, method, message, options);
  }
}

/** What the rest of a client has to know of the v3 API. */
const v3: Api = {
  probeOf: v3Probe,
  isConfidential,
  unsupported: (endpoint, version) => ({ type: 'no-v3-api', endpoint, version }),
};
