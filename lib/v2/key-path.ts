import { check, demand } from '../check.js';
import { InvalidOptionError } from '../errors.js';

/**
 * A key as etcd names it: one leading slash, none at the end. Refuses what etcd would redirect: empty, `.` and `..`
 * segments.
 *
 * @throws InvalidOptionError naming the argument
 */
export function normaliseKey(key: unknown, name = 'key'): string {
  demand(name, key, check.string);
  const segments = (key as string).replace(/^\/+|\/+$/g, '').split('/');
  if (segments.length === 1 && segments[0] === '') return '/';
  for (const segment of segments) {
    if (segment === '') throw new InvalidOptionError(name, key, 'a key without empty segments');
    if (segment === '.' || segment === '..')
      throw new InvalidOptionError(name, key, 'a key without the segments . and ..');
  }
  return `/${segments.join('/')}`;
}

/** The request path of a normalised key. */
export function keyPath(key: string): string {
  return key === '/' ? '/v2/keys/' : `/v2/keys${key.split('/').map(encodeURIComponent).join('/')}`;
}
