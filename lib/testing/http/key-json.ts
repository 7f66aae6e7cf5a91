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
  const json = { action, node: nodeJson(node), ...(prevNode && { prevNode: nodeJson(prevNode) }) };
  return `${toJson(json)}\n`;
}

/** Fields in etcd's order; left out where they are empty, but for a file's value. */
function nodeJson(view: NodeView): object {
  const key = trimNamespace(view.key);
  const { value, dir, expiration, ttl = 0, nodes = [], modifiedIndex, createdIndex } = view;
  return {
    ...(key !== '' && { key }),
    ...(value !== undefined && { value }),
    ...(dir && { dir }),
    ...(expiration !== undefined && { expiration }),
    ...(ttl !== 0 && { ttl }),
    ...(nodes.length > 0 && { nodes: nodes.map((node) => nodeJson(node)) }),
    ...(modifiedIndex > 0 && { modifiedIndex }),
    ...(createdIndex > 0 && { createdIndex }),
  };
}
