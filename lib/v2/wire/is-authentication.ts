import type { HttpRequest } from '../../transport/http.js';

/** Such a path holds passwords, whichever call or spelling led there. */
export function isAuthentication({ path, operation }: Pick<HttpRequest, 'path' | 'operation'>): boolean {
  // Decoded first: etcd takes %2f for a slash. Some HTTP clients take a backslash for one, and send it so.
  const segments = path
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    .split(/[/\\]/)
    .filter((segment) => segment !== '');
  const isKey = segments[1] === 'keys' && !segments.includes('..');
  return operation.startsWith('auth.') || (!isKey && segments.some((segment) => /auth/i.test(segment)));
}
