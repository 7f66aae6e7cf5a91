import type { EtcdNode } from '../model/model.js';

const segmentsOf = (key: string): string[] => key.split('/').filter((segment) => segment !== '');

/** What takes along all that is below; compareAndDelete is for files alone. */
const deletions = new Set(['delete', 'expire']);

/**
 * Whether a watch of `key` is to see this event. Compared by path segments: etcd's history also answers with hidden
 * keys, and takes the delete of `/pre` for one of `/prefix`. An ancestor that was deleted or has expired counts, since the
 * key goes with it. That it was a directory etcd up to 3.1 does not say; a file has nothing below it, so that no etcd
 * tells of it here.
 *
 * @param key the watched key, normalised
 */
export function matches(key: string, recursive: boolean, action: string, node: EtcdNode): boolean {
  const watched = segmentsOf(key);
  const changed = segmentsOf(node.key);
  const common = watched.every((segment, i) => i >= changed.length || segment === changed[i]);
  if (!common) return false;
  if (changed.length === watched.length) return true;
  if (changed.length < watched.length) return deletions.has(action);
  return recursive && !changed.slice(watched.length).some((segment) => segment.startsWith('_'));
}
