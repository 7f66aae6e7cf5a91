import { isRecord, isWellFormed } from '../../check.js';
import { InvalidOptionError } from '../../errors.js';
import { kindOf } from '../../util/kind-of.js';
import { fromBase64, toBase64 } from '#platform/util/base64-bytes.js';
import { idNumber, idText, leaseText } from './ids.js';
import {
  enums,
  messages,
  type Answer,
  type EnumName,
  type Field,
  type Label,
  type Message,
  type MessageName,
  type Scalar,
} from './messages.js';

/*
 * The JSON of etcd's gateway, after "gRPC gateway" of etcd's documentation and the JSON mapping of protobuf: bytes in base64,
 * 64-bit integers as decimal text, fields by their protobuf names, defaults left out of answers.
 */

/** What an answer holds has another shape than etcd gives it; the message goes on behind the name of the answer. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

/** Transactions within transactions take two levels each. Who nests deeper would run out of stack. */
const maxDepth = 500;

/** How one kind of value is written and read. */
interface Kind {
  /** Undefined if the value is not of that kind. */
  readonly write: (value: unknown, path: string, depth: number) => unknown;
  readonly read: (json: unknown, depth: number) => unknown;
  /** What is meant when nothing is there. */
  readonly absent: unknown;
  /** For messages: what is wanted. */
  readonly wanted: string;
}

interface FieldPlan {
  readonly name: string;
  readonly kind: Kind;
  readonly label: Label | undefined;
}

/** One message as the gateway's JSON takes it; throws InvalidOptionError for what is no such message. */
export function encodeJson<M extends MessageName>(name: M, message: Message<M>): string {
  return JSON.stringify(writeFields(planOf(name), message, name, 0));
}

/** What the gateway's JSON, parsed, tells of one message; throws ShapeError for what is no such message. */
export function decodeJson<M extends MessageName>(name: M, json: unknown): Answer<M> {
  return readFields(planOf(name), json, 0) as unknown as Answer<M>;
}

function writeFields(
  plan: readonly FieldPlan[],
  message: Readonly<Record<string, unknown>>,
  path: string,
  depth: number,
): Record<string, unknown> {
  if (depth > maxDepth)
    throw new InvalidOptionError('message', message, `at most ${maxDepth} levels`, { secret: true });
  const json: Record<string, unknown> = {};
  for (const { name, kind, label } of plan) {
    const value = message[name];
    if (value === undefined) continue;
    const field = `${path}.${name}`;
    json[name] = label === 'list' ? writeList(kind, value, field, depth) : written(kind, value, field, depth);
  }
  refuseOthers(plan, message, path);
  return json;
}

/** Gateways ignore a name that they do not know, and some take the first of two choices. */
function refuseOthers(
  plan: readonly FieldPlan[],
  message: Readonly<Record<string, unknown>>,
  path: string,
): void {
  const given = Object.keys(message).filter((name) => message[name] !== undefined);
  const unknown = given.find((name) => !plan.some((field) => field.name === name));
  if (unknown !== undefined)
    throw refusal(
      `${path}.${unknown}`,
      message[unknown],
      `one of ${plan.map(({ name }) => name).join(', ') || 'nothing'}`,
    );
  const chosen = plan.filter(({ name, label }) => label === 'choice' && message[name] !== undefined);
  if (chosen.length > 1)
    throw refusal(path, message, `one alone of ${chosen.map(({ name }) => name).join(', ')}`);
}

function writeList(kind: Kind, value: unknown, path: string, depth: number): unknown[] {
  if (!Array.isArray(value)) throw refusal(path, value, 'a list');
  return value.map((item: unknown, i) => written(kind, item, `${path}[${i}]`, depth));
}

function written(kind: Kind, value: unknown, path: string, depth: number): unknown {
  const json = kind.write(value, path, depth);
  if (json === undefined) throw refusal(path, value, kind.wanted);
  return json;
}

/** Texts and bytes may be passwords. */
const refusal = (path: string, value: unknown, wanted: string): InvalidOptionError =>
  new InvalidOptionError(path, value, wanted, { secret: typeof value !== 'number' });

function readFields(plan: readonly FieldPlan[], json: unknown, depth: number): Record<string, unknown> {
  if (!isRecord(json)) throw new ShapeError(` is ${kindOf(json)}`);
  if (depth > maxDepth) throw new ShapeError(` has more than ${maxDepth} levels`);
  const message: Record<string, unknown> = {};
  for (const { name, kind, label } of plan) {
    const value = json[name];
    try {
      message[name] = label === 'list' ? readList(kind, value, depth) : readOne(kind, value, label, depth);
    } catch (error) {
      throw within(`.${name}`, error);
    }
  }
  return message;
}

function readOne(kind: Kind, value: unknown, label: Label | undefined, depth: number): unknown {
  if (value === undefined || value === null) return label === 'choice' ? undefined : kind.absent;
  return kind.read(value, depth);
}

function readList(kind: Kind, value: unknown, depth: number): unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new ShapeError(` is ${kindOf(value)}`);
  const list: unknown[] = [];
  for (const [i, item] of value.entries()) {
    try {
      list.push(kind.read(item, depth));
    } catch (error) {
      throw within(`[${i}]`, error);
    }
  }
  return list;
}

const within = (place: string, error: unknown): unknown =>
  error instanceof ShapeError ? new ShapeError(`${place}${error.message}`) : error;

const no = (wanted: string): ShapeError => new ShapeError(` is not ${wanted}`);

/** A whole number; one that came as a JSON number and was rounded is above 2^53 as well. */
function wholeNumber(json: unknown, wanted: string, least: number): number {
  const value = typeof json === 'string' && /^-?\d+$/.test(json) ? Number(json) : json;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least) throw no(wanted);
  if (!Number.isSafeInteger(value)) throw new ShapeError(' is above 2^53, which no number here can hold');
  return value;
}

function wideNumber(json: unknown): bigint | undefined {
  if (typeof json === 'string') return /^-?\d{1,20}$/.test(json) ? BigInt(json) : undefined;
  return Number.isSafeInteger(json) ? BigInt(json as number) : undefined;
}

const numberKind = (wanted: string, least: number): Kind => ({
  write: (value) => (Number.isSafeInteger(value) && (value as number) >= least ? String(value) : undefined),
  read: (json) => wholeNumber(json, wanted, least),
  absent: 0,
  wanted,
});

const idKind = (text: (id: bigint) => string | undefined, wanted: string): Kind => ({
  write: (value) => {
    const id = typeof value === 'string' ? idNumber(value) : undefined;
    return id === undefined || (id !== 0n && text(id) === undefined) ? undefined : id.toString();
  },
  read: (json) => {
    const id = wideNumber(json);
    const known = id === undefined ? undefined : text(id);
    if (known === undefined && id !== 0n) throw no(wanted);
    return known;
  },
  absent: undefined,
  wanted,
});

const noBytes = new Uint8Array();

const scalars: Readonly<Record<Scalar, Kind>> = {
  bytes: {
    write: (value) => (value instanceof Uint8Array ? toBase64(value) : undefined),
    read: (json) => {
      const bytes = typeof json === 'string' ? fromBase64(json) : undefined;
      if (bytes === undefined) throw no('base64');
      return bytes;
    },
    absent: noBytes,
    wanted: 'a Uint8Array',
  },
  string: {
    write: (value) => (typeof value === 'string' && isWellFormed(value) ? value : undefined),
    read: (json) => {
      if (typeof json !== 'string') throw no('text');
      return json;
    },
    absent: '',
    wanted: 'a string without lone surrogates',
  },
  bool: {
    write: (value) => (typeof value === 'boolean' ? value : undefined),
    read: (json) => {
      if (typeof json !== 'boolean') throw no('a boolean');
      return json;
    },
    absent: false,
    wanted: 'a boolean',
  },
  uint32: numberKind('an integer of 0 or more', 0),
  int64: numberKind('an integer', -Infinity),
  uint64: numberKind('an integer of 0 or more', 0),
  id: idKind(idText, 'the id of a cluster or member, in hexadecimal digits'),
  lease: idKind(leaseText, 'the id of a lease, in hexadecimal digits'),
};

function enumKind(names: readonly string[]): Kind {
  const wanted = names.map((name) => `'${name}'`).join(' or ');
  return {
    write: (value) => (names.includes(value as string) ? value : undefined),
    read: (json) => {
      const name = typeof json === 'number' ? names[json] : json;
      if (!names.includes(name as string)) throw no(wanted);
      return name;
    },
    absent: names[0],
    wanted,
  };
}

const messageKind = (name: MessageName): Kind => ({
  write: (value, path, depth) =>
    isRecord(value) ? writeFields(planOf(name), value, path, depth + 1) : undefined,
  read: (json, depth) => readFields(planOf(name), json, depth + 1),
  absent: undefined,
  wanted: 'an object',
});

function kindNamed(type: string): Kind {
  if (Object.hasOwn(scalars, type)) return scalars[type as Scalar];
  if (Object.hasOwn(enums, type)) return enumKind(enums[type as EnumName]);
  return messageKind(type as MessageName);
}

/** Made when a message is met for the first time. */
const plans = new Map<MessageName, readonly FieldPlan[]>();

function planOf(name: MessageName): readonly FieldPlan[] {
  const known = plans.get(name);
  if (known !== undefined) return known;
  const fields: Readonly<Record<string, Field>> = messages[name];
  const plan = Object.entries(fields).map(([field, [, type, label]]) => ({
    name: field,
    kind: kindNamed(type),
    label,
  }));
  plans.set(name, plan);
  return plan;
}
