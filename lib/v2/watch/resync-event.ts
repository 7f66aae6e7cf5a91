import type { ResyncEvent } from '../model.js';
import type { Cursor } from './cursor.js';
import type { State } from './read-state.js';

/** The event that carries the state in place of what was lost. */
export function resyncEvent(cursor: Cursor, { node, index, info }: State): ResyncEvent {
  const from = cursor.next ?? index;
  return { action: 'resync', node, index, lost: { from, to: Math.max(from, index) }, info };
}
