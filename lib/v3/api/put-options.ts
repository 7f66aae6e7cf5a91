import { check, demand, secret, type Check } from '../../check.js';
import { InvalidOptionError } from '../../errors.js';
import type { CallOptions } from '../../options.js';
import { bytesOf, keyBytes, type Key, type Value } from '../model/key-range.js';
import type { Message } from '../wire/messages.js';
import { leaseChecks } from './kv-calls.js';

/** What a write may want beside its key and value. */
export interface PutOptions extends CallOptions {
  /**
   * The id of the lease that the key is bound to from now on, in hexadecimal: the key is deleted with it. Default: none, and
   * the key loses the one that it had.
   */
  lease?: string | undefined;
  /** Tells what was there before. Default false. */
  prevKv?: boolean | undefined;
  /** Keeps the value that the key has: give undefined for it; the key must exist. Default false. */
  ignoreValue?: boolean | undefined;
  /** Keeps the lease that the key has; the key must exist. Default false. */
  ignoreLease?: boolean | undefined;
}

/** Options of `delete$`. */
export interface DeleteOptions extends CallOptions {
  /** Tells what was there before. Default false. */
  prevKv?: boolean | undefined;
}

/** The checks of the options of `delete$`. */
export const deleteChecks: Record<string, Check> = { prevKv: check.boolean };

/** The checks of the options of `put$`. */
export const putChecks: Record<string, Check> = {
  ...leaseChecks,
  ...deleteChecks,
  ignoreValue: check.boolean,
  ignoreLease: check.boolean,
};

/** A write as etcd is asked for it, of options that were checked; `path` is where it stands, as `then[0].`. */
export function putRequest(
  key: Key,
  value: Value | undefined,
  { lease, prevKv, ignoreValue, ignoreLease }: PutOptions,
  path = '',
): Message<'PutRequest'> {
  if (ignoreValue === true) demand(`${path}value`, value, noValue);
  if (ignoreLease === true && lease !== undefined)
    throw new InvalidOptionError(`${path}lease`, lease, 'no lease beside ignoreLease');
  return {
    key: keyBytes(`${path}key`, key),
    value: ignoreValue === true ? undefined : bytesOf(`${path}value`, value),
    lease,
    prev_kv: prevKv,
    ignore_value: ignoreValue,
    ignore_lease: ignoreLease,
  };
}

const noValue = secret((v) => (v === undefined ? undefined : 'no value beside ignoreValue'));
