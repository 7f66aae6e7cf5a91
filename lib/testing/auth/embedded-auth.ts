import { AuthState } from './auth-state.js';
import { readBasic } from './credentials.js';
import type { KeyPatterns } from './permission.js';

/** A user that gave its password. */
interface AuthenticatedUser {
  readonly name: string;
}

/** Who asks: a user; undefined without credentials; `'denied'` with such as are no good. */
export type Caller = AuthenticatedUser | 'denied' | undefined;

/**
 * Authentication of the v2 API: who asks, and who may do what with which key. It knows neither requests nor the keys that there
 * are. While it is off anybody may do anything.
 */
export class EmbeddedAuth {
  readonly state = new AuthState();

  get enabled(): boolean {
    return this.state.enabled;
  }

  /** By how much all this would have raised the index of etcd's store. */
  get writes(): number {
    return this.state.writes.value;
  }

  /** Who a request is from, by its `Authorization` header; nobody is looked up while authentication is off. */
  authenticate(authorization: string | undefined): Caller {
    if (!this.enabled || authorization === undefined || authorization === '') return undefined;
    const credentials = readBasic(authorization);
    if (credentials === undefined) return 'denied';
    const user = this.state.users.find(credentials.username);
    return user?.password.matches(credentials.password) ? { name: user.user } : 'denied';
  }

  /** Whether the caller may do what only the role `root` may: change members and all of `/v2/auth`. */
  isRoot(caller: Caller): boolean {
    return !this.enabled || this.#rolesOf(caller).includes('root');
  }

  /**
   * Whether the caller may read a key. It then sees all that the key holds: nothing below is hidden for want of rights.
   *
   * @param key as in the URL behind `/v2/keys`, decoded, a slash at its end included
   * @param recursive the whole tree is asked for: users need a `*` pattern that covers the key, guests do not
   */
  mayRead(caller: Caller, key: string, recursive = false): boolean {
    return this.#may(caller, 'read', key, recursive);
  }

  /** The same for any method but GET and HEAD. */
  mayWrite(caller: Caller, key: string, recursive = false): boolean {
    return this.#may(caller, 'write', key, recursive);
  }

  toString(): string {
    const { users, roles } = this.state;
    const sizes = `users: ${users.names().length}, roles: ${roles.names().length}`;
    return `EmbeddedAuth (${this.enabled ? 'enabled' : 'disabled'}, ${sizes})`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  #may(caller: Caller, access: keyof KeyPatterns, key: string, recursive: boolean): boolean {
    if (!this.enabled) return true;
    const { roles } = this.state;
    // Guests are not asked for more when they want a whole tree.
    if (caller === undefined) return roles.may('guest', access, key, false);
    return this.#rolesOf(caller).some((role) => roles.may(role, access, key, recursive));
  }

  #rolesOf(caller: Caller): readonly string[] {
    if (caller === undefined || caller === 'denied') return [];
    return this.state.users.find(caller.name)?.roles ?? [];
  }
}
