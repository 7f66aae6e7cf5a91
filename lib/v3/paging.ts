import {
  asapScheduler,
  catchError,
  defer,
  expand,
  EMPTY,
  retry,
  subscribeOn,
  timer,
  toArray,
  type Observable,
} from 'rxjs';
import { Fault } from '../cluster/fault.js';
import { isEtcdApiError, isResponseTooLarge } from '../errors.js';
import { UnusableError } from '../transport/unusable.js';
import { backoff, type BackoffBounds } from '../util/backoff.js';
import { keyAfter } from './model/key-range.js';
import type { Answer, Message } from './wire/messages.js';

/*
 * A large range is read page by page, all pages at one revision: that of the first. Whoever wants the whole of it begins
 * anew when that revision is compacted meanwhile.
 */

type RangeRequest = Message<'RangeRequest'>;

/** One answer, with whatever its reader adds. */
export interface Page {
  readonly answer: Answer<'RangeResponse'>;
}

/** So many keys are asked for at once, at most. */
export const pageKeys = 1_000;
/** So many bytes a page should hold: as etcd limits by keys alone, by the mean size of what came before. */
const pageBytes = 1_048_576;
/** What is read page by page is begun anew so many times at most. */
const mostRestarts = 5;
/** gRPC's code for a revision that is not, or no longer, to be had. */
const outOfRange = 11;

/** Between two pages another cluster has taken the place of the one that was read. */
export class StoreChanged extends Error {
  constructor() {
    super('its pages come from two clusters');
    this.name = 'StoreChanged';
  }
}

/**
 * Emits page after page of a range in the order of its keys; the next one is asked for once a page was emitted.
 *
 * @param request with the limit of all pages together, if there is one
 * @param size keys in a page; default: what makes about 1 MiB, at most 1,000
 */
export function pages$<P extends Page>(
  request: RangeRequest,
  read$: (request: RangeRequest) => Observable<P>,
  size?: number,
): Observable<P> {
  return defer(() => {
    let left = request.limit ?? Infinity;
    let most = size ?? pageKeys;
    let revision = request.revision;
    let clusterId: string | undefined;
    const page$ = (key: RangeRequest['key']): Observable<P> =>
      read$({ ...request, key, revision, limit: Math.min(most, left) }).pipe(
        catchError((error: unknown) => {
          if (size !== undefined || most === 1 || !isTooLarge(error)) throw error;
          most = Math.max(1, most >> 3);
          return page$(key);
        }),
      );
    return page$(request.key).pipe(
      expand(({ answer: { header, kvs, more } }) => {
        clusterId ??= header?.cluster_id;
        if (header?.cluster_id !== clusterId) throw new StoreChanged();
        revision ??= header?.revision;
        left -= kvs.length;
        const last = kvs.at(-1);
        if (!more || last === undefined || left <= 0) return EMPTY;
        if (size === undefined) most = fitting(kvs);
        // Not at once: whoever took this page may have had enough, and then nothing is asked for.
        return defer(() => page$(keyAfter(last.key))).pipe(subscribeOn(asapScheduler));
      }),
    );
  });
}

/** How many keys like these a page should have. */
function fitting(kvs: readonly Answer<'KeyValue'>[]): number {
  let bytes = 1;
  for (const { key, value } of kvs) bytes += key.length + value.length;
  return Math.max(1, Math.min(pageKeys, Math.floor((pageBytes * kvs.length) / bytes)));
}

/** All pages at once; they are read anew, after a while, where the revision that they were read at is gone. */
export function allOf$<P>(
  paged$: Observable<P>,
  bounds: BackoffBounds,
  count = mostRestarts,
): Observable<readonly P[]> {
  return paged$.pipe(
    toArray(),
    retry({
      count,
      delay: (error: unknown, n) => {
        if (!isGone(error)) throw error;
        return timer(backoff(n - 1, bounds));
      },
    }),
  );
}

/** The revision of the pages cannot be had: it was compacted, or another store has taken the place of the former. */
function isGone(error: unknown): boolean {
  if (error instanceof StoreChanged) return true;
  const code = error instanceof Fault ? error.config.errorCode : isEtcdApiError(error) && error.errorCode;
  return code === outOfRange;
}

const isTooLarge = (error: unknown): boolean =>
  isResponseTooLarge(error instanceof UnusableError ? error.toEtcdError('', {}) : error);
