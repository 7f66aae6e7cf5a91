import { isRecord } from '../../check.js';
import { stringsOf } from '../wire/member-json.js';
import { either, list, optional, record, text } from '../wire/shape.js';

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

/** A role as lists and users name it. */
export interface ListedRole {
  readonly role: string;
  /** What it may do. Absent from etcd 2.0 to 2.2, which list roles by name alone: ask for it by `role$`. */
  readonly permissions?: { readonly kv: Permissions };
}

/** A role and what it may do. */
export interface AuthRole extends ListedRole {
  readonly permissions: { readonly kv: Permissions };
}

/** A user as lists name it. */
export interface ListedUser {
  readonly user: string;
  /** Its roles. Absent from etcd 2.0 to 2.2, which list users by name alone: ask for them by `user$`. */
  readonly roles?: readonly ListedRole[];
}

/** A user with its roles. */
export interface AuthUser extends ListedUser {
  readonly roles: readonly ListedRole[];
}

/** A user with the names of its roles. */
export interface AuthUserRoles {
  readonly user: string;
  readonly roles: readonly string[];
}

const patterns = optional(list(text));

/** What an answer has to look like that is a role. */
export const roleShape = record({
  role: text,
  permissions: optional(record({ kv: optional(record({ read: patterns, write: patterns })) })),
});
/** What one has to look like that is a user, with roles in full or by name. */
export const userShape = record({ user: text, roles: optional(list(either(text, roleShape))) });
/** The same of lists. */
export const rolesShape = record({ roles: optional(list(either(text, roleShape))) });
export const usersShape = record({ users: optional(list(either(text, userShape))) });

const textOf = (v: unknown): string => (typeof v === 'string' ? v : '');
const recordOf = (v: unknown): Record<string, unknown> => (isRecord(v) ? v : {});

/** Reads a role; lists that are null are empty. */
export function roleOf(json: unknown): AuthRole {
  const { role, permissions } = recordOf(json);
  const { read, write } = recordOf(recordOf(permissions)['kv']);
  return { role: textOf(role), permissions: { kv: { read: stringsOf(read), write: stringsOf(write) } } };
}

/** Reads a role of a list. */
export const listedRoleOf = (json: unknown): ListedRole =>
  typeof json === 'string' ? { role: json } : roleOf(json);

/** Reads a user with its roles. */
export function userOf(json: unknown): AuthUser {
  const { user, roles } = recordOf(json);
  return { user: textOf(user), roles: listOf(roles).map(listedRoleOf) };
}

/** Reads a user of a list. */
export const listedUserOf = (json: unknown): ListedUser =>
  typeof json === 'string' ? { user: json } : userOf(json);

/** Reads a user with the names of its roles. */
export function userRolesOf(json: unknown): AuthUserRoles {
  const { user, roles } = userOf(json);
  return { user, roles: roles.map(({ role }) => role) };
}

/** A list; etcd writes an empty one as null, or not at all. */
export const listOf = (v: unknown): unknown[] => (Array.isArray(v) ? (v as unknown[]) : []);
