import { check, checkOptions, demand, isRecord, type Check } from '../../check.js';
import { InvalidOptionError } from '../../errors.js';
import { boundsOf, keyBytes } from '../model/key-range.js';
import type { Message } from '../wire/messages.js';
import { compareRequest } from './compare.js';
import { readChecks } from './kv-calls.js';
import type { Operation, Operations, Transaction } from './op.js';
import { deleteChecks, putChecks, putRequest } from './put-options.js';
import { rangeChecks, rangeRequest, selected } from './range-options.js';
import { writes } from './retry-classes.js';

/** So many transactions stand within one another, at most: a message takes no more levels. */
const maxNested = 200;

const list: Check = (v) => (Array.isArray(v) ? undefined : 'a list');
const partChecks: Record<string, Check> = { if: list, then: list, else: list };
const ofWhole: Record<string, Check> = { serializable: () => 'none here: it is an option of txn$' };
const operationChecks: Readonly<Record<Operation['type'], Record<string, Check>>> = {
  put: putChecks,
  get: { ...readChecks, ...ofWhole },
  range: { ...rangeChecks, ...ofWhole },
  delete: deleteChecks,
  txn: {},
};
const typeCheck = check.oneOf(...Object.keys(operationChecks));

/** Where an operation stands. */
interface Place {
  /** As `then[0]`. */
  readonly path: string;
  readonly nested: number;
  readonly serializable: boolean;
}

/** A transaction as etcd is asked for it; throws InvalidOptionError for what no server takes, naming where it stands. */
export function txnRequest(transaction: Transaction, serializable: boolean): Message<'TxnRequest'> {
  demand('transaction', transaction, check.object);
  checkOptions('', transaction, partChecks);
  const message = requestOf(transaction, '', { nested: 0, serializable });
  if (writes(message)) refusePast(message);
  return serializable ? message : linearizable(message);
}

function requestOf(
  { if: compared, then, else: otherwise }: Transaction,
  path: string,
  { nested, serializable }: Omit<Place, 'path'>,
): Message<'TxnRequest'> {
  if (nested > maxNested)
    throw new InvalidOptionError(path, nested, `at most ${maxNested} transactions within one another`);
  const operations = (name: string, given: Operations = []): readonly Message<'RequestOp'>[] =>
    Array.from(given, (operation, i) =>
      operationRequest(operation, { path: `${path}${name}[${i}]`, nested, serializable }),
    );
  return {
    compare: Array.from(compared ?? [], (comparison, i) => compareRequest(comparison, `${path}if[${i}]`)),
    success: operations('then', then),
    failure: operations('else', otherwise),
  };
}

function operationRequest(operation: Operation, { path, nested, serializable }: Place): Message<'RequestOp'> {
  // What comes from JavaScript may be anything.
  if (!isRecord(operation) || typeCheck(operation.type) !== undefined)
    throw new InvalidOptionError(path, operation, 'an operation, as op.put(key, value)', { secret: true });
  const at = `${path}.`;
  if (operation.type === 'txn') {
    const { type: _, ...transaction } = operation;
    checkOptions(at, transaction, partChecks);
    return { request_txn: requestOf(operation, at, { nested: nested + 1, serializable }) };
  }
  checkOptions(at, operation.options, operationChecks[operation.type]);
  switch (operation.type) {
    case 'put':
      return { request_put: putRequest(operation.key, operation.value, operation.options ?? {}, at) };
    case 'get':
      return {
        request_range: {
          ...selected(operation.options ?? {}),
          key: keyBytes(`${at}key`, operation.key),
          serializable,
        },
      };
    case 'range':
      return {
        request_range: { ...rangeRequest(operation.range, operation.options ?? {}, at), serializable },
      };
    case 'delete':
      return {
        request_delete_range: {
          ...boundsOf(`${at}range`, operation.range),
          prev_kv: operation.options?.prevKv,
        },
      };
  }
}

/**
 * Beside a write a read of the past is executed by each member on its own: one that has compacted its store refuses all of it,
 * while others apply it (etcd before 3.7), and from then on they differ.
 */
function refusePast({ success = [], failure = [] }: Message<'TxnRequest'>, path = ''): void {
  for (const [name, operations] of [
    ['then', success],
    ['else', failure],
  ] as const)
    operations.forEach(({ request_range, request_txn }, i) => {
      const at = `${path}${name}[${i}].`;
      if (request_range?.revision !== undefined)
        throw new InvalidOptionError(
          `${at}revision`,
          request_range.revision,
          'none in a transaction that may write: servers before 3.7 may come to differ by it',
        );
      if (request_txn !== undefined) refusePast(request_txn, at);
    });
}

/** Comparisons alone are answered by any member from what it has; one read makes it ask a majority. Nobody sees its answer. */
function linearizable(message: Message<'TxnRequest'>): Message<'TxnRequest'> {
  const { compare: [first] = [], success = [], failure = [] } = message;
  if (first === undefined || success.length + failure.length > 0) return message;
  return { ...message, success: [{ request_range: { key: first.key, count_only: true } }] };
}
