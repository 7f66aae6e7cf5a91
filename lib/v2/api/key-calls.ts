import { catchError, defer, of, type Observable } from 'rxjs';
import { check, demand, type Check } from '../../check.js';
import { Fault } from '../../cluster/fault.js';
import { UnsupportedByServerError } from '../../errors.js';
import { checkedCall, type CallOptions, type CallSettings } from '../../options.js';
import type { HttpMethod } from '../../transport/http.js';
import { TransportError } from '../../transport/transport-error.js';
import { answerOf, type V2Context } from '../context.js';
import { decodeKeys, type KeysBody } from '../wire/decode.js';
import { keyPath, normaliseKey } from '../wire/key-path.js';
import type { EtcdNode, KeyResponse, ResponseInfo } from '../model/model.js';
import { withQuery, type Params } from '../wire/params.js';
import { demandKey, demandRequestLine, encodeForm } from '../wire/request-size.js';
import { retryClassOf, type KeysOperation } from './retry-classes.js';
import { demandFeatures, isLegacy, keepsTtl, type Feature } from '../old/server-release.js';
import { v2Call$ } from './v2-call.js';
import { withKey } from './with-key.js';

/** One request to the keys API, before it is encoded. */
export interface KeysRequest {
  readonly method: HttpMethod;
  readonly query?: Params;
  readonly form?: Params;
  /** What messages call the operation. Default: its own name. */
  readonly name?: string;
}

/** The check of a TTL option. */
export const ttlChecks: Record<string, Check> = { ttl: check.ttl };

/** How every call on keys and directories is checked, sent and read. */
export class KeyCalls {
  readonly #context: V2Context;

  constructor(context: V2Context) {
    this.#context = context;
  }

  /** Checks key and options when subscribed, then goes on. */
  checked$<T>(
    key: string,
    options: CallOptions,
    checks: Record<string, Check>,
    proceed: (key: string, settings: CallSettings) => Observable<T>,
  ): Observable<T> {
    return defer(() => {
      const normalised = normaliseKey(key);
      return proceed(normalised, checkedCall(this.#context.settings, options, checks));
    });
  }

  /** A write of a value, or of a directory, with the options that are among the checks as they are. */
  write$(
    operation: KeysOperation,
    key: string,
    what: { readonly value: string } | { readonly dir: true },
    options: CallOptions,
    checks: Record<string, Check> = ttlChecks,
    { method = 'PUT', ...more }: { readonly method?: 'PUT' | 'POST'; readonly prevExist?: string } = {},
  ): Observable<KeyResponse> {
    return this.checked$(key, options, checks, (path, settings) => {
      if ('value' in what) demand('value', what.value, check.string);
      const form = { ...what, ...given(options, checks), ...more };
      return this.run$(operation, path, { method, form }, settings);
    });
  }

  /** A deletion, with the options that are among the checks as they are. */
  delete$(
    operation: KeysOperation,
    key: string,
    options: CallOptions,
    checks: Record<string, Check>,
  ): Observable<KeyResponse> {
    return this.checked$(key, options, checks, (path, settings) =>
      this.run$(operation, path, { method: 'DELETE', query: given(options, checks) }, settings),
    );
  }

  /** Sends the request as its operation may be sent; what `checkInfo` throws of a success is a failure of the call. */
  run$(
    operation: KeysOperation,
    key: string,
    { method, query = {}, form, name: called = operation }: KeysRequest,
    settings: CallSettings,
    retryClass = retryClassOf(operation),
    checkInfo: (info: ResponseInfo) => void = () => undefined,
  ): Observable<KeyResponse> {
    const context = this.#context;
    const { cluster, authorization } = context;
    const name = `${called} ${key}`;
    const path = withQuery(keyPath(key), query);
    const body = form && encodeForm(form);
    const blame =
      query['prevValue'] === undefined
        ? { option: 'key', value: key }
        : { option: 'prevValue', value: String(query['prevValue']), hint: '; compare by prevIndex' };
    // So that the key that etcd makes can be read as well.
    demandKey(context.settings, key, method === 'POST' ? `/${'0'.repeat(20)}` : '');
    demandRequestLine(context.settings, method, path, blame);
    const features = featuresOf(operation, key, method, form);
    const demandsNoTtl =
      (operation === 'update' || operation === 'compareAndSwap') && form?.['ttl'] === undefined;
    const asked = { key, method, sparse: form?.['noValueOnSuccess'] === true };
    return v2Call$(context, {
      operation: name,
      retryClass,
      settings,
      request: (endpoint) => {
        const version = cluster.version(endpoint);
        demandFeatures(name, version, features);
        const there =
          query['quorum'] === true && isLegacy(version) ? withQuery(keyPath(key), legacyQuery(query)) : path;
        return { method, path: there, operation, body, authorization };
      },
      before$: (endpoint, timeout) =>
        demandsNoTtl && keepsTtl(cluster.version(endpoint))
          ? this.#withoutTtl$(name, key, endpoint, timeout)
          : undefined,
      read: (answer, info) => {
        const keys = decodeKeys(answer, asked);
        checkInfo(info);
        return keyResponse(key, keys, info);
      },
    });
  }

  /**
   * Looks whether the key has a TTL, which its update would keep without a word. What goes wrong here happens before
   * anything is written.
   */
  #withoutTtl$(name: string, key: string, endpoint: string, timeout: number): Observable<unknown> {
    const { transport, authorization } = this.#context;
    const request = {
      method: 'GET' as const,
      path: keyPath(key),
      endpoint,
      timeout,
      operation: 'get',
      pool: 'command' as const,
      authorization,
    };
    return transport
      .read$(request, (response) => {
        const answer = answerOf(this.#context, name, endpoint, response);
        const { node } = decodeKeys(answer, { key, method: 'GET' });
        if (node?.expiration === undefined) return;
        throw new UnsupportedByServerError(
          `${name}: etcd ${answer.version ?? ''} cannot do this (it would keep the TTL that the key has): pass ttl, or use set$; etcd 0.4.0 and later can`,
          { endpoint },
        );
      })
      .pipe(
        catchError((error: unknown) => {
          // The write itself says so.
          if (error instanceof Fault && error.config.errorCode !== undefined) return of(undefined);
          throw unsent(error);
        }),
      );
  }
}

/** The options that have a check of their own, as parameters. */
const given = (options: CallOptions, checks: Record<string, Check>): Params =>
  Object.fromEntries(
    Object.keys(checks).map((name) => [name, (options as Record<string, Params[string]>)[name]]),
  );

/** The same failure, of a request that changed nothing. */
function unsent(error: unknown): unknown {
  if (error instanceof Fault) return new Fault({ ...error.config, executed: 'no' });
  return error instanceof TransportError
    ? new TransportError(error.kind, error.message, false, error.timeoutMs)
    : error;
}

/** Before 2.0 a read that is never stale is called consistent: followers redirect it to the leader. */
const legacyQuery = (query: Params): Params => ({ ...query, quorum: undefined, consistent: true });

/** What the server must be able to do, lest the call destroys something. */
function featuresOf(
  operation: KeysOperation,
  key: string,
  method: HttpMethod,
  form: Params | undefined,
): readonly Feature[] {
  const features: Feature[] = [];
  if (operation === 'compareAndDelete' || operation === 'refresh') features.push(operation);
  if (method === 'POST') features.push('createInOrder');
  if (method !== 'GET' && key === '/') features.push('root');
  if (form?.['value'] === '') features.push('emptyValue');
  if (operation === 'updateDir' && form?.['ttl'] === undefined) features.push('updateDirWithoutTtl');
  return features;
}

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
