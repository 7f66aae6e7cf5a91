import { catchError, map, type Observable } from 'rxjs';
import { within } from '../../cluster/deadline.js';
import { unexpected } from '../../cluster/server-answer.js';
import type { CallSettings } from '../../options.js';
import { compactedIn, isCompacted } from '../errors.js';
import {
  boundsOf,
  keyBytes,
  nameOf,
  type Bounds,
  type Key,
  type KeyRange,
  type Value,
} from '../model/key-range.js';
import { keyValue } from '../model/key-value.js';
import {
  deleteResponse,
  getResponse,
  putResponse,
  rangeResponse,
  type DeleteResponse,
  type GetResponse,
  type PutResponse,
  type RangeResponse,
} from '../model/responses.js';
import { allOf$, pageKeys, pages$, StoreChanged } from '../paging.js';
import type { Message } from '../wire/messages.js';
import { compactRevision$ } from './compact-revision.js';
import { readChecks, type KvCalls, type RangeAnswer } from './kv-calls.js';
import { deleteChecks, putChecks, putRequest, type DeleteOptions, type PutOptions } from './put-options.js';
import {
  pagesChecks,
  rangeChecks,
  rangeRequest,
  selected,
  type GetOptions,
  type PagesOptions,
  type RangeOptions,
} from './range-options.js';
import { v3Call$ } from './v3-call.js';

/**
 * Keys and ranges of keys (etcd: https://etcd.io/docs/v3.5/learning/api/#key-value-api). Reads are linearizable unless they
 * are `serializable`, and never older than what the client has seen.
 */
export class KeysApi {
  readonly #calls: KvCalls;

  constructor(calls: KvCalls) {
    this.#calls = calls;
  }

  get$(key: Key, options: GetOptions = {}): Observable<GetResponse> {
    return this.#calls.checked$(options, readChecks, (settings) =>
      this.#read$('get', { key: keyBytes('key', key) }, key, options, settings).pipe(
        map(({ answer, info }) => getResponse(answer, info)),
      ),
    );
  }

  getValue$(key: Key, options?: GetOptions): Observable<string | undefined> {
    return this.get$(key, options).pipe(map(({ kv }) => kv?.value));
  }

  exists$(key: Key, options: GetOptions = {}): Observable<boolean> {
    return this.#calls.checked$(options, readChecks, (settings) =>
      this.#count$('exists', { key: keyBytes('key', key) }, key, options, settings).pipe(
        map((count) => count > 0),
      ),
    );
  }

  range$(range: KeyRange, options: RangeOptions = {}): Observable<RangeResponse> {
    return this.#calls.checked$(options, rangeChecks, (settings) => {
      const { limit, revision } = options;
      const request = rangeRequest(range, options);
      const read$ = this.#reader('range', range, settings);
      const isInOnePiece =
        request.range_end === undefined ||
        request.sort_target !== undefined ||
        (limit ?? Infinity) <= pageKeys;
      if (isInOnePiece) return read$(request).pipe(map(({ answer, info }) => rangeResponse(answer, info)));
      const paged$ = pages$(request, read$);
      // A revision that was asked for does not come back.
      const all$ = allOf$(paged$, settings.retry, revision === undefined ? undefined : 0);
      return all$.pipe(map(wholeRange), unmixed(`range ${nameOf(range)}`));
    });
  }

  count$(range: KeyRange, options: GetOptions = {}): Observable<number> {
    return this.#calls.checked$(options, readChecks, (settings) =>
      this.#count$('count', boundsOf('range', range), range, options, settings),
    );
  }

  pages$(range: KeyRange, options: PagesOptions = {}): Observable<RangeResponse> {
    return this.#calls.checked$(options, pagesChecks, (settings) => {
      const { size = pageKeys } = options;
      const bounds = boundsOf('range', range);
      const request = { ...bounds, ...selected(options) };
      let lastKey: Uint8Array | undefined;
      return pages$(request, this.#reader('pages', range, settings, 'each'), size).pipe(
        map(({ answer, info }) => {
          lastKey = answer.kvs.at(-1)?.key;
          return rangeResponse(answer, info);
        }),
        catchError((error: unknown) => {
          if (!isCompacted(error)) throw error;
          return compactRevision$(this.#calls.context, bounds, error).pipe(
            map((compactRevision) => {
              throw compactedIn(error, { compactRevision, lastKey });
            }),
          );
        }),
        unmixed(`pages ${nameOf(range)}`),
      );
    });
  }

  put$(key: Key, value: Value | undefined, options: PutOptions = {}): Observable<PutResponse> {
    return this.#calls.checked$(options, putChecks, (settings) => {
      const message = putRequest(key, value, options);
      return v3Call$(this.#calls.context, {
        operation: `put ${nameOf(key)}`,
        settings,
        service: 'KV',
        method: 'Put',
        message,
        read: putResponse,
      });
    });
  }

  delete$(range: KeyRange, options: DeleteOptions = {}): Observable<DeleteResponse> {
    return this.#calls.checked$(options, deleteChecks, (settings) => {
      const bounds = boundsOf('range', range);
      return v3Call$(this.#calls.context, {
        operation: `delete ${nameOf(range)}`,
        settings,
        service: 'KV',
        method: 'DeleteRange',
        message: { ...bounds, prev_kv: options.prevKv },
        read: deleteResponse,
      });
    });
  }

  #read$(
    name: string,
    request: Message<'RangeRequest'>,
    range: KeyRange,
    { serializable, revision }: GetOptions,
    settings: CallSettings,
  ): Observable<RangeAnswer> {
    return this.#calls.range$(`${name} ${nameOf(range)}`, { ...request, serializable, revision }, settings);
  }

  #count$(
    name: string,
    bounds: Bounds,
    range: KeyRange,
    options: GetOptions,
    settings: CallSettings,
  ): Observable<number> {
    return this.#read$(name, { ...bounds, count_only: true }, range, options, settings).pipe(
      map(({ answer }) => answer.count),
    );
  }

  /** Reads one piece after the other of a range, each within the deadline, or all together. */
  #reader(
    name: string,
    range: KeyRange,
    settings: CallSettings,
    limited: 'each' | 'together' = 'together',
  ): (request: Message<'RangeRequest'>) => Observable<RangeAnswer> {
    const operation = `${name} ${nameOf(range)}`;
    const startedAt = performance.now();
    return (request) =>
      this.#calls.range$(operation, request, limited === 'each' ? settings : within(settings, startedAt));
  }
}

/** All pages of a range as one answer. */
function wholeRange(pages: readonly RangeAnswer[]): RangeResponse {
  const kvs = pages.flatMap(({ answer }) => answer.kvs.map(keyValue));
  return pages
    .map(({ answer: { count, more }, info }) => ({ kvs, count, more, info }))
    .reduce((first, { more }) => ({ ...first, more }));
}

/** Pages of two stores are no range. */
const unmixed =
  (operation: string) =>
  <T>(pages: Observable<T>): Observable<T> =>
    pages.pipe(
      catchError((error: unknown) => {
        throw error instanceof StoreChanged ? unexpected(operation, error.message, {}) : error;
      }),
    );
