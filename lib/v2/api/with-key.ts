import type { EtcdNode } from '../model/model.js';

/** etcd's root comes without a key; gives it its own. */
export function withKey(node: EtcdNode): EtcdNode {
  return (node.key as string | undefined) === undefined ? { ...node, key: '/' } : node;
}
