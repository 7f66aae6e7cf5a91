import type { Answer } from '../wire/messages.js';
import { keyValue, type KeyValue } from './key-value.js';
import type { ResponseInfo } from './response-info.js';

/** What a read of one key finds. */
export interface GetResult {
  /** The key with its value; absent if there is no such key. */
  readonly kv?: KeyValue;
}

/** What a read of a range finds. */
export interface RangeResult {
  readonly kvs: readonly KeyValue[];
  /** How many keys the range holds, whatever the limit, and whatever the bounds of revisions. */
  readonly count: number;
  /** The limit has cut some off. */
  readonly more: boolean;
}

/** What a write tells. */
export interface PutResult {
  /** The key as it was before, if that was asked for and there was one. */
  readonly prevKv?: KeyValue;
}

/** What a deletion tells. */
export interface DeleteResult {
  /** How many keys were deleted. */
  readonly deleted: number;
  /** The keys as they were before, if that was asked for. */
  readonly prevKvs: readonly KeyValue[];
}

/** The answer to a read of one key. */
export interface GetResponse extends GetResult {
  readonly info: ResponseInfo;
}

/** The answer to a read of a range. */
export interface RangeResponse extends RangeResult {
  readonly info: ResponseInfo;
}

/** The answer to a write. */
export interface PutResponse extends PutResult {
  readonly info: ResponseInfo;
}

/** The answer to a deletion. */
export interface DeleteResponse extends DeleteResult {
  readonly info: ResponseInfo;
}

export const getResult = ({ kvs: [kv] }: Answer<'RangeResponse'>): GetResult =>
  kv === undefined ? {} : { kv: keyValue(kv) };

export const rangeResult = ({ kvs, count, more }: Answer<'RangeResponse'>): RangeResult => ({
  kvs: kvs.map(keyValue),
  count,
  more,
});

export const putResult = ({ prev_kv: before }: Answer<'PutResponse'>): PutResult =>
  before === undefined ? {} : { prevKv: keyValue(before) };

export const deleteResult = ({ deleted, prev_kvs: before }: Answer<'DeleteRangeResponse'>): DeleteResult => ({
  deleted,
  prevKvs: before.map(keyValue),
});

export const getResponse = (answer: Answer<'RangeResponse'>, info: ResponseInfo): GetResponse => ({
  ...getResult(answer),
  info,
});

export const rangeResponse = (answer: Answer<'RangeResponse'>, info: ResponseInfo): RangeResponse => ({
  ...rangeResult(answer),
  info,
});

export const putResponse = (answer: Answer<'PutResponse'>, info: ResponseInfo): PutResponse => ({
  ...putResult(answer),
  info,
});

export const deleteResponse = (
  answer: Answer<'DeleteRangeResponse'>,
  info: ResponseInfo,
): DeleteResponse => ({ ...deleteResult(answer), info });
