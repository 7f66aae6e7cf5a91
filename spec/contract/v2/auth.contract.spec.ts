import {
  AuthenticationError,
  EtcdApiError,
  isAuthenticationError,
  isConflict,
  isKeyNotFound,
  isNotFound,
  type EtcdClient,
} from 'rxetcd';
import {
  catchError,
  concat,
  defer,
  firstValueFrom,
  lastValueFrom,
  map,
  of,
  toArray,
  type Observable,
} from 'rxjs';
import { headlineOf } from '../../support/jest/headline.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { startScriptedServer } from '../../support/scripted/scripted-server.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';

/*
 * The same server for all; each test names its own users and roles. Whoever turns authentication on has it turned off
 * behind the test, past the client.
 */
const server = serverUnderTest();
const rootPassword = 'root pässword';
let client: EtcdClient;
let name: string;

const as = (username: string, password: string) => server.client({ auth: { username, password } });
const all = <T>(call$: Observable<T>) => lastValueFrom(call$.pipe(toArray()));
const basic = (username: string, password: string) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
const nothing = { kv: { read: [], write: [] } };
const everything = { kv: { read: ['/*'], write: ['/*'] } };

beforeEach(() => {
  client = server.client();
  name = server.key().slice(1);
});

/** Turns authentication on; the client that may do all. */
async function locked(): Promise<EtcdClient> {
  const root = as('root', rootPassword);
  server.afterwards(async () => {
    const headers = { authorization: basic('root', rootPassword) };
    await server.fetch('/auth/enable', { method: 'DELETE', headers });
  });
  await firstValueFrom(root.auth.enable$());
  return root;
}

/** Whether the server takes these credentials, of a user with the role `root`. */
async function logsIn(username: string, password: string): Promise<boolean> {
  const outcome = as(username, password)
    .exists$('/any')
    .pipe(
      map(() => true),
      catchError((error: unknown) => {
        expect(isAuthenticationError(error)).toBe(true);
        return of(false);
      }),
    );
  return firstValueFrom(outcome);
}

describe('before there is any user', () => {
  test('nothing is enabled, nobody is listed', async () => {
    expect(await all(client.auth.status$())).toEqual([{ enabled: false }]);
    expect(await all(client.auth.users$())).toEqual([[]]);
    expect(await all(client.auth.roles$())).toEqual([[{ role: 'root', permissions: everything }]]);
  });

  test('it cannot be turned on, and is off already', async () => {
    const error = await rejectionOf(client.auth.enable$());
    expect(isConflict(error)).toBe(true);
    expect(error).toMatchObject({ status: 409, errorCode: 0, endpoint: server.url });
    expect(headlineOf(error)).toBe('auth.enable: auth: No root user available, please create one [HTTP 409]');
    expect(await all(client.auth.disable$())).toEqual(['unchanged']);
    expect(await firstValueFrom(client.auth.status$())).toEqual({ enabled: false });
  });

  test('the first one is root', async () => {
    expect(await all(client.auth.createUser$('root', rootPassword))).toEqual([
      { user: 'root', roles: ['root'] },
    ]);
    expect(await firstValueFrom(client.auth.user$('root'))).toEqual({
      user: 'root',
      roles: [{ role: 'root', permissions: everything }],
    });
  });
});

describe('roles', () => {
  const permissions = { read: ['/a/*', '/b'], write: ['/a/*'] };

  test('are created, read, listed, deleted', async () => {
    const role = { role: name, permissions: { kv: permissions } };
    expect(await all(client.auth.createRole$(name, permissions))).toEqual([role]);
    expect(await all(client.auth.role$(name))).toEqual([role]);
    expect(await firstValueFrom(client.auth.roles$())).toContainEqual(role);
    expect(await all(client.auth.deleteRole$(name))).toHaveLength(1);
    expect(isNotFound(await rejectionOf(client.auth.role$(name)))).toBe(true);
  });

  test('without permissions hold empty lists', async () => {
    expect(await firstValueFrom(client.auth.createRole$(name))).toEqual({ role: name, permissions: nothing });
    expect(await firstValueFrom(client.auth.role$(name))).toEqual({ role: name, permissions: nothing });
  });

  test('are granted and revoked permissions', async () => {
    await firstValueFrom(client.auth.createRole$(name, permissions));
    const changes = { grant: { read: ['/c'] }, revoke: { read: ['/b'], write: ['/a/*'] } };
    const { permissions: left } = await firstValueFrom(client.auth.updateRole$(name, changes));
    expect([...left.kv.read].sort()).toEqual(['/a/*', '/c']);
    expect(left.kv.write).toEqual([]);
    expect(await firstValueFrom(client.auth.role$(name))).toEqual({ role: name, permissions: left });
  });

  test('one that exists is not created, and stays', async () => {
    await firstValueFrom(client.auth.createRole$(name, permissions));
    const error = await rejectionOf(client.auth.createRole$(name, { read: ['/other'] }));
    expect(isConflict(error)).toBe(true);
    expect(error).toMatchObject({ status: 409, endpoint: server.url });
    expect(headlineOf(error)).toBe(`auth.createRole ${name}: auth: Role ${name} already exists. [HTTP 409]`);
    expect((await firstValueFrom(client.auth.role$(name))).permissions.kv).toEqual(permissions);
  });

  test('a permission is granted once; one that is not there cannot be revoked', async () => {
    await firstValueFrom(client.auth.createRole$(name, permissions));
    const twice = await rejectionOf(client.auth.updateRole$(name, { grant: { read: ['/b'] } }));
    expect(isConflict(twice)).toBe(true);
    expect(headlineOf(twice)).toContain('Granting duplicate read permission /b');
    const none = await rejectionOf(client.auth.updateRole$(name, { revoke: { read: ['/none'] } }));
    expect(none).toBeInstanceOf(EtcdApiError);
    // In etcd's own words: nothing is left that would change.
    expect(none).toMatchObject({ status: 400, errorCode: 0 });
    expect(headlineOf(none)).toContain('Role not updated');
    expect((await firstValueFrom(client.auth.role$(name))).permissions.kv).toEqual(permissions);
  });

  test('one that is missing is not found, and not made', async () => {
    for (const call$ of [
      client.auth.role$(name),
      client.auth.updateRole$(name, { grant: { read: ['/a'] } }),
      client.auth.deleteRole$(name),
    ]) {
      const error = await rejectionOf(call$);
      expect(isNotFound(error)).toBe(true);
      expect(error).toMatchObject({ status: 404, errorCode: 0, endpoint: server.url });
      expect(headlineOf(error)).toMatch(
        new RegExp(`^auth\\.\\w+ ${name}: auth: Role ${name} doe.*exist\\.? \\[HTTP 404\\]$`),
      );
    }
    expect((await firstValueFrom(client.auth.roles$())).map(({ role }) => role)).not.toContain(name);
  });

  test('root is not deleted', async () => {
    const error = await rejectionOf(client.auth.deleteRole$('root'));
    expect(error).toBeInstanceOf(EtcdApiError);
    expect(isAuthenticationError(error)).toBe(false);
    expect(error).toMatchObject({ status: 403 });
    expect(headlineOf(error)).toContain('Cannot modify role root');
  });
});

describe('users', () => {
  test('are created, read, listed, deleted', async () => {
    expect(await all(client.auth.createUser$(name, 'pw'))).toEqual([{ user: name, roles: [] }]);
    expect(await all(client.auth.user$(name))).toEqual([{ user: name, roles: [] }]);
    expect(await firstValueFrom(client.auth.users$())).toContainEqual({ user: name, roles: [] });
    expect(await all(client.auth.deleteUser$(name))).toHaveLength(1);
    expect(isNotFound(await rejectionOf(client.auth.user$(name)))).toBe(true);
  });

  test('start with roles, are given and taken some', async () => {
    const roles = [`${name}-a`, `${name}-b`];
    await lastValueFrom(concat(...roles.map((role) => client.auth.createRole$(role, { read: ['/a'] }))));
    const created = await firstValueFrom(client.auth.createUser$(name, 'pw', { roles: [`${name}-a`] }));
    expect(created).toEqual({ user: name, roles: [`${name}-a`] });
    const granted = await firstValueFrom(client.auth.updateUser$(name, { grant: [`${name}-b`] }));
    expect(granted).toEqual({ user: name, roles });
    const full = {
      user: name,
      roles: roles.map((role) => ({ role, permissions: { kv: { read: ['/a'], write: [] } } })),
    };
    expect(await firstValueFrom(client.auth.user$(name))).toEqual(full);
    expect(await firstValueFrom(client.auth.users$())).toContainEqual(full);
    expect(await firstValueFrom(client.auth.updateUser$(name, { revoke: roles }))).toEqual({
      user: name,
      roles: [],
    });
  });

  test.each([
    ['without roles', undefined],
    ['with no roles', []],
    ['with roles', ['root']],
  ])('one that exists is not created %s, and keeps its password', async (_, roles) => {
    await firstValueFrom(client.auth.createUser$(name, 'first'));
    const error = await rejectionOf(client.auth.createUser$(name, 'second', { roles }));
    expect(isConflict(error)).toBe(true);
    expect(error).toBeInstanceOf(EtcdApiError);
    expect(error).toMatchObject({ status: 409, errorCode: 0, endpoint: server.url });
    expect(headlineOf(error)).toMatch(
      new RegExp(`^auth\\.createUser ${name}: (auth: )?User ${name} already exists\\.? \\[HTTP 409\\]$`),
    );
    expect(await firstValueFrom(client.auth.user$(name))).toEqual({ user: name, roles: [] });
    await firstValueFrom(client.auth.updateUser$(name, { grant: ['root'] }));
    await locked();
    expect(await logsIn(name, 'second')).toBe(false);
    expect(await logsIn(name, 'first')).toBe(true);
  });

  test('one with a role that does not exist is there as well', async () => {
    await firstValueFrom(client.auth.createUser$(name, 'first', { roles: [`${name}-none`] }));
    const read = await rejectionOf(client.auth.user$(name));
    expect(isNotFound(read)).toBe(true);
    expect(headlineOf(read)).toContain(`Role ${name}-none does not exist`);
    expect(isConflict(await rejectionOf(client.auth.createUser$(name, 'second')))).toBe(true);
    await firstValueFrom(client.auth.updateUser$(name, { password: 'third' }));
    const roles = { grant: ['root'], revoke: [`${name}-none`] };
    await firstValueFrom(client.auth.updateUser$(name, roles));
    await locked();
    expect(await logsIn(name, 'second')).toBe(false);
    expect(await logsIn(name, 'third')).toBe(true);
  });

  test('change their password, and nothing else', async () => {
    await firstValueFrom(client.auth.createUser$(name, 'first', { roles: ['root'] }));
    expect(await all(client.auth.updateUser$(name, { password: 'se:cönd' }))).toEqual([
      { user: name, roles: ['root'] },
    ]);
    await locked();
    expect(await logsIn(name, 'first')).toBe(false);
    expect(await logsIn(name, 'se:cönd')).toBe(true);
  });

  test('password and roles change at once', async () => {
    await firstValueFrom(client.auth.createUser$(name, 'first'));
    const changes = { password: 'second', grant: ['root'] };
    expect(await firstValueFrom(client.auth.updateUser$(name, changes))).toEqual({
      user: name,
      roles: ['root'],
    });
    await locked();
    expect(await logsIn(name, 'first')).toBe(false);
    expect(await logsIn(name, 'second')).toBe(true);
  });

  test.each([
    ['a password', { password: 'pw' }],
    ['roles', { grant: ['root'] }],
    ['both', { password: 'pw', grant: ['root'] }],
    ['none of its roles', { revoke: ['root'] }],
  ])('one that is missing is not made by giving it %s', async (_, changes) => {
    const error = await rejectionOf(client.auth.updateUser$(name, changes));
    expect(isNotFound(error)).toBe(true);
    expect(error).toMatchObject({ status: 404, errorCode: 0, endpoint: server.url });
    expect(headlineOf(error)).toMatch(
      new RegExp(`^auth\\.updateUser ${name}: (auth: )?User ${name} does not exist\\.? \\[HTTP 404\\]$`),
    );
    expect((await firstValueFrom(client.auth.users$())).map(({ user }) => user)).not.toContain(name);
  });

  test('one that is missing is neither read nor deleted', async () => {
    for (const call$ of [client.auth.user$(name), client.auth.deleteUser$(name)]) {
      const error = await rejectionOf(call$);
      expect(isNotFound(error)).toBe(true);
      expect(headlineOf(error)).toContain(`User ${name} does not exist`);
    }
  });

  test('a role is given once, and taken only if it was given', async () => {
    await firstValueFrom(client.auth.createUser$(name, 'pw', { roles: ['root'] }));
    for (const [changes, words] of [
      [{ grant: ['root'] }, 'Granting duplicate role root'],
      [{ revoke: ['other'] }, 'Revoking ungranted role other'],
    ] as const) {
      const error = await rejectionOf(client.auth.updateUser$(name, changes));
      expect(isConflict(error)).toBe(true);
      expect(headlineOf(error)).toContain(words);
    }
    expect((await firstValueFrom(client.auth.user$(name))).roles).toHaveLength(1);
  });

  test.each(['with space', 'Zürich 東京', '100%', "a?b=c;d&e'", 'a"b\\c'])('%j names one', async (part) => {
    const awkward = `${name} ${part}`;
    expect(await firstValueFrom(client.auth.createUser$(awkward, 'pw'))).toEqual({
      user: awkward,
      roles: [],
    });
    expect(isConflict(await rejectionOf(client.auth.createUser$(awkward, 'other')))).toBe(true);
    await firstValueFrom(client.auth.updateUser$(awkward, { password: 'new' }));
    expect((await firstValueFrom(client.auth.user$(awkward))).user).toBe(awkward);
    await firstValueFrom(client.auth.deleteUser$(awkward));
    expect(isNotFound(await rejectionOf(client.auth.updateUser$(awkward, { password: 'new' })))).toBe(true);
  });
});

describe('once it is on', () => {
  const wrong = 'the user name or password is wrong, or the user lacks the right';
  const none = 'no credentials were given: option auth';

  test('the switch tells whether it moved', async () => {
    const root = as('root', rootPassword);
    server.afterwards(() => firstValueFrom(root.auth.disable$()));
    expect(await all(root.auth.enable$())).toEqual(['changed']);
    expect(await all(root.auth.enable$())).toEqual(['unchanged']);
    expect(await all(root.auth.status$())).toEqual([{ enabled: true }]);
    // Open to anyone.
    expect(await all(client.auth.status$())).toEqual([{ enabled: true }]);
    expect(await all(root.auth.disable$())).toEqual(['changed']);
    expect(await all(root.auth.disable$())).toEqual(['unchanged']);
    expect(await all(root.auth.status$())).toEqual([{ enabled: false }]);
  });

  test('administration without credentials, with wrong ones, without the right: told apart as far as can be', async () => {
    await firstValueFrom(client.auth.createUser$(name, 'pw'));
    const root = await locked();
    const whoever: [EtcdClient, string][] = [
      [client, none],
      [as('root', 'wrong'), wrong],
      [as('nobody', 'pw'), wrong],
      [as(name, 'pw'), wrong],
    ];
    for (const [who, hint] of whoever) {
      for (const [operation, call$] of [
        ['auth.users', who.auth.users$()],
        ['auth.createUser other', who.auth.createUser$('other', 'pw')],
        ['auth.createUser other', who.auth.createUser$('other', 'pw', { roles: ['root'] })],
        [`auth.updateUser ${name}`, who.auth.updateUser$(name, { password: 'pw2' })],
        ['auth.enable', who.auth.enable$()],
        ['auth.disable', who.auth.disable$()],
        ['members.remove 1', who.members.remove$('1')],
      ] as const) {
        const error = await rejectionOf(call$);
        expect(error).toBeInstanceOf(AuthenticationError);
        expect(isAuthenticationError(error)).toBe(true);
        expect(error).toMatchObject({ status: 401, errorCode: 110, endpoint: server.url });
        expect(headlineOf(error)).toBe(`${operation}: Insufficient credentials [110] (${hint})`);
      }
    }
    const { enabled } = await firstValueFrom(client.auth.status$());
    expect(enabled).toBe(true);
    expect((await firstValueFrom(root.auth.user$(name))).roles).toEqual([]);
    await firstValueFrom(root.auth.updateUser$(name, { grant: ['root'] }));
    expect(await logsIn(name, 'pw')).toBe(true);
  });

  test('keys, by the rights of a user and of a guest', async () => {
    const pattern = [`/${name}/*`];
    await firstValueFrom(client.auth.createRole$(name, { read: pattern }));
    await firstValueFrom(client.auth.createUser$(name, 'pw', { roles: [name] }));
    await firstValueFrom(client.set$(`/${name}/k`, 'v'));
    const root = await locked();
    // A guest may do all until that is revoked.
    expect((await firstValueFrom(client.get$(`/${name}/k`))).node.value).toBe('v');
    await firstValueFrom(root.auth.updateRole$('guest', { revoke: { read: ['/*'], write: ['/*'] } }));
    expect((await firstValueFrom(root.auth.role$('guest'))).permissions).toEqual(nothing);
    server.afterwards(async () => {
      await firstValueFrom(root.auth.updateRole$('guest', { grant: { read: ['/*'], write: ['/*'] } }));
    });
    const user = as(name, 'pw');
    expect((await firstValueFrom(user.get$(`/${name}/k`))).node.value).toBe('v');
    const refused: [Observable<unknown>, string, string][] = [
      [client.get$(`/${name}/k`), `get /${name}/k`, none],
      [client.set$(`/${name}/k`, 'w'), `set /${name}/k`, none],
      [client.setDir$(`/${name}/d`), `setDir /${name}/d`, none],
      [client.watch$(`/${name}/k`), `watch /${name}/k`, none],
      [as(name, 'wrong').get$(`/${name}/k`), `get /${name}/k`, wrong],
      [user.set$(`/${name}/k`, 'w'), `set /${name}/k`, wrong],
      [user.deleteDir$(`/${name}`), `deleteDir /${name}`, wrong],
      [user.get$('/other'), 'get /other', wrong],
    ];
    for (const [call$, operation, hint] of refused) {
      const error = await rejectionOf(call$);
      expect(isAuthenticationError(error)).toBe(true);
      expect(isNotFound(error) || isKeyNotFound(error)).toBe(false);
      expect(error).toMatchObject({ status: 401, errorCode: 110, reason: 'Insufficient credentials' });
      expect(headlineOf(error)).toBe(
        `${operation}: The request requires user authentication (Insufficient credentials) [110] (${hint})`,
      );
    }
    expect((await firstValueFrom(root.get$(`/${name}/k`))).node.value).toBe('v');
  });

  test('root is not deleted, as user or as role', async () => {
    const root = await locked();
    const error = await rejectionOf(root.auth.deleteUser$('root'));
    expect(error).toMatchObject({ status: 403, errorCode: 0 });
    expect(isAuthenticationError(error)).toBe(false);
    expect(headlineOf(error)).toBe(
      'auth.deleteUser root: auth: Cannot delete root user while auth is enabled. [HTTP 403]',
    );
  });

  test('what is open needs no credentials and gets none', async () => {
    await locked();
    expect(await firstValueFrom(client.members.list$())).toHaveLength(1);
    expect((await firstValueFrom(client.members.leader$())).name).toBe('etcd1');
    expect((await firstValueFrom(client.stats.self$())).name).toBe('etcd1');
    expect(await firstValueFrom(client.machines$())).toEqual([server.url]);
    expect((await firstValueFrom(client.health$())).healthy).toBe(true);
    const between = await firstValueFrom(
      startScriptedServer(({ path, headers: { authorization } }) =>
        defer(async () => {
          const answer = await fetch(`${server.url}${path}`, {
            headers: authorization ? { authorization } : {},
          });
          return { status: answer.status, body: await answer.text() };
        }),
      ),
    );
    server.afterwards(() => firstValueFrom(between.close$()));
    const auth = { username: 'root', password: rootPassword };
    const root = server.client({ auth, endpoints: between.url, discover: false });
    const open: Observable<unknown>[] = [
      root.members.list$(),
      root.members.leader$(),
      root.stats.leader$(),
      root.stats.self$(),
      root.stats.store$(),
      root.machines$(),
      root.version$(),
      root.versions$(),
      root.health$(),
      root.auth.status$(),
    ];
    for (const call$ of open) await lastValueFrom(call$);
    expect(between.requests.length).toBeGreaterThan(open.length);
    expect(between.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
    await firstValueFrom(root.auth.users$());
    expect(between.requests.at(-1)?.headers.authorization).toBe(basic('root', rootPassword));
  });
});

test('no error shows a password', async () => {
  const secret = 'hush-hush';
  const encoded = Buffer.from(`root:${secret}`).toString('base64');
  await firstValueFrom(client.auth.createUser$(name, 'pw'));
  await locked();
  const guest = as('root', secret);
  for (const call$ of [
    guest.auth.users$(),
    guest.auth.createUser$(name, secret),
    guest.auth.createUser$(name, secret, { roles: ['root'] }),
    guest.auth.updateUser$(name, { password: secret }),
    guest.auth.updateUser$(name, { password: secret, grant: ['root'] }),
  ]) {
    const error = (await rejectionOf(call$)) as EtcdApiError;
    const told = [error.message, error.stack, JSON.stringify(Object.entries(error)), headlineOf(error)];
    expect(told.join()).not.toContain(secret);
    expect(told.join()).not.toContain(encoded);
  }
});
