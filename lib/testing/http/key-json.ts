import type { NodeView } from '../store/node-view.js';
import type { StoreEvent } from '../store/store-event.js';
import { toJson } from '../go/to-json.js';

/** Where the keys of users stand in the store. */
export const keysNamespace = '/1';

/** A full path, or text that begins with one, as users see it. */
export const trimNamespace = (path: string): string =>
  path.startsWith(keysNamespace) ? path.slice(keysNamespace.length) : path;

/** An event as users see it, on a line of its own. */
export function eventLine({ action, node, prevNode }: StoreEvent): string {
  const prev = prevNode === undefined ? '' : `,"prevNode":${nodeJson(prevNode)}`;
  return `{"action":"${action}","node":${nodeJson(node)}${prev}}\n`;
}

/** A tree may be deeper than the call stack, and than JSON.stringify goes, so each node is written by itself. */
function nodeJson(top: NodeView): string {
  const written: string[] = [];
  const waiting: (NodeView | string)[] = [top];
  for (let next; (next = waiting.pop()) !== undefined;) {
    if (typeof next === 'string') written.push(next);
    else if (next.nodes === undefined || next.nodes.length === 0)
      written.push(toJson({ ...ownFields(next), ...indexesOf(next) }));
    else {
      const [before, after] = [toJson(ownFields(next)), toJson(indexesOf(next))];
      written.push(before.slice(0, -1), ',"nodes":[');
      waiting.push(after === '{}' ? ']}' : `],${after.slice(1)}`);
      for (let i = next.nodes.length - 1; i >= 0; i--) {
        const child = next.nodes[i];
        if (child !== undefined) waiting.push(child);
        if (i > 0) waiting.push(',');
      }
    }
  }
  return written.join('');
}

/** Fields in etcd's order, those before the children and those behind; left out where they are empty, but for a file's value. */
function ownFields(view: NodeView): object {
  const key = trimNamespace(view.key);
  const { value, dir, expiration, ttl = 0 } = view;
  return {
    ...(key !== '' && { key }),
    ...(value !== undefined && { value }),
    ...(dir && { dir }),
    ...(expiration !== undefined && { expiration }),
    ...(ttl !== 0 && { ttl }),
  };
}

const indexesOf = ({ modifiedIndex, createdIndex }: NodeView): object => ({
  ...(modifiedIndex > 0 && { modifiedIndex }),
  ...(createdIndex > 0 && { createdIndex }),
});
