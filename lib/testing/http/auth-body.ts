import { noPermissions } from '../auth/permission.js';
import type { KeyPatterns, Permissions } from '../auth/permission.js';
import type { Role } from '../auth/roles.js';
import type { UserChange } from '../auth/users.js';
import { optional, parseFirst, string, strings, struct } from '../go/read-json.js';
import type { JsonReader } from '../go/read-json.js';

/** The body is not one that etcd reads; `message` is its own. */
export class BadRequestError extends Error {
  override readonly name = 'BadRequestError';
}

const noUser: UserChange = { user: '', password: '', roles: null, grant: null, revoke: null };
const noRole: Role = { role: '', permissions: noPermissions, grant: undefined, revoke: undefined };

const user = struct<UserChange>({
  user: string,
  password: string,
  roles: strings,
  grant: strings,
  revoke: strings,
});
const permissions = struct<Permissions>({ kv: struct<KeyPatterns>({ read: strings, write: strings }) });
const role = struct<Role>({
  role: string,
  permissions,
  grant: optional(permissions, noPermissions),
  revoke: optional(permissions, noPermissions),
});

function read<T>(body: string, reader: JsonReader<T>, zero: T): T {
  try {
    return reader(parseFirst(body), zero);
  } catch {
    throw new BadRequestError('Invalid JSON in request body.');
  }
}

/** Reads the body of `PUT /v2/auth/users/{name}`; its name must be that of the URL. */
export function readUserChange(body: string, name: string): UserChange {
  const change = read(body, user, noUser);
  if (change.user !== name) throw new BadRequestError('User JSON name does not match the name in the URL');
  return change;
}

/** Reads the body of `PUT /v2/auth/roles/{name}`; its name must be that of the URL. */
export function readRole(body: string, name: string): Role {
  const change = read(body, role, noRole);
  if (change.role !== name) throw new BadRequestError('Role JSON name does not match the name in the URL');
  return change;
}
