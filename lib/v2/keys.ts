import { catchError, defer, map, of, throwError, type Observable } from 'rxjs';
import { check, checkOptions, demand, type Check } from '../check.js';
import { call$ } from '../cluster/call.js';
import { InvalidOptionError, isKeyNotFound, isNotDirectory } from '../errors.js';
import { callChecks, resolveCall, type CallOptions, type CallSettings } from '../options.js';
import type { HttpRequest } from '../transport/http.js';
import { learn, type V2Context } from './context.js';
import { decodeKeys, type KeysBody } from './decode.js';
import { freshRead$ } from './fresh-read.js';
import { keyPath, normaliseKey } from './key-path.js';
import type { EtcdNode, KeyResponse, ResponseInfo } from './model.js';
import { withQuery, type Params } from './params.js';
import { withKey } from './with-key.js';
import { demandRequestLine, encodeForm } from './request-size.js';
import { retryClasses, type KeysOperation } from './retry-classes.js';

/** Options of {@link EtcdClient.get$}. */
export interface GetOptions extends CallOptions {
  /** Lists the whole tree below a directory. Default false: its children only. */
  recursive?: boolean | undefined;
  /** Sorts listings by key. Default false: any order. */
  sorted?: boolean | undefined;
  /** Reads through the leader and a majority, never stale. Default false: what one member holds. */
  quorum?: boolean | undefined;
}

/** Options of {@link EtcdClient.set$}. */
export interface SetOptions extends CallOptions {
  /** Seconds until the key expires; 0 expires it at once. Default: never. */
  ttl?: number | undefined;
  /** Spares the answer the values; `node` then holds key and indexes only. Default false. */
  noValueOnSuccess?: boolean | undefined;
}

/** Options of the calls that write a value with an optional TTL. */
export interface TtlOptions extends CallOptions {
  /** Seconds until the key expires; 0 expires it at once. Default: never. */
  ttl?: number | undefined;
}

/** Options of {@link EtcdClient.delete$}. */
export interface DeleteOptions extends CallOptions {
  /** Deletes a directory with all that is in it. Default false. */
  recursive?: boolean | undefined;
}

/** What a conditional write compares with; at least one, and both must hold. */
export type Condition =
  | {
      /** The value that the key must have; etcd cannot compare with an empty one. */
      prevValue: string;
      /** The modifiedIndex that the key must have. */
      prevIndex?: number | undefined;
    }
  | { prevValue?: string | undefined; prevIndex: number };

/** Options of {@link EtcdClient.compareAndSwap$}. */
export type CompareAndSwapOptions = Condition & TtlOptions;

/** Options of {@link EtcdClient.compareAndDelete$}. */
export type CompareAndDeleteOptions = Condition & CallOptions;

interface KeysRequest {
  readonly method: HttpRequest['method'];
  readonly query?: Params;
  readonly form?: Params;
}

const ttlChecks: Record<string, Check> = { ttl: check.ttl };
const conditionChecks: Record<string, Check> = {
  prevValue: (v) =>
    check.string(v) ??
    (v === '' ? 'a value that is not empty: etcd compares that by prevIndex only' : undefined),
  prevIndex: check.index,
};

/** Keys and their atomic operations (etcd: Documentation/v2/api.md). */
export class KeysApi {
  readonly #context: V2Context;

  constructor(context: V2Context) {
    this.#context = context;
  }

  get$(key: string, options: GetOptions = {}): Observable<KeyResponse> {
    const flags = { recursive: check.boolean, sorted: check.boolean, quorum: check.boolean };
    return this.#checked$(key, options, flags, (path, settings) => {
      const { recursive, sorted, quorum } = options;
      const read = (
        operation: 'get' | 'quorumGet',
        limits: CallSettings,
        leader: boolean,
      ): Observable<KeyResponse> =>
        this.#run$(
          operation,
          path,
          { method: 'GET', query: { recursive, sorted, quorum: operation === 'quorumGet' } },
          limits,
          leader ? 'quorum-read' : retryClasses[operation],
        );
      return freshRead$(this.#context.watermark, `get ${path}`, settings, quorum === true, read);
    });
  }

  getValue$(key: string, options?: GetOptions): Observable<string | undefined> {
    return this.get$(key, options).pipe(
      map(({ node }) => node.value),
      catchError((e: unknown) => (isAbsent(e) ? of(undefined) : throwError(() => e))),
    );
  }

  exists$(key: string, options?: GetOptions): Observable<boolean> {
    return this.get$(key, options).pipe(
      map(() => true),
      catchError((e: unknown) => (isAbsent(e) ? of(false) : throwError(() => e))),
    );
  }

  set$(key: string, value: string, options: SetOptions = {}): Observable<KeyResponse> {
    const checks = { ...ttlChecks, noValueOnSuccess: check.boolean };
    return this.#write$('set', key, value, options, checks, () => ({
      ttl: options.ttl,
      noValueOnSuccess: options.noValueOnSuccess,
    }));
  }

  create$(key: string, value: string, options: TtlOptions = {}): Observable<KeyResponse> {
    return this.#write$('create', key, value, options, ttlChecks, () => ({
      ttl: options.ttl,
      prevExist: 'false',
    }));
  }

  update$(key: string, value: string, options: TtlOptions = {}): Observable<KeyResponse> {
    return this.#write$('update', key, value, options, ttlChecks, () => ({
      ttl: options.ttl,
      prevExist: 'true',
    }));
  }

  refresh$(key: string, ttl: number, options: CallOptions = {}): Observable<KeyResponse> {
    return this.#checked$(key, options, {}, (path, settings) => {
      demand('ttl', ttl, check.ttl);
      return this.#run$(
        'refresh',
        path,
        { method: 'PUT', form: { ttl, refresh: true, prevExist: 'true' } },
        settings,
      );
    });
  }

  createInOrder$(dir: string, value: string, options: TtlOptions = {}): Observable<KeyResponse> {
    return this.#write$(
      'createInOrder',
      dir,
      value,
      options,
      ttlChecks,
      () => ({ ttl: options.ttl }),
      'POST',
    );
  }

  delete$(key: string, options: DeleteOptions = {}): Observable<KeyResponse> {
    return this.#checked$(key, options, { recursive: check.boolean }, (path, settings) =>
      this.#run$('delete', path, { method: 'DELETE', query: { recursive: options.recursive } }, settings),
    );
  }

  compareAndSwap$(key: string, value: string, options: CompareAndSwapOptions): Observable<KeyResponse> {
    return defer(() => {
      demandCondition(options);
      const { prevValue, prevIndex, ttl } = options;
      const checks = { ...ttlChecks, ...conditionChecks };
      return this.#write$('compareAndSwap', key, value, options, checks, () => ({
        prevValue,
        prevIndex,
        ttl,
      }));
    });
  }

  compareAndDelete$(key: string, options: CompareAndDeleteOptions): Observable<KeyResponse> {
    return defer(() => {
      demandCondition(options);
      const { prevValue, prevIndex } = options;
      return this.#checked$(key, options, conditionChecks, (path, settings) =>
        // In the query: etcd does not read the body of a DELETE and would delete unconditionally.
        this.#run$('compareAndDelete', path, { method: 'DELETE', query: { prevValue, prevIndex } }, settings),
      );
    });
  }

  /** Checks key and options when subscribed, then goes on. */
  #checked$<T>(
    key: string,
    options: CallOptions,
    checks: Record<string, Check>,
    proceed: (key: string, settings: CallSettings) => Observable<T>,
  ): Observable<T> {
    return defer(() => {
      const normalised = normaliseKey(key);
      checkOptions('', options, { ...callChecks, ...checks });
      return proceed(normalised, resolveCall(this.#context.settings, options));
    });
  }

  #write$(
    operation: KeysOperation,
    key: string,
    value: string,
    options: CallOptions,
    checks: Record<string, Check>,
    form: () => Params,
    method: 'PUT' | 'POST' = 'PUT',
  ): Observable<KeyResponse> {
    return this.#checked$(key, options, checks, (path, settings) => {
      demand('value', value, check.string);
      return this.#run$(operation, path, { method, form: { value, ...form() } }, settings);
    });
  }

  #run$(
    operation: KeysOperation,
    key: string,
    { method, query = {}, form }: KeysRequest,
    settings: CallSettings,
    retryClass = retryClasses[operation],
  ): Observable<KeyResponse> {
    const { transport, cluster, events, authorization } = this.#context;
    const name = `${operation} ${key}`;
    const request = {
      method,
      path: withQuery(keyPath(key), query),
      operation,
      pool: 'command' as const,
      ...(form === undefined ? {} : { form: encodeForm(form) }),
      ...(authorization === undefined ? {} : { authorization }),
    };
    const blame =
      query['prevValue'] === undefined
        ? { option: 'key', value: key }
        : { option: 'prevValue', value: String(query['prevValue']), hint: '; compare by prevIndex' };
    demandRequestLine(this.#context.settings, method, request.path, blame);
    return call$(cluster, events, {
      operation: name,
      retryClass,
      settings,
      send: (endpoint, timeout, trace) =>
        transport.exchange$({ ...request, endpoint, timeout }, trace).pipe(
          map(({ status, headers, body }) => {
            const info = learn(this.#context, endpoint, status, headers);
            return keyResponse(key, decodeKeys(name, status, body), info);
          }),
        ),
    });
  }
}

function demandCondition(options: unknown): void {
  const { prevValue, prevIndex } = (options ?? {}) as Partial<Record<'prevValue' | 'prevIndex', unknown>>;
  if (prevValue === undefined && prevIndex === undefined) {
    throw new InvalidOptionError('prevValue', prevValue, 'at least one of prevValue and prevIndex');
  }
}

/** No key stands there: it is missing, or part of its path is a file. */
const isAbsent = (e: unknown): boolean => isKeyNotFound(e) || isNotDirectory(e);

/** With `noValueOnSuccess` etcd leaves out the node; the header holds its index. */
function keyResponse(key: string, { action, node, prevNode }: KeysBody, info: ResponseInfo): KeyResponse {
  return {
    action,
    node: node === undefined ? sparseNode(key, info) : withKey(node),
    ...(prevNode === undefined ? {} : { prevNode: withKey(prevNode) }),
    info,
  };
}

function sparseNode(key: string, { etcdIndex }: ResponseInfo): EtcdNode {
  return etcdIndex === undefined ? { key } : { key, modifiedIndex: etcdIndex, createdIndex: etcdIndex };
}
