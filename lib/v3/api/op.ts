import type { CallOptions } from '../../options.js';
import type { Key, KeyRange, Value } from '../model/key-range.js';
import type { Comparison } from './compare.js';
import type { DeleteOptions, PutOptions } from './put-options.js';
import type { GetOptions, RangeOptions } from './range-options.js';

/** What is an option of the whole transaction. */
type OfWhole = keyof CallOptions | 'serializable';

/** Writes a key; made by `op.put`. */
export interface PutOperation {
  readonly type: 'put';
  readonly key: Key;
  readonly value: Value | undefined;
  readonly options?: Omit<PutOptions, OfWhole> | undefined;
}

/** Reads a key; made by `op.get`. */
export interface GetOperation {
  readonly type: 'get';
  readonly key: Key;
  readonly options?: Omit<GetOptions, OfWhole> | undefined;
}

/** Reads a range; made by `op.range`. */
export interface RangeOperation {
  readonly type: 'range';
  readonly range: KeyRange;
  readonly options?: Omit<RangeOptions, OfWhole> | undefined;
}

/** Deletes a key or a range; made by `op.delete`. */
export interface DeleteOperation {
  readonly type: 'delete';
  readonly range: KeyRange;
  readonly options?: Omit<DeleteOptions, OfWhole> | undefined;
}

/** A transaction within one; made by `op.txn`. */
export interface TxnOperation<
  Then extends Operations = Operations,
  Else extends Operations = Operations,
> extends Transaction<Then, Else> {
  readonly type: 'txn';
}

/** What a transaction can do. */
export type Operation = PutOperation | GetOperation | RangeOperation | DeleteOperation | TxnOperation;

/** What a transaction does one after the other. */
export type Operations = readonly Operation[];

/** What is done in one step: one list or the other. */
export interface Transaction<Then extends Operations = Operations, Else extends Operations = Operations> {
  /** What must hold for `then`, all of it; made by `compare`. Default: nothing. */
  readonly if?: readonly Comparison[] | undefined;
  /** What is done if that holds; made by `op`. Default: nothing. */
  readonly then?: Then | undefined;
  /** What is done if it does not. Default: nothing. */
  readonly else?: Else | undefined;
}

/**
 * What a transaction does, under `then` and `else`: as the calls of these names, with their options. Each operation finds what
 * those before it have done. No key may be put twice, nor put and deleted.
 *
 * @example
 * ```
 * client.txn$({ then: [op.put('/a', '1'), op.delete({ prefix: '/b/' }), op.get('/c')] }).subscribe();
 * ```
 * @see https://etcd.io/docs/v3.5/learning/api/#transaction
 */
export const op = {
  /** Writes a key. Answered by `{ prevKv? }`. */
  put: (key: Key, value: Value | undefined, options?: PutOperation['options']): PutOperation => ({
    type: 'put',
    key,
    value,
    options,
  }),
  /** Reads a key. Answered by `{ kv? }`. */
  get: (key: Key, options?: GetOperation['options']): GetOperation => ({ type: 'get', key, options }),
  /** Reads a range, in one piece. Answered by `{ kvs, count, more }`. */
  range: (range: KeyRange, options?: RangeOperation['options']): RangeOperation => ({
    type: 'range',
    range,
    options,
  }),
  /** Deletes a key or a range. Answered by `{ deleted, prevKvs }`. */
  delete: (range: KeyRange, options?: DeleteOperation['options']): DeleteOperation => ({
    type: 'delete',
    range,
    options,
  }),
  /**
   * A transaction within this one. It compares what was there before the whole: etcd compares all first. Answered by
   * `{ succeeded, responses }`.
   */
  txn: <const Then extends Operations = readonly [], const Else extends Operations = readonly []>(
    transaction: Transaction<Then, Else>,
  ): TxnOperation<Then, Else> => ({ ...transaction, type: 'txn' }),
};
