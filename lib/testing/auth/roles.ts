import { AuthError } from './auth-error.js';
import {
  allPermissions,
  covers,
  granted,
  noPermissions,
  revoked,
  type KeyPatterns,
  type Permissions,
} from './permission.js';
import { Records, type WriteCount } from './records.js';
import { sorted } from '../go/sorted.js';

/** A role as etcd keeps it: empty `grant` and `revoke` of the body that created it included. */
export interface Role {
  role: string;
  permissions: Permissions;
  grant: Permissions | undefined;
  revoke: Permissions | undefined;
}

const role = (name: string, permissions: Permissions): Role => ({
  role: name,
  permissions,
  grant: undefined,
  revoke: undefined,
});
const root = role('root', allPermissions);

/** The roles. `root` is always there and may do all; `guest` is what may be done without credentials. */
export class Roles {
  readonly #records: Records<Role>;

  constructor(writes: WriteCount) {
    this.#records = new Records(writes);
  }

  /** In order. */
  names(): string[] {
    return sorted([root.role, ...this.#records.names()]);
  }

  find(name: string): Role | undefined {
    return name === root.role ? root : this.#records.get(name);
  }

  get(name: string): Role {
    const found = this.find(name);
    if (found === undefined) throw new AuthError(404, `Role ${name} does not exist.`);
    return found;
  }

  create(created: Role): Role {
    refuseRoot(created.role);
    if (!this.#records.create(created.role, created))
      throw new AuthError(409, `Role ${created.role} already exists.`);
    return created;
  }

  /** Makes the role `guest`, which may do all, unless there is one. */
  ensureGuest(): void {
    if (this.find('guest') === undefined) this.create(role('guest', allPermissions));
  }

  /** Grants and revokes. To change nothing is refused; lists put in order, or made where there was none, are a change. */
  update({ role: name, grant, revoke }: Role): Role {
    refuseRoot(name);
    const old = this.get(name);
    const more = grant === undefined ? old.permissions : granted(old.permissions, grant);
    const updated = role(name, revoke === undefined ? more : revoked(more, revoke));
    if (JSON.stringify(updated) === JSON.stringify(old))
      throw new AuthError(400, 'Role not updated. Use grant/revoke to update the role.');
    this.#records.update(name, updated);
    return updated;
  }

  delete(name: string): void {
    refuseRoot(name);
    if (!this.#records.delete(name)) throw new AuthError(404, `Role ${name} doesn't exist.`);
  }

  /** Whether a role may read or write a key, or all below it. One that does not exist may nothing. */
  may(name: string, access: keyof KeyPatterns, key: string, recursive: boolean): boolean {
    if (name === root.role) return true;
    const { kv } = this.find(name)?.permissions ?? noPermissions;
    return (kv[access] ?? []).some((pattern) => covers(pattern, key, recursive));
  }
}

function refuseRoot(name: string): void {
  if (name === root.role) throw new AuthError(403, `Cannot modify role ${name}: is root role.`);
}
