import type { WatchEvent } from '../model.js';
import type { Cursor } from './cursor.js';
import type { State } from './read-state.js';

/** The event that carries a state: at the start, or in place of what was lost. */
export function stateEvent(
  cursor: Cursor,
  start: 'sync' | 'resync',
  { node, index, info }: State,
): WatchEvent {
  if (start === 'sync') return { action: 'sync', node, index, info };
  const from = cursor.next ?? index;
  return { action: 'resync', node, index, lost: { from, to: Math.max(from, index) }, info };
}
