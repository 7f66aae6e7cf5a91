import { catchError, defer, map, of, type Observable } from 'rxjs';
import { check, demand, type Check } from '../../check.js';
import { InvalidOptionError, isKeyNotFound, isNotDirectory } from '../../errors.js';
import type { CallOptions, CallSettings } from '../../options.js';
import { freshRead$ } from './fresh-read.js';
import { ttlChecks, type KeyCalls } from './key-calls.js';
import type { KeyResponse, ResponseInfo } from '../model/model.js';
import { retryClassOf } from './retry-classes.js';
import type { Watermark } from '../watermark.js';

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

/** Options of the calls that write with an optional TTL. */
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

const conditionChecks: Record<string, Check> = {
  prevValue: (v) =>
    check.string(v) ??
    (v === '' ? 'a value that is not empty: etcd compares that by prevIndex only' : undefined),
  prevIndex: check.index,
};
const getChecks: Record<string, Check> = {
  recursive: check.boolean,
  sorted: check.boolean,
  quorum: check.boolean,
};
const setChecks: Record<string, Check> = { ...ttlChecks, noValueOnSuccess: check.boolean };
const deleteChecks: Record<string, Check> = { recursive: check.boolean };
const swapChecks: Record<string, Check> = { ...conditionChecks, ...ttlChecks };

/** Keys and their atomic operations (etcd: Documentation/v2/api.md). */
export class KeysApi {
  readonly #calls: KeyCalls;
  readonly #watermark: Watermark;

  constructor(calls: KeyCalls, watermark: Watermark) {
    this.#calls = calls;
    this.#watermark = watermark;
  }

  get$(key: string, options: GetOptions = {}): Observable<KeyResponse> {
    return this.#calls.checked$(key, options, getChecks, (path, settings) => {
      const { recursive, sorted, quorum } = options;
      const read = (
        operation: 'get' | 'quorumGet',
        limits: CallSettings,
        leader: boolean,
        checkInfo: (info: ResponseInfo) => void,
      ): Observable<KeyResponse> =>
        this.#calls.run$(
          operation,
          path,
          { method: 'GET', query: { recursive, sorted, quorum: operation === 'quorumGet' }, name: 'get' },
          limits,
          leader ? 'quorum-read' : retryClassOf(operation),
          checkInfo,
        );
      return freshRead$(this.#watermark, `get ${path}`, settings, quorum === true, read);
    });
  }

  getValue$(key: string, options?: GetOptions): Observable<string | undefined> {
    return this.get$(key, options).pipe(
      map(({ node }) => node.value),
      catchError(ifAbsent(undefined)),
    );
  }

  exists$(key: string, options?: GetOptions): Observable<boolean> {
    return this.get$(key, options).pipe(
      map(() => true),
      catchError(ifAbsent(false)),
    );
  }

  set$(key: string, value: string, options: SetOptions = {}): Observable<KeyResponse> {
    return this.#calls.write$('set', key, { value }, options, setChecks);
  }

  create$(key: string, value: string, options: TtlOptions = {}): Observable<KeyResponse> {
    return this.#calls.write$('create', key, { value }, options, ttlChecks, { prevExist: 'false' });
  }

  update$(key: string, value: string, options: TtlOptions = {}): Observable<KeyResponse> {
    return this.#calls.write$('update', key, { value }, options, ttlChecks, { prevExist: 'true' });
  }

  refresh$(key: string, ttl: number, options: CallOptions = {}): Observable<KeyResponse> {
    return this.#calls.checked$(key, options, {}, (path, settings) => {
      demand('ttl', ttl, check.ttl);
      const form = { ttl, refresh: true, prevExist: 'true' };
      return this.#calls.run$('refresh', path, { method: 'PUT', form }, settings);
    });
  }

  createInOrder$(dir: string, value: string, options: TtlOptions = {}): Observable<KeyResponse> {
    return this.#calls.write$('createInOrder', dir, { value }, options, ttlChecks, { method: 'POST' });
  }

  delete$(key: string, options: DeleteOptions = {}): Observable<KeyResponse> {
    return this.#calls.delete$('delete', key, options, deleteChecks);
  }

  compareAndSwap$(key: string, value: string, options: CompareAndSwapOptions): Observable<KeyResponse> {
    return defer(() => {
      demandCondition(options);
      return this.#calls.write$('compareAndSwap', key, { value }, options, swapChecks);
    });
  }

  compareAndDelete$(key: string, options: CompareAndDeleteOptions): Observable<KeyResponse> {
    return defer(() => {
      demandCondition(options);
      // In the query: etcd does not read the body of a DELETE and would delete unconditionally.
      return this.#calls.delete$('compareAndDelete', key, options, conditionChecks);
    });
  }
}

function demandCondition(options: unknown): void {
  const { prevValue, prevIndex } = (options ?? {}) as Partial<Record<'prevValue' | 'prevIndex', unknown>>;
  if (prevValue === undefined && prevIndex === undefined) {
    throw new InvalidOptionError('prevValue', prevValue, 'at least one of prevValue and prevIndex');
  }
}

/** The value in place of the error that no key stands there: it is missing, or part of its path is a file. */
const ifAbsent =
  <T>(value: T) =>
  (error: unknown): Observable<T> => {
    if (isKeyNotFound(error) || isNotDirectory(error)) return of(value);
    throw error;
  };
