import { isRecord } from '../../check.js';

/** Actions whose node has a value, unless it is a directory. */
const valued = new Set(['get', 'set', 'create', 'update', 'compareAndSwap']);

/**
 * An answer of the keys API before etcd 2.0, in the form of today. 0.2 leaves out empty values and never sends
 * `prevNode`; 0.2.0-rc1 is flat: the node's fields stand in the answer itself, children are `kvs`. What has a wrong shape
 * stays as it is, for the decoder to find.
 */
export function modernBody(json: Record<string, unknown>): Record<string, unknown> {
  const { action, node: own, prevNode: before, prevValue, ...flat } = json;
  const { key } = flat;
  const hasValue = valued.has(String(action));
  const node = own === undefined && key !== undefined ? flat : own;
  const prevNode = before === undefined && typeof prevValue === 'string' ? { key, value: prevValue } : before;
  return {
    action,
    ...(node === undefined ? {} : { node: modernNode(node, hasValue) }),
    ...(prevNode === undefined ? {} : { prevNode: modernNode(prevNode, true) }),
  };
}

function modernNode(given: unknown, hasValue: boolean): unknown {
  if (!isRecord(given)) return given;
  const { kvs, nodes = kvs, value, ...node } = given;
  // rc1 gives directories an empty value.
  const isDirectory = node['dir'] === true;
  if (value !== undefined && !isDirectory) node['value'] = value;
  else if (hasValue && !isDirectory) node['value'] = '';
  if (!Array.isArray(nodes)) return nodes === undefined ? node : { ...node, nodes };
  // A loop, not a callback: a tree may be deep, and each of its levels takes from the stack.
  const children: unknown[] = [];
  for (const child of nodes) children.push(modernNode(child, true));
  return { ...node, nodes: children };
}
