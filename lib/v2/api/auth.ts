import { defer, switchMap, type Observable } from 'rxjs';
import { check, checkOptions, demand, secret, type Check } from '../../check.js';
import { EtcdApiError, InvalidOptionError } from '../../errors.js';
import type { CallOptions, CallSettings } from '../../options.js';
import type { HttpMethod } from '../../transport/http.js';
import { demandSuccess, type ApiCalls, type ApiRequest } from './api-calls.js';
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
import { within } from '../../cluster/deadline.js';
import { decodeObject, faultOf, type Answer } from '../wire/decode.js';
import { parseJson, textIn } from '../../transport/parse-json.js';
import type { ApiOperation } from './retry-classes.js';
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

const enabling = '/v2/auth/enable';

/** A request about one user or role. */
function about(kind: 'user' | 'role', name: string, method: HttpMethod = 'GET', test = named): ApiRequest {
  demand(kind, name, test);
  return { method, path: `/v2/auth/${kind}s/${encodeURIComponent(name)}`, of: name };
}

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
    return this.#call$(
      'auth.status',
      options,
      () => ({ path: enabling }),
      (answer) => ({
        enabled: decodeObject(answer, record({ enabled: boolean }))['enabled'] === true,
      }),
    );
  }

  /** Turns authentication on; `'unchanged'` if it was on. Without a user `root` it is a conflict. */
  enable$(options: CallOptions = {}): Observable<AuthChange> {
    return this.#call$(
      'auth.enable',
      options,
      () => ({ method: 'PUT', path: enabling }),
      (answer) => changeOf(answer, 'already enabled'),
    );
  }

  /** Turns authentication off; `'unchanged'` if it was off. */
  disable$(options: CallOptions = {}): Observable<AuthChange> {
    return this.#call$(
      'auth.disable',
      options,
      () => ({ method: 'DELETE', path: enabling }),
      (answer) => changeOf(answer, 'already disabled'),
    );
  }

  /** Lists the users with their roles; etcd 2.0 to 2.2 tell their names alone. */
  users$(options: CallOptions = {}): Observable<ListedUser[]> {
    return this.#call$(
      'auth.users',
      options,
      () => ({ path: '/v2/auth/users' }),
      (answer) => listOf(decodeObject(answer, usersShape)['users']).map(listedUserOf),
    );
  }

  /** One user with its roles. A role of the user's that does not exist makes it "not found". */
  user$(name: string, options: CallOptions = {}): Observable<AuthUser> {
    return this.#call$(
      'auth.user',
      options,
      () => about('user', name),
      (answer) => userOf(decodeObject(answer, userShape)),
    );
  }

  /**
   * Creates a user; one that exists is a conflict. Without roles the client has to look first, since etcd would give an
   * existing user the new password: of two clients that create the same user at the same moment, both may succeed.
   */
  createUser$(name: string, initial: string, options: CreateUserOptions = {}): Observable<AuthUserRoles> {
    return this.#checked$(options, { roles: names }, (settings) => {
      const request = about('user', name, 'PUT', creatable);
      demand('password', initial, password);
      const { roles = [] } = options;
      const json = { user: name, password: initial, roles: roles.length === 0 ? undefined : roles };
      const isTold = roles.length > 0;
      return this.#putUser$(
        'auth.createUser',
        { ...request, json, secret: initial },
        settings,
        isTold,
        false,
      );
    });
  }

  /** Changes the password of a user, or its roles; all else stays. */
  updateUser$(name: string, changes: UserChanges, options: CallOptions = {}): Observable<AuthUserRoles> {
    return this.#checked$(options, {}, (settings) => {
      const request = about('user', name, 'PUT');
      demandChanges(changes, { password, grant: names, revoke: names });
      const { grant = [], revoke = [], password: next } = changes;
      const json = { user: name, ...changes };
      // A password alone would create a user that is not there.
      const isTold = grant.length + revoke.length > 0;
      return this.#putUser$('auth.updateUser', { ...request, json, secret: next }, settings, isTold, true);
    });
  }

  /** Deletes a user; not `root` while authentication is on (EtcdApiError with `status` 403). */
  deleteUser$(name: string, options: CallOptions = {}): Observable<void> {
    return this.#call$('auth.deleteUser', options, () => about('user', name, 'DELETE'), demandSuccess);
  }

  /** Lists the roles with what they may do; etcd 2.0 to 2.2 tell their names alone. */
  roles$(options: CallOptions = {}): Observable<ListedRole[]> {
    return this.#call$(
      'auth.roles',
      options,
      () => ({ path: '/v2/auth/roles' }),
      (answer) => listOf(decodeObject(answer, rolesShape)['roles']).map(listedRoleOf),
    );
  }

  /** One role. */
  role$(name: string, options: CallOptions = {}): Observable<AuthRole> {
    return this.#call$('auth.role', options, () => about('role', name), readRole);
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
    const request = (): ApiRequest => {
      const put = about('role', name, 'PUT', creatable);
      checkOptions('permissions.', permissions, permissionChecks);
      return { ...put, json: { role: name, permissions: kvOf(permissions) } };
    };
    return this.#call$('auth.createRole', options, request, readRole);
  }

  /**
   * Grants a role permissions, or revokes them. To grant what it has is a conflict; to revoke only what it has not is
   * refused with `status` 400.
   */
  updateRole$(name: string, changes: RoleChanges, options: CallOptions = {}): Observable<AuthRole> {
    const request = (): ApiRequest => {
      const put = about('role', name, 'PUT');
      demandChanges(changes, { grant: check.object, revoke: check.object });
      const { grant, revoke } = changes;
      checkOptions('changes.grant.', grant, permissionChecks);
      checkOptions('changes.revoke.', revoke, permissionChecks);
      return { ...put, json: { role: name, grant: grant && kvOf(grant), revoke: revoke && kvOf(revoke) } };
    };
    return this.#call$('auth.updateRole', options, request, readRole);
  }

  /** Deletes a role; not `root` (EtcdApiError with `status` 403). */
  deleteRole$(name: string, options: CallOptions = {}): Observable<void> {
    return this.#call$('auth.deleteRole', options, () => about('role', name, 'DELETE'), demandSuccess);
  }

  #call$<T>(
    operation: ApiOperation,
    options: CallOptions,
    request: () => ApiRequest,
    read: (answer: Answer) => T,
  ): Observable<T> {
    return this.#checked$(options, {}, (settings) => this.#calls.run$(operation, request(), settings, read));
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

  /**
   * Sends the change of a user. Where etcd tells by itself whether that is there (`isTold`) at once; else if it is, or if
   * it is not, as wanted, and fails as etcd would.
   */
  #putUser$(
    operation: 'auth.createUser' | 'auth.updateUser',
    request: ApiRequest,
    settings: CallSettings,
    isTold: boolean,
    wanted: boolean,
  ): Observable<AuthUserRoles> {
    const put$ = (limits: CallSettings): Observable<AuthUserRoles> =>
      this.#calls.run$(operation, request, limits, (answer) => userRolesOf(decodeObject(answer, userShape)));
    if (isTold) return put$(settings);
    const { path, of: name = '' } = request;
    return defer(() => {
      const startedAt = performance.now();
      return this.#calls.run$('auth.look', { path, of: name, as: operation }, settings, isThere).pipe(
        switchMap(({ there, endpoint }) => {
          if (there !== wanted) throw wrongState(`${operation} ${name}`, name, there, endpoint);
          return put$(within(settings, startedAt));
        }),
      );
    });
  }
}

const readRole = (answer: Answer): AuthRole => roleOf(decodeObject(answer, roleShape));

const permissionChecks: Record<string, Check> = { read: patterns, write: patterns };

const kvOf = ({ read = [], write = [] }: Partial<Permissions>): object => ({ kv: { read, write } });

function demandChanges(changes: unknown, checks: Record<string, Check>): void {
  demand('changes', changes, secret(check.object));
  checkOptions('changes.', changes, checks);
  if (Object.values(changes as object).every((v) => v === undefined))
    throw new InvalidOptionError('changes', changes, `at least one of ${Object.keys(checks).join(', ')}`);
}

/** Told apart by etcd's words: both turns answer 409 for other reasons, too. */
function changeOf(answer: Answer, already: string): AuthChange {
  if (answer.status === 409 && messageOf(answer).includes(already)) return 'unchanged';
  demandSuccess(answer);
  return 'changed';
}

/** A user whose role does not exist is "not found" as well, but by another message. */
function isThere(answer: Answer): { there: boolean; endpoint: string | undefined } {
  const { endpoint } = answer;
  if (answer.status !== 404) {
    decodeObject(answer, userShape);
    return { there: true, endpoint };
  }
  // As in `auth: User app does not exist.`
  const [, what = ''] = /^(?:[a-z]+: )?(User|Role) /.exec(messageOf(answer)) ?? [];
  if (what === '' || !messageOf(answer).includes(' does not exist')) throw faultOf(answer);
  return { there: what === 'Role', endpoint };
}

const messageOf = ({ body }: Answer): string => textIn(parseJson(body), 'message') ?? '';

function wrongState(operation: string, name: string, there: boolean, endpoint?: string): EtcdApiError {
  const answer = there
    ? { message: `User ${name} already exists`, status: 409 }
    : { message: `User ${name} does not exist`, status: 404 };
  return new EtcdApiError(operation, { errorCode: 0, reason: '', index: 0, ...answer }, { endpoint });
}
