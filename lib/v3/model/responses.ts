import type { Answer } from '../wire/messages.js';
import { keyValue, type KeyValue } from './key-value.js';
import type { ResponseInfo } from './response-info.js';

/** The answer to a read of one key. */
export interface GetResponse {
  /** The key with its value; absent if there is no such key. */
  readonly kv?: KeyValue;
  readonly info: ResponseInfo;
}

/** The answer to a read of a range. */
export interface RangeResponse {
  readonly kvs: readonly KeyValue[];
  /** How many keys the range holds, whatever the limit, and whatever the bounds of revisions. */
  readonly count: number;
  /** The limit has cut some off. */
  readonly more: boolean;
  readonly info: ResponseInfo;
}

/** The answer to a write. */
export interface PutResponse {
  /** The key as it was before, if that was asked for and there was one. */
  readonly prevKv?: KeyValue;
  readonly info: ResponseInfo;
}

/** The answer to a deletion. */
export interface DeleteResponse {
  /** How many keys were deleted. */
  readonly deleted: number;
  /** The keys as they were before, if that was asked for. */
  readonly prevKvs: readonly KeyValue[];
  readonly info: ResponseInfo;
}

export function getResponse({ kvs: [kv] }: Answer<'RangeResponse'>, info: ResponseInfo): GetResponse {
  return kv === undefined ? { info } : { kv: keyValue(kv), info };
}

export function rangeResponse(
  { kvs, count, more }: Answer<'RangeResponse'>,
  info: ResponseInfo,
): RangeResponse {
  return { kvs: kvs.map(keyValue), count, more, info };
}

export function putResponse({ prev_kv: before }: Answer<'PutResponse'>, info: ResponseInfo): PutResponse {
  return before === undefined ? { info } : { prevKv: keyValue(before), info };
}

export function deleteResponse(
  { deleted, prev_kvs: before }: Answer<'DeleteRangeResponse'>,
  info: ResponseInfo,
): DeleteResponse {
  return { deleted, prevKvs: before.map(keyValue), info };
}
