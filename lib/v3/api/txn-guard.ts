import { isSameBytes } from '../../util/same-bytes.js';
import { holds } from '../model/key-range.js';
import type { Message } from '../wire/messages.js';
import { readOf } from './comparing.js';
import { writes } from './retry-classes.js';
import { kept, type Commit } from './settle.js';

/** A transaction that is applied once at most, however often it is sent, as far as that is to be known to settle it. */
type Guarded = Omit<Commit, 'operation'>;

/**
 * A transaction with its guard: it demands a mod revision of a key that its success changes, and its failure changes nothing.
 * Its failure reads that key as well, first. Undefined if it has no guard.
 */
export function guarded(message: Message<'TxnRequest'>): Guarded | undefined {
  const { compare = [], success = [], failure = [] } = message;
  if (writes({ failure })) return undefined;
  for (const { target, result, key, range_end, mod_revision: guard = 0 } of compare) {
    if (target !== 'MOD' || result !== 'EQUAL' || guard === 0) continue;
    if (key === undefined || range_end !== undefined) continue;
    const isOther = (compared: Message<'Compare'>): boolean =>
      compared.range_end !== undefined || compared.key === undefined || !isSameBytes(compared.key, key);
    const change = success.find((operation) => changes(operation, key));
    if (change === undefined) continue;
    const { request_put: put } = change;
    return {
      key,
      guard,
      message: { ...message, failure: [readOf(key), ...failure] },
      comparesOthers: compare.some(isOther),
      value: put?.ignore_value === true ? kept : put?.value,
      lease: put?.ignore_lease === true ? kept : put?.lease,
    };
  }
  return undefined;
}

/** Whether an operation surely changes that key, if it is there. */
function changes(
  { request_put: put, request_delete_range: gone }: Message<'RequestOp'>,
  key: Uint8Array,
): boolean {
  if (put?.key !== undefined) return isSameBytes(put.key, key);
  return gone?.key !== undefined && holds({ key: gone.key, range_end: gone.range_end }, key);
}
