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

/** Hidden children are left out. A tree may be deeper than the call stack, so nothing here calls itself. */
export function viewOf(top: StoreNode, now: bigint, { depth, sorted = false }: Listing): NodeView {
  const view = plainView(top, now);
  if (depth === 'none') return view;
  const unlisted: [StoreNode, ListedView][] = [[top, view]];
  for (let next; (next = unlisted.pop()) !== undefined;) {
    const [node, listed] = next;
    if (node.children === undefined) continue;
    const shown = [...node.children.values()].filter((child) => !child.hidden);
    if (sorted) shown.sort((a, b) => compareStrings(a.path, b.path));
    listed.nodes = shown.map((child) => {
      const below = plainView(child, now);
      if (depth === 'all') unlisted.push([child, below]);
      return below;
    });
  }
  return view;
}

/** One whose children are still to be filled in. */
type ListedView = NodeView & { nodes?: NodeView[] };

function plainView(node: StoreNode, now: bigint): ListedView {
  const { path: key, value, dir, createdIndex, modifiedIndex } = node;
  const what = dir ? { dir } : { value };
  return { key, ...what, ...expirationOf(node, now), modifiedIndex, createdIndex };
}
