import { check, demand, isRecord, type Check } from '../../check.js';
import { InvalidOptionError } from '../../errors.js';
import { boundsOf, bytesOf, type KeyRange, type Value } from '../model/key-range.js';
import { idNumber, leaseText } from '../wire/ids.js';
import type { Message } from '../wire/messages.js';

/** What is compared, by etcd's names. */
const targets = {
  value: 'VALUE',
  version: 'VERSION',
  createRevision: 'CREATE',
  modRevision: 'MOD',
  lease: 'LEASE',
} as const;
const results = {
  equals: 'EQUAL',
  notEquals: 'NOT_EQUAL',
  greaterThan: 'GREATER',
  lessThan: 'LESS',
} as const;

/** Something that must hold of a key, or of each key of a range; made by `compare`. */
export interface Comparison {
  readonly target: keyof typeof targets;
  readonly range: KeyRange;
  readonly result: keyof typeof results;
  /** What it is compared with: of a value its text or bytes, of a lease its id, else a number. */
  readonly operand: Value | number;
}

/** What can be told apart. */
export interface Distinct<T> {
  /** It is that. */
  equals(operand: T): Comparison;
  /** It is anything else. */
  notEquals(operand: T): Comparison;
}

/** What has an order besides. */
export interface Ordered<T> extends Distinct<T> {
  /** It is above that. */
  greaterThan(operand: T): Comparison;
  /** It is below that. */
  lessThan(operand: T): Comparison;
}

function ordered<T extends Value | number>(target: Comparison['target'], range: KeyRange): Ordered<T> {
  const by =
    (result: Comparison['result']) =>
    (operand: T): Comparison => ({ target, range, result, operand });
  return {
    equals: by('equals'),
    notEquals: by('notEquals'),
    greaterThan: by('greaterThan'),
    lessThan: by('lessThan'),
  };
}

/**
 * What a transaction demands under `if`: of a key, or of each key of a range. A key that is not there has version, revisions
 * and lease 0, and so has a range without keys; of its value nothing holds, not even `notEquals`. Values are ordered by their
 * bytes.
 *
 * @example
 * ```
 * compare.modRevision('/config/colour').equals(kv.modRevision);
 * compare.value('/leader').notEquals('me');
 * compare.absent({ prefix: '/locks/' });
 * ```
 * @see https://etcd.io/docs/v3.5/learning/api/#transaction
 */
export const compare = {
  /** Its value. */
  value: (range: KeyRange): Ordered<Value> => ordered('value', range),
  /** How often it was written since it was created; 0: there is no such key. */
  version: (range: KeyRange): Ordered<number> => ordered('version', range),
  /** The revision at which it was created; 0: there is no such key. */
  createRevision: (range: KeyRange): Ordered<number> => ordered('createRevision', range),
  /** The revision of its last change; 0: there is no such key. */
  modRevision: (range: KeyRange): Ordered<number> => ordered('modRevision', range),
  /** The id of the lease that it is bound to, in hexadecimal; `'0'`: to none. */
  lease: (range: KeyRange): Distinct<string> => ordered('lease', range),
  /** There is such a key; of a range: at least one. */
  exists: (range: KeyRange): Comparison => compare.version(range).greaterThan(0),
  /** There is no such key; of a range: not one. */
  absent: (range: KeyRange): Comparison => compare.createRevision(range).equals(0),
};

const number: Check = (v) =>
  Number.isSafeInteger(v) && (v as number) >= 0 ? undefined : 'an integer of 0 or more';
const lease: Check = (v) => {
  const id = typeof v === 'string' ? idNumber(v) : undefined;
  return id === undefined || (id !== 0n && leaseText(id) === undefined)
    ? "the id of a lease, in hexadecimal digits, or '0' for none"
    : undefined;
};

/** The field that goes with a target, and what may stand in it: beside another one etcd would compare something else. */
const operands = {
  version: ['version', number],
  createRevision: ['create_revision', number],
  modRevision: ['mod_revision', number],
  lease: ['lease', lease],
} as const;
const targetCheck = check.oneOf(...Object.keys(targets));
const resultCheck = check.oneOf(...Object.keys(results));

function operandOf({ target, operand }: Comparison, path: string): Message<'Compare'> {
  const name = `${path}.${target}`;
  if (target === 'value') return { value: bytesOf(name, operand) };
  const [field, test] = operands[target];
  demand(name, operand, test);
  return { [field]: operand };
}

/** A comparison as etcd is asked for it; `path` is where it stands, as `if[0]`. Throws InvalidOptionError. */
export function compareRequest(given: Comparison, path: string): Message<'Compare'> {
  // What comes from JavaScript may be anything: most often `compare.version(key)` alone.
  if (!isRecord(given) || !('target' in given))
    throw new InvalidOptionError(path, given, 'a comparison, as compare.version(key).equals(1)', {
      secret: true,
    });
  const { target, range, result } = given;
  demand(`${path}.target`, target, targetCheck);
  demand(`${path}.result`, result, resultCheck);
  return {
    target: targets[target],
    result: results[result],
    ...boundsOf(`${path}.range`, range),
    ...operandOf(given, path),
  };
}
