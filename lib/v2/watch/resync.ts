import type { EtcdNode } from '../model.js';
import type { Cursor } from './cursor.js';
import type { LegItem } from './leg-item.js';
import type { State } from './read-state.js';

/** Moves the cursor to a state that was read afresh; the event that carries it in place of what was lost. */
export function resync(cursor: Cursor, { node, index, info }: State): LegItem {
  const from = cursor.next ?? index;
  cursor.arriveAt(index);
  cursor.keysWithTtl = countKeysWithTtl(node);
  const lost = { from, to: Math.max(from, index) };
  return { type: 'event', event: { action: 'resync', node, index, lost, info } };
}

/** The keys of a state that have a TTL. */
export function countKeysWithTtl({ expiration, nodes = [] }: EtcdNode): number {
  return nodes.reduce((sum, node) => sum + countKeysWithTtl(node), expiration === undefined ? 0 : 1);
}
