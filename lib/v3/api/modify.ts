import { of, switchMap, timer, type Observable } from 'rxjs';
import { check, demand } from '../../check.js';
import { within } from '../../cluster/deadline.js';
import type { CallOptions, CallSettings } from '../../options.js';
import { backoff } from '../../util/backoff.js';
import { isSameBytes } from '../../util/same-bytes.js';
import { bytesOf, keyBytes, nameOf, type Key, type Value } from '../model/key-range.js';
import { keyValue, type KeyValue } from '../model/key-value.js';
import type { ResponseInfo } from '../model/response-info.js';
import type { Answer, Message } from '../wire/messages.js';
import { failure, hasModRevision, isAbsent, readOf } from './comparing.js';
import { leaseChecks, type KvCalls } from './kv-calls.js';
import { foundBy, kept, settled$ } from './settle.js';
import { longestLostRaceMs, lostRaceMs } from './timing.js';

/** Options of `modify$`. */
export interface ModifyOptions extends CallOptions {
  /** The id of the lease that the key is bound to when it is written, in hexadecimal. Default: the one that it has. */
  lease?: string | undefined;
}

/** The answer to `modify$`. */
export interface ModifyResponse {
  /** The key as it is now; absent if there is none. */
  readonly kv?: KeyValue;
  /** The key as the function got it; absent if there was none. */
  readonly prevKv?: KeyValue;
  /** Whether it was written or deleted; false: the function wanted what was there. */
  readonly changed: boolean;
  readonly info: ResponseInfo;
}

/** What is made of a key, undefined if there is none; undefined: it is deleted. */
export type Modification = (kv: KeyValue | undefined) => Value | undefined;

/**
 * Reads the key, writes what is made of it unless it was changed meanwhile, else begins anew with what the failed transaction
 * has read of it.
 */
export function modified$(
  calls: KvCalls,
  key: Key,
  fn: Modification,
  options: ModifyOptions,
): Observable<ModifyResponse> {
  return calls.checked$(options, leaseChecks, (settings) => {
    demand('fn', fn, check.fn);
    const bytes = keyBytes('key', key);
    const operation = `modify ${nameOf(key)}`;
    const startedAt = performance.now();
    const left = (): CallSettings => within(settings, startedAt);
    const change$ = (
      before: Answer<'KeyValue'> | undefined,
      info: ResponseInfo,
      losses: number,
    ): Observable<ModifyResponse> => {
      const prevKv = before && keyValue(before);
      const wanted = fn(prevKv);
      const value = wanted === undefined ? undefined : bytesOf('what fn returns', wanted);
      if (isUnchanged(before, value, options.lease))
        return of({ ...given(prevKv, prevKv), changed: false, info });
      const lease = options.lease ?? (before === undefined ? undefined : kept);
      const commit = {
        operation,
        key: bytes,
        message: modification(bytes, before, value, options.lease),
        guard: before?.mod_revision,
        value,
        lease,
        before,
      };
      return settled$(calls, commit, left()).pipe(
        switchMap((answer) => {
          if (answer.answer.succeeded) {
            const now = answer.answer.responses[1]?.response_range?.kvs[0];
            return of({ ...given(now && keyValue(now), prevKv), changed: true, info: answer.info });
          }
          const pause = backoff(losses, { initialDelay: lostRaceMs, maxDelay: longestLostRaceMs });
          if (losses >= settings.retry.max || performance.now() + pause - startedAt >= settings.deadline)
            throw failure(operation, answer);
          return timer(pause).pipe(switchMap(() => change$(foundBy(answer.answer), answer.info, losses + 1)));
        }),
      );
    };
    return calls
      .range$(operation, { key: bytes }, settings)
      .pipe(switchMap(({ answer, info }) => change$(answer.kvs[0], info, 0)));
  });
}

/** Nothing is to be written: there is no key and shall be none, or it is as it shall be. */
function isUnchanged(
  before: Answer<'KeyValue'> | undefined,
  value: Uint8Array | undefined,
  lease: string | undefined,
): boolean {
  if (before === undefined || value === undefined) return before === undefined && value === undefined;
  return lease === undefined && isSameBytes(before.value, value);
}

/** The key becomes that value, or is deleted, if it is still as it was; what it has become is read. */
const modification = (
  key: Uint8Array,
  before: Answer<'KeyValue'> | undefined,
  value: Uint8Array | undefined,
  lease: string | undefined,
): Message<'TxnRequest'> => ({
  compare: [before === undefined ? isAbsent(key) : hasModRevision(key, before.mod_revision)],
  success:
    value === undefined
      ? [{ request_delete_range: { key } }]
      : [
          {
            request_put: { key, value, lease, ignore_lease: before !== undefined && lease === undefined },
          },
          readOf(key),
        ],
  failure: [readOf(key)],
});

/** Those that are there. */
const given = (
  kv: KeyValue | undefined,
  prevKv: KeyValue | undefined,
): Pick<ModifyResponse, 'kv' | 'prevKv'> => ({
  ...(kv === undefined ? {} : { kv }),
  ...(prevKv === undefined ? {} : { prevKv }),
});
