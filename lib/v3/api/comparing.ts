import { CompareFailedError } from '../errors.js';
import { keyValue } from '../model/key-value.js';
import type { Message } from '../wire/messages.js';
import type { TxnAnswer } from './kv-calls.js';
import { foundBy } from './settle.js';

/*
 * The parts of a transaction that changes one key if something holds.
 */

/** Reads the key. */
export const readOf = (key: Uint8Array): Message<'RequestOp'> => ({ request_range: { key } });

/** There is no such key. */
export const isAbsent = (key: Uint8Array): Message<'Compare'> => ({
  key,
  target: 'CREATE',
  result: 'EQUAL',
  create_revision: 0,
});

/** Its last change was at that revision. */
export const hasModRevision = (key: Uint8Array, revision: number): Message<'Compare'> => ({
  key,
  target: 'MOD',
  result: 'EQUAL',
  mod_revision: revision,
});

/** What was compared did not hold. */
export const failure = (operation: string, { answer, info }: TxnAnswer): CompareFailedError => {
  const found = foundBy(answer);
  return new CompareFailedError(operation, found && keyValue(found), info);
};
