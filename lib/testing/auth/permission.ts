import { AuthError } from './auth-error.js';
import { sorted } from '../go/sorted.js';

/** Patterns of keys: a key, or all that begins as it does with a `*` at the end. Null where nobody gave a list yet. */
export interface KeyPatterns {
  read: readonly string[] | null;
  write: readonly string[] | null;
}

export interface Permissions {
  kv: KeyPatterns;
}

export const noPermissions: Permissions = { kv: { read: null, write: null } };
export const allPermissions: Permissions = { kv: { read: ['/*'], write: ['/*'] } };

export const isEmpty = ({ kv }: Permissions = noPermissions): boolean =>
  (kv.read ?? []).length + (kv.write ?? []).length === 0;

/**
 * Whether a pattern covers a key, to the letter: `/pub/*` does not cover `/pub`, nor `/pub` the key `/pub/`. A whole
 * tree takes a `*`. An empty pattern covers nothing (etcd breaks off the connection).
 */
export function covers(pattern: string, key: string, recursive: boolean): boolean {
  if (pattern.endsWith('*')) return key.startsWith(pattern.slice(0, -1));
  return !recursive && pattern !== '' && key === pattern;
}

/** With these as well; none may be there already. */
export function granted({ kv }: Permissions, more: Permissions): Permissions {
  return {
    kv: {
      read: withAll('read', kv.read, more.kv.read),
      write: withAll('write', kv.write, more.kv.write),
    },
  };
}

/** Without these; it does not matter whether they were there. */
export function revoked({ kv }: Permissions, less: Permissions): Permissions {
  return { kv: { read: without(kv.read, less.kv.read), write: without(kv.write, less.kv.write) } };
}

type Patterns = readonly string[] | null;

function withAll(kind: keyof KeyPatterns, patterns: Patterns, more: Patterns): string[] {
  const all = new Set(patterns);
  for (const pattern of more ?? []) {
    if (all.has(pattern)) throw new AuthError(409, `Granting duplicate ${kind} permission ${pattern}`);
    all.add(pattern);
  }
  return sorted(all);
}

function without(patterns: Patterns, less: Patterns): string[] {
  const left = new Set(patterns);
  for (const pattern of less ?? []) left.delete(pattern);
  return sorted(left);
}
