import { check, demand } from '../../check.js';
import { InvalidOptionError } from '../../errors.js';

/** Most keys are as etcd names them, and need no escapes: seen by one look. A long key is looked at part by part. */
const isPlain = (key: string): boolean => key.length < 200 && /^(?:\/[\w-][\w.-]*)+$/.test(key);

/**
 * A key as etcd names it: one leading slash, none at the end. Refuses what etcd would redirect: empty, `.` and `..`
 * segments.
 *
 * @throws InvalidOptionError naming the argument
 */
export function normaliseKey(key: unknown, name = 'key'): string {
  demand(name, key, check.string);
  if (isPlain(key as string)) return key as string;
  const segments = (key as string).split('/');
  const first = segments.findIndex((segment) => segment !== '');
  const last = segments.findLastIndex((segment) => segment !== '');
  if (first < 0) return '/';
  const named = segments.slice(first, last + 1);
  for (const segment of named) {
    if (segment === '') throw new InvalidOptionError(name, key, 'a key without empty segments');
    if (segment === '.' || segment === '..')
      throw new InvalidOptionError(name, key, 'a key without the segments . and ..');
  }
  return `/${named.join('/')}`;
}

/** The request path of a normalised key. */
export function keyPath(key: string): string {
  if (isPlain(key)) return `/v2/keys${key}`;
  return key === '/' ? '/v2/keys/' : `/v2/keys${key.split('/').map(encodeURIComponent).join('/')}`;
}
