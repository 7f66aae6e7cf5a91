import { isRecord } from '../check.js';
import { stringsOf } from './member-json.js';

/** Whether authentication is on. */
export interface AuthStatus {
  readonly enabled: boolean;
}

/** Whether a switch was turned, or stood like that already. */
export type AuthChange = 'changed' | 'unchanged';

/** Patterns of keys: a key, or all that begins as it does with a `*` at the end. */
export interface Permissions {
  readonly read: readonly string[];
  readonly write: readonly string[];
}

/** A role and what it may do. */
export interface AuthRole {
  readonly role: string;
  readonly permissions: { readonly kv: Permissions };
}

/** A user with its roles in full. */
export interface AuthUser {
  readonly user: string;
  readonly roles: readonly AuthRole[];
}

/** A user with the names of its roles. */
export interface AuthUserRoles {
  readonly user: string;
  readonly roles: readonly string[];
}

const text = (v: unknown): string => (typeof v === 'string' ? v : '');
const record = (v: unknown): Record<string, unknown> => (isRecord(v) ? v : {});

/** Reads a role; lists that are null are empty. */
export function roleOf(json: unknown): AuthRole {
  // Lists of users before etcd 2.3 hold names alone.
  if (typeof json === 'string') return { role: json, permissions: { kv: { read: [], write: [] } } };
  const { role, permissions } = record(json);
  const { read, write } = record(record(permissions)['kv']);
  return { role: text(role), permissions: { kv: { read: stringsOf(read), write: stringsOf(write) } } };
}

/** Reads a user with its roles. */
export function userOf(json: unknown): AuthUser {
  if (typeof json === 'string') return { user: json, roles: [] };
  const { user, roles } = record(json);
  return { user: text(user), roles: listOf(roles).map(roleOf) };
}

/** Reads a user with the names of its roles. */
export function userRolesOf(json: unknown): AuthUserRoles {
  const { user, roles } = record(json);
  return { user: text(user), roles: stringsOf(roles) };
}

/** A list; etcd writes an empty one as null, or not at all. */
export const listOf = (v: unknown): unknown[] => (Array.isArray(v) ? (v as unknown[]) : []);
