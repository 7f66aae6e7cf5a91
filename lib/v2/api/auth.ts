import { defer, switchMap, throwError, type Observable } from 'rxjs';
import { check, checkOptions, demand, isRecord, secret, type Check } from '../../check.js';
import { EtcdApiError, InvalidOptionError } from '../../errors.js';
import type { CallOptions, CallSettings } from '../../options.js';
import { demandSuccess, objectOf, type ApiAnswer, type ApiCalls } from './api-calls.js';
import {
  listedRoleOf,
  listedUserOf,
  listOf,
  roleOf,
  roleShape,
  rolesShape,
  userOf,
  userRolesOf,
  userShape,
  usersShape,
  type AuthChange,
  type AuthRole,
  type AuthStatus,
  type AuthUser,
  type AuthUserRoles,
  type ListedRole,
  type ListedUser,
  type Permissions,
} from '../model/auth-model.js';
import { within } from './deadline.js';
import { faultOf } from '../wire/decode.js';
import { parseJson } from '../wire/parse-json.js';
import { boolean, record } from '../wire/shape.js';

/** Options of {@link AuthApi.createUser$}. */
export interface CreateUserOptions extends CallOptions {
  /** The roles that the user starts with. Default: none. */
  roles?: readonly string[] | undefined;
}

/** What changes in a user; at least one of them. */
export interface UserChanges {
  password?: string | undefined;
  /** Roles to give; etcd does not check that they exist. */
  grant?: readonly string[] | undefined;
  /** Roles to take. */
  revoke?: readonly string[] | undefined;
}

/** What changes in a role; at least one of them. */
export interface RoleChanges {
  grant?: Partial<Permissions> | undefined;
  revoke?: Partial<Permissions> | undefined;
}

const named: Check = (v) =>
  check.string(v) ??
  (v === '' || (v as string).includes('/') || v === '.' || v === '..'
    ? 'a name that is not empty and has no slash'
    : undefined);
const creatable: Check = (v) =>
  named(v) ??
  ((v as string).startsWith('_')
    ? 'a name without an underscore in front, behind which etcd hides it'
    : undefined);
const password: Check = secret(
  (v) =>
    check.string(v) ??
    (v === '' || new TextEncoder().encode(v as string).length > 72
      ? 'a password of 1 to 72 bytes, all that bcrypt heeds'
      : undefined),
);
const names: Check = (v) =>
  Array.isArray(v) && Array.from(v).every((name) => named(name) === undefined)
    ? undefined
    : 'an array of names';
const patterns: Check = (v) =>
  Array.isArray(v) &&
  Array.from(v).every((p) => check.string(p) === undefined && (p as string).startsWith('/'))
    ? undefined
    : 'an array of patterns that start with a slash';

const user = (name: string): string => `/v2/auth/users/${encodeURIComponent(name)}`;
const role = (name: string): string => `/v2/auth/roles/${encodeURIComponent(name)}`;

/**
 * Authentication: its switch, users and roles (etcd: Documentation/v2/auth_api.md). Once it is on, all of this but
 * `status$` takes the credentials of a user with the role `root`. It cannot be turned on before there is a user `root`.
 *
 * Errors besides those of every call: AuthenticationError; EtcdApiError with `status` 404 (`isNotFound`) or 409
 * (`isConflict`). No password stands in any error, event or log.
 *
 * @example
 * ```ts
 * import { EtcdClient } from 'rxetcd';
 * import { concat } from 'rxjs';
 * const { auth } = new EtcdClient();
 * concat(
 *   auth.createUser$('root', 'the password'),
 *   auth.createRole$('config-reader', { read: ['/config*'] }),
 *   auth.createUser$('app', 'another', { roles: ['config-reader'] }),
 *   auth.enable$(),
 * ).subscribe({ error: console.error });
 * ```
 */
export class AuthApi {
  readonly #calls: ApiCalls;

  constructor(calls: ApiCalls) {
    this.#calls = calls;
  }

  /** Whether authentication is on; open to anyone. */
  status$(options: CallOptions = {}): Observable<AuthStatus> {
    return this.#call$(options, (settings) =>
      this.#calls.run$('auth.status', { path: '/v2/auth/enable' }, settings, (answer) => ({
        enabled: objectOf(answer, record({ enabled: boolean }))['enabled'] === true,
      })),
    );
  }

  /** Turns authentication on; `'unchanged'` if it was on. Without a user `root` it is a conflict. */
  enable$(options: CallOptions = {}): Observable<AuthChange> {
    return this.#call$(options, (settings) =>
      this.#calls.run$('auth.enable', { method: 'PUT', path: '/v2/auth/enable' }, settings, (answer) =>
        changeOf(answer, 'already enabled'),
      ),
    );
  }

  /** Turns authentication off; `'unchanged'` if it was off. */
  disable$(options: CallOptions = {}): Observable<AuthChange> {
    return this.#call$(options, (settings) =>
      this.#calls.run$('auth.disable', { method: 'DELETE', path: '/v2/auth/enable' }, settings, (answer) =>
        changeOf(answer, 'already disabled'),
      ),
    );
  }

  /** Lists the users with their roles; etcd 2.0 to 2.2 tell their names alone. */
  users$(options: CallOptions = {}): Observable<ListedUser[]> {
    return this.#call$(options, (settings) =>
      this.#calls.run$('auth.users', { path: '/v2/auth/users' }, settings, (answer) =>
        listOf(objectOf(answer, usersShape)['users']).map(listedUserOf),
      ),
    );
  }

  /** One user with its roles. A role of the user's that does not exist makes it "not found". */
  user$(name: string, options: CallOptions = {}): Observable<AuthUser> {
    return this.#call$(options, (settings) => {
      demand('user', name, named);
      return this.#calls.run$('auth.user', { path: user(name), of: name }, settings, (answer) =>
        userOf(objectOf(answer, userShape)),
      );
    });
  }

  /**
   * Creates a user; one that exists is a conflict. Without roles the client has to look first, since etcd would give an
   * existing user the new password: of two clients that create the same user at the same moment, both may succeed.
   */
  createUser$(name: string, initial: string, options: CreateUserOptions = {}): Observable<AuthUserRoles> {
    return this.#checked$(options, { roles: names }, (settings) => {
      demand('user', name, creatable);
      demand('password', initial, password);
      const { roles = [] } = options;
      const json = { user: name, password: initial, ...(roles.length === 0 ? {} : { roles }) };
      const put$ = (rest: CallSettings): Observable<AuthUserRoles> =>
        this.#putUser$('auth.createUser', name, json, rest);
      return roles.length > 0
        ? put$(settings)
        : this.#ifThere$('auth.createUser', name, false, settings, put$);
    });
  }

  /** Changes the password of a user, or its roles; all else stays. */
  updateUser$(name: string, changes: UserChanges, options: CallOptions = {}): Observable<AuthUserRoles> {
    return this.#call$(options, (settings) => {
      demand('user', name, named);
      demandChanges('changes', changes, { password, grant: names, revoke: names });
      const put$ = (rest: CallSettings): Observable<AuthUserRoles> =>
        this.#putUser$('auth.updateUser', name, { user: name, ...changes }, rest);
      const { grant = [], revoke = [] } = changes;
      // A password alone would create a user that is not there.
      return grant.length + revoke.length > 0
        ? put$(settings)
        : this.#ifThere$('auth.updateUser', name, true, settings, put$);
    });
  }

  /** Deletes a user; not `root` while authentication is on (EtcdApiError with `status` 403). */
  deleteUser$(name: string, options: CallOptions = {}): Observable<void> {
    return this.#call$(options, (settings) => {
      demand('user', name, named);
      const request = { method: 'DELETE' as const, path: user(name), of: name };
      return this.#calls.run$('auth.deleteUser', request, settings, demandSuccess);
    });
  }

  /** Lists the roles with what they may do; etcd 2.0 to 2.2 tell their names alone. */
  roles$(options: CallOptions = {}): Observable<ListedRole[]> {
    return this.#call$(options, (settings) =>
      this.#calls.run$('auth.roles', { path: '/v2/auth/roles' }, settings, (answer) =>
        listOf(objectOf(answer, rolesShape)['roles']).map(listedRoleOf),
      ),
    );
  }

  /** One role. */
  role$(name: string, options: CallOptions = {}): Observable<AuthRole> {
    return this.#call$(options, (settings) => {
      demand('role', name, named);
      return this.#calls.run$('auth.role', { path: role(name), of: name }, settings, (answer) =>
        roleOf(objectOf(answer, roleShape)),
      );
    });
  }

  /**
   * Creates a role; one that exists is a conflict. A pattern is a key, or all that begins as it does with a `*` at its
   * end; `/pub/*` does not cover `/pub` itself.
   */
  createRole$(
    name: string,
    permissions: Partial<Permissions> = {},
    options: CallOptions = {},
  ): Observable<AuthRole> {
    return this.#call$(options, (settings) => {
      demand('role', name, creatable);
      checkOptions('permissions.', permissions, permissionChecks);
      return this.#putRole$('auth.createRole', name, { permissions: kvOf(permissions) }, settings);
    });
  }

  /**
   * Grants a role permissions, or revokes them. To grant what it has is a conflict; to revoke only what it has not is
   * refused with `status` 400.
   */
  updateRole$(name: string, changes: RoleChanges, options: CallOptions = {}): Observable<AuthRole> {
    return this.#call$(options, (settings) => {
      demand('role', name, named);
      demandChanges('changes', changes, { grant: check.object, revoke: check.object });
      const { grant, revoke } = changes;
      checkOptions('changes.grant.', grant, permissionChecks);
      checkOptions('changes.revoke.', revoke, permissionChecks);
      const json = {
        ...(grant === undefined ? {} : { grant: kvOf(grant) }),
        ...(revoke === undefined ? {} : { revoke: kvOf(revoke) }),
      };
      return this.#putRole$('auth.updateRole', name, json, settings);
    });
  }

  /** Deletes a role; not `root` (EtcdApiError with `status` 403). */
  deleteRole$(name: string, options: CallOptions = {}): Observable<void> {
    return this.#call$(options, (settings) => {
      demand('role', name, named);
      const request = { method: 'DELETE' as const, path: role(name), of: name };
      return this.#calls.run$('auth.deleteRole', request, settings, demandSuccess);
    });
  }

  #call$<T>(options: CallOptions, proceed: (settings: CallSettings) => Observable<T>): Observable<T> {
    return this.#checked$(options, {}, proceed);
  }

  #checked$<T>(
    options: CallOptions,
    checks: Record<string, Check>,
    proceed: (settings: CallSettings) => Observable<T>,
  ): Observable<T> {
    return defer(() => {
      // One argument too many in front, and this is a password.
      demand('options', options, secret(check.object));
      return this.#calls.checked$(options, checks, proceed);
    });
  }

  #putUser$(
    operation: 'auth.createUser' | 'auth.updateUser',
    name: string,
    json: { readonly user: string; readonly password?: string | undefined },
    settings: CallSettings,
  ): Observable<AuthUserRoles> {
    const { password: secret } = json;
    const request = { method: 'PUT' as const, path: user(name), json, secret, of: name };
    return this.#calls.run$(operation, request, settings, (answer) =>
      userRolesOf(objectOf(answer, userShape)),
    );
  }

  #putRole$(
    operation: 'auth.createRole' | 'auth.updateRole',
    name: string,
    changes: object,
    settings: CallSettings,
  ): Observable<AuthRole> {
    const request = { method: 'PUT' as const, path: role(name), json: { role: name, ...changes }, of: name };
    return this.#calls.run$(operation, request, settings, (answer) => roleOf(objectOf(answer, roleShape)));
  }

  /** Goes on if the user is there, or if it is not, as wanted; else fails as etcd would. */
  #ifThere$<T>(
    operation: 'auth.createUser' | 'auth.updateUser',
    name: string,
    wanted: boolean,
    settings: CallSettings,
    proceed: (settings: CallSettings) => Observable<T>,
  ): Observable<T> {
    return defer(() => {
      const startedAt = performance.now();
      const look = { path: user(name), of: name, as: operation };
      return this.#calls
        .run$('auth.look', look, settings, isThere)
        .pipe(
          switchMap(({ there, endpoint }) =>
            there === wanted
              ? proceed(within(settings, startedAt))
              : throwError(() => wrongState(`${operation} ${name}`, name, there, endpoint)),
          ),
        );
    });
  }
}

const permissionChecks: Record<string, Check> = { read: patterns, write: patterns };

const kvOf = ({ read = [], write = [] }: Partial<Permissions>): object => ({ kv: { read, write } });

function demandChanges(name: string, changes: unknown, checks: Record<string, Check>): void {
  demand(name, changes, secret(check.object));
  checkOptions(`${name}.`, changes, checks);
  if (Object.values(changes as object).every((v) => v === undefined))
    throw new InvalidOptionError(name, changes, `at least one of ${Object.keys(checks).join(', ')}`);
}

/** Told apart by etcd's words: both turns answer 409 for other reasons, too. */
function changeOf(answer: ApiAnswer, already: string): AuthChange {
  if (answer.status === 409 && messageOf(answer).includes(already)) return 'unchanged';
  demandSuccess(answer);
  return 'changed';
}

/** A user whose role does not exist is "not found" as well, but by another message. */
function isThere(answer: ApiAnswer): { there: boolean; endpoint: string } {
  const { operation, endpoint, status, body, exchange } = answer;
  if (status !== 404) {
    objectOf(answer, userShape);
    return { there: true, endpoint };
  }
  // As in `auth: User app does not exist.`
  const [, what = ''] = /^(?:[a-z]+: )?(User|Role) /.exec(messageOf(answer)) ?? [];
  if (what === '' || !messageOf(answer).includes(' does not exist'))
    throw faultOf(operation, status, body, exchange);
  return { there: what === 'Role', endpoint };
}

const messageOf = ({ body }: ApiAnswer): string => {
  const json = parseJson(body);
  return isRecord(json) && typeof json['message'] === 'string' ? json['message'] : '';
};

function wrongState(operation: string, name: string, there: boolean, endpoint: string): EtcdApiError {
  const answer = there
    ? { message: `User ${name} already exists`, status: 409 }
    : { message: `User ${name} does not exist`, status: 404 };
  return new EtcdApiError(operation, { errorCode: 0, reason: '', index: 0, ...answer }, { endpoint });
}
