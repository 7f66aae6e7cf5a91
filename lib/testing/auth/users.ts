import { AuthError } from './auth-error.js';
import { PasswordHash } from './password-hash.js';
import { Records, type WriteCount } from './records.js';
import { sorted } from '../go/sorted.js';

export interface User {
  user: string;
  password: PasswordHash;
  /** Null until etcd had a reason to make a list. */
  roles: readonly string[] | null;
}

/** What creates a user or changes one. */
export interface UserChange {
  user: string;
  password: string;
  roles: readonly string[] | null;
  grant: readonly string[] | null;
  revoke: readonly string[] | null;
}

/** The users. `root` has the role `root` whatever was revoked. */
export class Users {
  readonly #records: Records<User>;

  constructor(writes: WriteCount) {
    this.#records = new Records(writes);
  }

  /** In order. */
  names(): string[] {
    return this.#records.names();
  }

  find(name: string): User | undefined {
    const found = this.#records.get(name);
    return found && withRootRole(found);
  }

  get(name: string): User {
    const found = this.find(name);
    if (found === undefined) throw new AuthError(404, `User ${name} does not exist.`);
    return found;
  }

  create({ user, password, roles }: UserChange): User {
    if (password === '') throw new AuthError(400, `Cannot create user ${user} with an empty password`);
    const created = withRootRole({ user, password: new PasswordHash(password), roles });
    if (!this.#records.create(user, created)) throw new AuthError(409, `User ${user} already exists.`);
    return created;
  }

  /** Changes the password, grants and revokes. To change nothing is refused; a list put in order, or made, is a change. */
  update({ user, password, grant, revoke }: UserChange): User {
    const old = this.get(user);
    const roles = new Set(old.roles);
    for (const role of grant ?? []) {
      if (roles.has(role)) throw new AuthError(409, `Granting duplicate role ${role} for user ${user}`);
      roles.add(role);
    }
    for (const role of revoke ?? [])
      if (!roles.delete(role)) throw new AuthError(409, `Revoking ungranted role ${role} for user ${user}`);
    const updated = {
      user,
      password: password === '' ? old.password : new PasswordHash(password),
      roles: sorted(roles),
    };
    if (password === '' && JSON.stringify(updated.roles) === JSON.stringify(old.roles))
      throw new AuthError(400, 'User not updated. Use grant/revoke/password to update the user.');
    this.#records.update(user, updated);
    return updated;
  }

  delete(name: string): void {
    if (!this.#records.delete(name)) throw new AuthError(404, `User ${name} does not exist`);
  }
}

function withRootRole(user: User): User {
  const roles = user.roles ?? [];
  return user.user !== 'root' || roles.includes('root') ? user : { ...user, roles: [...roles, 'root'] };
}
