import { isRecord } from '../check.js';

/** Actions whose node has a value, unless it is a directory. */
const valued = new Set(['get', 'set', 'create', 'update', 'compareAndSwap']);

/**
 * An answer of the keys API before etcd 2.0, in the form of today. 0.2 leaves out empty values and never sends
 * `prevNode`; 0.2.0-rc1 is flat: the node's fields stand in the answer itself, children are `kvs`.
 */
export function modernBody(json: Record<string, unknown>): Record<string, unknown> {
  const { action, node, prevNode, prevValue, ...flat } = json;
  const hasValue = valued.has(String(action));
  const key = flat['key'];
  const before = isRecord(prevNode)
    ? prevNode
    : typeof prevValue === 'string'
      ? { key, value: prevValue }
      : undefined;
  return {
    action,
    node: modernNode(isRecord(node) ? node : flat, hasValue),
    ...(before === undefined ? {} : { prevNode: modernNode(before, true) }),
  };
}

function modernNode(
  { kvs, nodes = kvs, ...node }: Record<string, unknown>,
  hasValue: boolean,
): Record<string, unknown> {
  const isDirectory = node['dir'] === true;
  const value = typeof node['value'] === 'string' ? node['value'] : hasValue && !isDirectory ? '' : undefined;
  // rc1 gives directories an empty value.
  const { value: _, ...rest } = node;
  return {
    ...rest,
    ...(value === undefined || isDirectory ? {} : { value }),
    ...(Array.isArray(nodes)
      ? { nodes: nodes.filter(isRecord).map((child) => modernNode(child, true)) }
      : {}),
  };
}
