import type { EtcdNode } from '../model.js';

const segmentsOf = (key: string): string[] => key.split('/').filter((segment) => segment !== '');

const deletions = new Set(['delete', 'expire', 'compareAndDelete']);

/**
 * Whether a watch of `key` is to see this event. Compared by path segments: etcd's history also answers with hidden
 * keys, and takes the delete of `/pre` for one of `/prefix`. A deleted ancestor counts, since the key goes with it.
 *
 * @param key the watched key, normalised
 */
export function matches(key: string, recursive: boolean, action: string, node: EtcdNode): boolean {
  const watched = segmentsOf(key);
  const changed = segmentsOf(node.key);
  const common = watched.every((segment, i) => i >= changed.length || segment === changed[i]);
  if (!common) return false;
  if (changed.length === watched.length) return true;
  if (changed.length < watched.length) return node.dir === true && deletions.has(action);
  return recursive && !changed.slice(watched.length).some((segment) => segment.startsWith('_'));
}
