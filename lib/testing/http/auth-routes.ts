import { AuthError } from '../auth/auth-error.js';
import type { AuthState } from '../auth/auth-state.js';
import { isEmpty } from '../auth/permission.js';
import type { Role } from '../auth/roles.js';
import type { User } from '../auth/users.js';
import { BadRequestError, readRole, readUserChange } from './auth-body.js';
import { json, message } from './reply.js';
import type { Reply } from './reply.js';

type Action = (body: string) => Reply;

/** One path below `/v2/auth`: what each of its methods does, in the order in which etcd lists them. */
export interface Route {
  readonly methods: Readonly<Record<string, Action>>;
  /** Methods that anyone may use. */
  readonly open?: readonly string[];
}

/** Finds what serves a path; undefined if nothing does. */
export function routeOf(state: AuthState, path: string): Route | 'invalid path' | undefined {
  if (path === '/v2/auth/enable') return theSwitch(state);
  const [, kind, below = ''] = /^\/v2\/auth\/(users|roles)(?:\/(.*))?$/s.exec(path) ?? [];
  if (kind === undefined) return undefined;
  const name = below.replace(/\/$/, '');
  if (name.includes('/')) return 'invalid path';
  if (kind === 'users') return name === '' ? allUsers(state) : oneUser(state, name);
  return name === '' ? allRoles(state) : oneRole(state, name);
}

/** Does what one method of a route does, once it is known that the caller may. */
export function serve(action: Action, body: string): Reply {
  try {
    return action(body);
  } catch (error) {
    if (error instanceof AuthError) return message(error.status, error.message);
    if (error instanceof BadRequestError) return message(400, error.message);
    throw error;
  }
}

const done: Reply = { status: 200, headers: { 'Content-Type': 'application/json' }, body: '' };

/** An action that answers nothing. */
const silent =
  (act: () => void): Action =>
  () => {
    act();
    return done;
  };

const theSwitch = (state: AuthState): Route => ({
  open: ['GET'],
  methods: {
    GET: () => json(200, { enabled: state.enabled }),
    PUT: silent(() => state.enable()),
    DELETE: silent(() => state.disable()),
  },
});

const allUsers = ({ users, roles }: AuthState): Route => ({
  methods: {
    GET: () => {
      const list = users.names().map((name) => {
        const user = users.get(name);
        // A role that is gone is left out here, and only here.
        return withRoles(user, (user.roles ?? []).map((role) => roles.find(role)).filter(Boolean));
      });
      return json(200, { users: list.length === 0 ? null : list });
    },
  },
});

const oneUser = (state: AuthState, name: string): Route => ({
  methods: {
    GET: () => {
      const user = state.users.get(name);
      const roles = (user.roles ?? []).map((role) => state.roles.get(role));
      return json(200, withRoles(user, roles));
    },
    PUT: (body) => putUser(state, body, name),
    DELETE: silent(() => state.deleteUser(name)),
  },
});

const allRoles = ({ roles }: AuthState): Route => ({
  methods: { GET: () => json(200, { roles: roles.names().map((name) => roles.get(name)) }) },
});

const oneRole = ({ roles }: AuthState, name: string): Route => ({
  methods: {
    GET: () => json(200, roles.get(name)),
    PUT: (body) => {
      const change = readRole(body, name);
      if (isEmpty(change.grant) && isEmpty(change.revoke)) return json(201, roles.create(change));
      if (!isEmpty(change.permissions))
        throw new BadRequestError('Role JSON contains both permissions and grant/revoke');
      return json(200, roles.update(change));
    },
    DELETE: silent(() => roles.delete(name)),
  },
});

/** Creates or changes a user. Only one that is created without roles answers "created". */
function putUser({ users }: AuthState, body: string, name: string): Reply {
  const change = readUserChange(body, name);
  const hasRoles = (change.roles ?? []).length > 0;
  if ((change.grant ?? []).length + (change.revoke ?? []).length > 0) {
    if (hasRoles) throw new BadRequestError('User JSON contains both roles and grant/revoke');
    return json(200, withRoleNames(users.update(change)));
  }
  if (hasRoles) return json(200, withRoleNames(users.create(change)));
  const isNew = users.find(name) === undefined;
  return json(isNew ? 201 : 200, withRoleNames(isNew ? users.create(change) : users.update(change)));
}

const withRoleNames = ({ user, roles }: User): object => ({ user, roles });
const withRoles = ({ user }: User, roles: readonly (Role | undefined)[]): object => ({
  user,
  ...(roles.length > 0 && { roles }),
});
