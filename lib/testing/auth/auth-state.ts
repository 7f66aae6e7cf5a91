import { AuthError } from './auth-error.js';
import { WriteCount } from './records.js';
import { Roles } from './roles.js';
import { Users } from './users.js';

/** Who is known, what they may do, and whether anybody asks. */
export class AuthState {
  readonly writes = new WriteCount();
  readonly users = new Users(this.writes);
  readonly roles = new Roles(this.writes);
  #enabled = false;

  get enabled(): boolean {
    return this.#enabled;
  }

  enable(): void {
    if (this.#enabled) throw new AuthError(409, 'already enabled');
    if (this.users.find('root') === undefined)
      throw new AuthError(409, 'No root user available, please create one');
    this.roles.ensureGuest();
    this.#turn(true);
  }

  disable(): void {
    if (!this.#enabled) throw new AuthError(409, 'already disabled');
    this.#turn(false);
  }

  deleteUser(name: string): void {
    if (this.#enabled && name === 'root')
      throw new AuthError(403, 'Cannot delete root user while auth is enabled.');
    this.users.delete(name);
  }

  #turn(on: boolean): void {
    this.#enabled = on;
    this.writes.success();
  }
}
