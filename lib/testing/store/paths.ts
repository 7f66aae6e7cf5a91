/** The last segment of a clean path. */
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The path above a clean path; `/` above the first segment. */
export const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

export const join = (dir: string, name: string): string => (dir === '/' ? `/${name}` : `${dir}/${name}`);

/** The segments of a path, without empty ones. */
export const segmentsOf = (path: string): string[] => path.split('/').filter((segment) => segment !== '');

/** One leading slash, none at the end, no empty segment, `.` and `..` resolved. */
export function cleanPath(path: string): string {
  const clean: string[] = [];
  for (const segment of segmentsOf(path)) {
    if (segment === '..') clean.pop();
    else if (segment !== '.') clean.push(segment);
  }
  return `/${clean.join('/')}`;
}

/** Whether a key is hidden from a watch further up: a segment below the watched path starts with `_`. */
export function isHiddenFrom(watched: string, key: string): boolean {
  return watched.length <= key.length && cleanPath(`/${key.slice(watched.length)}`).includes('/_');
}
