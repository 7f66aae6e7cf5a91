import { EtcdErrorCode } from '../../errors.js';
import type { HttpMethod } from '../../transport/http.js';
import { kindOf } from '../../util/kind-of.js';
import type { EtcdAction, EtcdNode } from '../model/model.js';

/** A success of the keys API, as it stands in the body. */
export interface KeysBody {
  readonly action: EtcdAction;
  readonly node?: EtcdNode;
  readonly prevNode?: EtcdNode;
}

const actions: ReadonlySet<unknown> = new Set<EtcdAction>([
  'get',
  'set',
  'create',
  'update',
  'delete',
  'expire',
  'compareAndSwap',
  'compareAndDelete',
]);

/** What is wrong with an answer of the keys API, if anything; never a value of it. */
export function keysBodyFlaw({ action, node, prevNode }: Record<string, unknown>): string | undefined {
  if (!actions.has(action)) return 'its action is none of etcd';
  // Only a write can be asked to leave it out.
  if (node === undefined) return action === 'get' ? 'node is missing' : undefined;
  const flaw = nodeFlaw(node);
  if (flaw !== undefined) return `node${shortened(flaw)}`;
  const before = prevNode === undefined ? undefined : nodeFlaw(prevNode);
  return before === undefined ? undefined : `prevNode${shortened(before)}`;
}

/** What was asked of the keys API. */
export interface Asked {
  readonly key: string;
  readonly method: HttpMethod;
  /** The answer may come without its node. */
  readonly sparse?: boolean;
}

/** What shows that an answer belongs to another request, as a proxy or a cache may mix them up. */
export function mixUp(
  { action, node }: KeysBody,
  { key, method, sparse = false }: Asked,
): string | undefined {
  if ((action === 'get') !== (method === 'GET')) return `it tells of a ${action}`;
  if (node === undefined) return sparse ? undefined : 'node is missing';
  const { key: own = '/' } = node as Partial<EtcdNode>;
  // In order: etcd makes the last part.
  const fits =
    method === 'POST' ? own.slice(0, own.lastIndexOf('/')) === (key === '/' ? '' : key) : own === key;
  return fits ? undefined : `it is of the key ${own}`;
}

/** Errors whose cause is a key: that which was asked for, or one above it. */
const aboutKeys: ReadonlySet<unknown> = new Set([
  EtcdErrorCode.KeyNotFound,
  EtcdErrorCode.NotDirectory,
  EtcdErrorCode.KeyExists,
]);

/** The same of an error. */
export function errorMixUp(
  { errorCode, cause }: Record<string, unknown>,
  { key }: Pick<Asked, 'key'>,
): string | undefined {
  if (!aboutKeys.has(errorCode) || typeof cause !== 'string' || !cause.startsWith('/')) return undefined;
  const fits = cause === '/' || key === cause || key.startsWith(`${cause}/`);
  return fits ? undefined : `it is of the key ${cause}`;
}

/** What is wrong with an event, which has a node and a place in history. */
export function eventFlaw({ action, node }: KeysBody): string | undefined {
  if (action === 'get') return 'it is a read, not an event';
  return (node?.modifiedIndex ?? 0) > 0 ? undefined : 'node.modifiedIndex is missing';
}

/** The deepest place says most. */
const shortened = (flaw: string): string => (flaw.length > 100 ? `...${flaw.slice(-100)}` : flaw);

/** By hand, not by shapes: a listing may have ten thousand of them. */
function nodeFlaw(node: unknown, isChild = false): string | undefined {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return ` is ${kindOf(node)}`;
  const { key, value, dir, nodes, ttl, expiration, createdIndex, modifiedIndex } = node as Partial<
    Record<keyof EtcdNode, unknown>
  >;
  // etcd's root comes without a key.
  if (typeof key !== 'string' && (key !== undefined || isChild)) return `.key is ${kindOf(key)}`;
  if (value !== undefined && typeof value !== 'string') return `.value is ${kindOf(value)}`;
  if (dir !== undefined && typeof dir !== 'boolean') return `.dir is ${kindOf(dir)}`;
  if (ttl !== undefined && !Number.isSafeInteger(ttl)) return `.ttl is ${numberOrKind(ttl)}`;
  if (expiration !== undefined && typeof expiration !== 'string')
    return `.expiration is ${kindOf(expiration)}`;
  if (createdIndex !== undefined && !isIndex(createdIndex))
    return `.createdIndex is ${numberOrKind(createdIndex)}`;
  if (modifiedIndex !== undefined && !isIndex(modifiedIndex))
    return `.modifiedIndex is ${numberOrKind(modifiedIndex)}`;
  if (nodes === undefined) return undefined;
  if (!Array.isArray(nodes)) return `.nodes is ${kindOf(nodes)}`;
  for (let i = 0; i < nodes.length; i += 1) {
    const flaw = nodeFlaw(nodes[i], true);
    if (flaw !== undefined) return `.nodes[${i}]${flaw}`;
  }
  return undefined;
}

/** An index that can be counted on: an integer that a JavaScript number holds. */
export const isIndex = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;

const numberOrKind = (v: unknown): string =>
  typeof v === 'number' ? 'a number that is no index' : kindOf(v);
