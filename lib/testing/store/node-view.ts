import { compareStrings } from '../go/sorted.js';
import { formatTime, secondsUntil } from './clock.js';
import type { StoreNode } from './node.js';

/** A node as an answer shows it. */
export interface NodeView {
  /** The full path, with its namespace. */
  readonly key: string;
  readonly value?: string;
  readonly dir?: true;
  readonly expiration?: string;
  /** Seconds left; 0 is not shown. */
  readonly ttl?: number;
  readonly nodes?: NodeView[];
  readonly modifiedIndex: number;
  readonly createdIndex: number;
}

export interface Listing {
  /** How many levels of children: none, its own, or all. */
  depth: 'none' | 'children' | 'all';
  sorted?: boolean;
}

export type Expiration = Pick<NodeView, 'expiration' | 'ttl'>;

export function expirationOf({ expireTime }: StoreNode, now: bigint): Expiration {
  if (expireTime === undefined) return {};
  return { expiration: formatTime(expireTime), ttl: secondsUntil(expireTime, now) };
}

/** Hidden children are left out. */
export function viewOf(node: StoreNode, now: bigint, { depth, sorted = false }: Listing): NodeView {
  const { path: key, value, children, createdIndex, modifiedIndex } = node;
  const indexes = { modifiedIndex, createdIndex };
  if (children === undefined) return { key, value, ...expirationOf(node, now), ...indexes };
  const view: NodeView = { key, dir: true, ...expirationOf(node, now), ...indexes };
  if (depth === 'none') return view;
  const below: Listing = { depth: depth === 'all' ? 'all' : 'none', sorted };
  const nodes = [...children.values()]
    .filter((child) => !child.hidden)
    .map((child) => viewOf(child, now, below));
  if (sorted) nodes.sort((a, b) => compareStrings(a.key, b.key));
  return { ...view, nodes };
}
