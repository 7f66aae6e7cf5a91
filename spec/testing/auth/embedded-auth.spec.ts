import { inspect } from 'node:util';
import { EmbeddedAuth } from '../../../lib/testing/auth/embedded-auth.js';
import { authReply } from '../../../lib/testing/http/auth-route.js';

let auth: EmbeddedAuth;

beforeEach(() => (auth = new EmbeddedAuth()));

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const json = { 'Content-Type': 'application/json' };
const identified = { ...json, 'X-Etcd-Cluster-Id': 'cafe' };

/** One request; `who` as `user:password`. */
const ask = (method: string, path: string, body: object | string = '', who?: string) =>
  authReply(
    {
      method,
      path: `/v2/auth${path}`,
      body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    },
    auth,
    auth.authenticate(who && basic(who)),
    'cafe',
  );

/** On, with a user `a` whose role is given, and guests with theirs. */
function lock({ role, guest }: { role: object; guest: object }): void {
  ask('PUT', '/users/root', { user: 'root', password: 'r' });
  ask('PUT', '/users/a', { user: 'a', password: 's', roles: ['gone', 'role'] });
  ask('PUT', '/roles/role', { role: 'role', permissions: { kv: role } });
  ask('PUT', '/roles/guest', { role: 'guest', permissions: { kv: guest } });
  expect(ask('PUT', '/enable')).toEqual({ status: 200, headers: identified, body: '' });
}

describe('answers', () => {
  test('a success with a line break behind its JSON, a refusal without', () => {
    expect(ask('GET', '/enable')).toEqual({ status: 200, headers: identified, body: '{"enabled":false}\n' });
    expect(ask('GET', '/users/a')).toEqual({
      status: 404,
      headers: identified,
      body: '{"message":"auth: User a does not exist."}',
    });
  });

  test('users and roles', () => {
    expect(ask('GET', '/users').body).toBe('{"users":null}\n');
    expect(ask('PUT', '/users/a', { user: 'a', password: 's' })).toMatchObject({
      status: 201,
      body: '{"user":"a","roles":null}\n',
    });
    expect(ask('GET', '/users/a').body).toBe('{"user":"a"}\n');
    expect(ask('PUT', '/roles/r', { role: 'r' }).status).toBe(201);
    expect(ask('PUT', '/users/a', { user: 'a', grant: ['r'] })).toMatchObject({
      status: 200,
      body: '{"user":"a","roles":["r"]}\n',
    });
    const role = '{"role":"r","permissions":{"kv":{"read":null,"write":null}}}';
    expect(ask('GET', '/users/a').body).toBe(`{"user":"a","roles":[${role}]}\n`);
    expect(ask('GET', '/roles/r').body).toBe(`${role}\n`);
    expect(ask('PUT', '/users/b', { user: 'b', password: 's', roles: ['r'] }).status).toBe(200);
    expect(ask('DELETE', '/roles/r')).toMatchObject({ status: 200, body: '' });
    expect(ask('GET', '/users').body).toBe('{"users":[{"user":"a"},{"user":"b"}]}\n');
    expect(ask('GET', '/users/a')).toMatchObject({ status: 404 });
  });

  test.each([
    ['/users/b', { user: 'b', roles: ['r'], grant: ['q'] }, 'User JSON contains both roles and grant/revoke'],
    [
      '/roles/r',
      { role: 'r', permissions: { kv: { read: ['/'] } }, revoke: { kv: { write: ['/'] } } },
      'Role JSON contains both permissions and grant/revoke',
    ],
    ['/roles/r', 'x', 'Invalid JSON in request body.'],
  ])('a bad body for %s', (path, body, message) => {
    expect(ask('PUT', path, body)).toEqual({
      status: 400,
      headers: identified,
      body: JSON.stringify({ message }),
    });
  });

  test.each(['', '/', '/enable/', '/user', '/usersx', '/rolesx/a'])('nothing at /v2/auth%s', (path) => {
    expect(ask('GET', path)).toMatchObject({ status: 404, body: '404 page not found\n' });
  });

  test('a path with too many parts, whoever asks', () => {
    const answer = { status: 400, headers: json, body: '{"message":"Invalid path"}' };
    expect(ask('GET', '/users/a/b')).toEqual(answer);
    lock({ role: {}, guest: {} });
    expect(ask('POST', '/roles/a/b/')).toEqual(answer);
  });

  test.each([
    ['HEAD', '/enable', 'GET,PUT,DELETE'],
    ['PUT', '/users', 'GET'],
    ['DELETE', '/roles/', 'GET'],
    ['POST', '/users/a', 'GET,PUT,DELETE'],
    ['constructor', '/roles/a', 'GET,PUT,DELETE'],
  ])('%s %s is not allowed, whoever asks', (method, path, allow) => {
    lock({ role: {}, guest: {} });
    expect(ask(method, path)).toEqual({
      status: 405,
      headers: {
        Allow: allow,
        'Content-Type': 'text/plain; charset=utf-8',
        'X-Content-Type-Options': 'nosniff',
      },
      body: 'Method Not Allowed\n',
    });
  });

  test('once it is on, only to those with the role root, but for the switch', () => {
    lock({ role: { read: ['/*'], write: ['/*'] }, guest: { read: ['/*'], write: ['/*'] } });
    const denied = { status: 401, headers: json, body: '{"message":"Insufficient credentials"}' };
    for (const who of [undefined, 'a:s', 'root:s', 'nobody:r']) {
      expect(ask('GET', '/users', '', who)).toEqual(denied);
      expect(ask('PUT', '/roles/r', 'x', who)).toEqual(denied);
      expect(ask('DELETE', '/enable', '', who)).toEqual(denied);
      expect(ask('GET', '/enable', '', who).body).toBe('{"enabled":true}\n');
    }
    expect(ask('GET', '/users', '', 'root:r').status).toBe(200);
    expect(ask('PUT', '/users/a', { user: 'a', grant: ['root'] }, 'root:r').status).toBe(200);
    expect(ask('DELETE', '/enable', '', 'a:s').status).toBe(200);
    expect(auth.enabled).toBe(false);
  });
});

describe('callers', () => {
  test('nobody is looked up while it is off', () => {
    expect(auth.authenticate(basic('nobody:x'))).toBeUndefined();
    expect(auth.authenticate('garbage')).toBeUndefined();
  });

  test('a user by its password', () => {
    lock({ role: {}, guest: {} });
    expect(auth.authenticate(basic('a:s'))).toEqual({ name: 'a' });
    expect(auth.authenticate(undefined)).toBeUndefined();
    expect(auth.authenticate('')).toBeUndefined();
    for (const header of [basic('a:r'), basic('b:s'), basic(':s'), basic('a'), 'Bearer x', 'garbage'])
      expect(auth.authenticate(header)).toBe('denied');
  });

  test('one that is gone since may nothing', () => {
    lock({ role: { read: ['/*'] }, guest: { read: ['/*'] } });
    const caller = auth.authenticate(basic('a:s'));
    expect(auth.mayRead(caller, '/any')).toBe(true);
    ask('DELETE', '/users/a', '', 'root:r');
    expect(auth.mayRead(caller, '/any')).toBe(false);
    expect(auth.isRoot(caller)).toBe(false);
  });
});

describe('keys', () => {
  const user = { name: 'a' };
  const root = { name: 'root' };

  test('are open to all while it is off', () => {
    for (const caller of [undefined, user, 'denied'] as const) {
      expect(auth.mayRead(caller, '/any', true)).toBe(true);
      expect(auth.mayWrite(caller, '/any', true)).toBe(true);
      expect(auth.isRoot(caller)).toBe(true);
    }
  });

  test('are open to root, and closed to wrong credentials', () => {
    lock({ role: { read: ['/*'] }, guest: { read: ['/*'], write: ['/*'] } });
    for (const key of ['', '/', '/any', '/_hidden']) {
      expect(auth.mayRead(root, key, true)).toBe(true);
      expect(auth.mayWrite(root, key, true)).toBe(true);
      expect(auth.mayRead('denied', key)).toBe(false);
      expect(auth.mayWrite('denied', key)).toBe(false);
    }
  });

  test('are a matter of patterns to users, who need a * for a tree', () => {
    lock({ role: { read: ['/pub', '/tree/*'], write: ['/tree/*'] }, guest: { read: ['/*'] } });
    expect(auth.mayRead(user, '/pub')).toBe(true);
    expect(auth.mayRead(user, '/pub', true)).toBe(false);
    expect(auth.mayWrite(user, '/pub')).toBe(false);
    expect(auth.mayRead(user, '/tree/a', true)).toBe(true);
    expect(auth.mayWrite(user, '/tree/_hidden', true)).toBe(true);
    expect(auth.mayRead(user, '/tree', true)).toBe(false);
    // What guests may is not given to users besides.
    expect(auth.mayRead(user, '/other')).toBe(false);
  });

  test('are to guests what their role says, trees alike', () => {
    lock({ role: {}, guest: { read: ['/pub', '/tree/*'], write: ['/box'] } });
    expect(auth.mayRead(undefined, '/pub')).toBe(true);
    expect(auth.mayRead(undefined, '/pub', true)).toBe(true);
    expect(auth.mayRead(undefined, '/box')).toBe(false);
    expect(auth.mayWrite(undefined, '/box', true)).toBe(true);
    expect(auth.mayWrite(undefined, '/pub')).toBe(false);
    ask('DELETE', '/roles/guest', '', 'root:r');
    expect(auth.mayRead(undefined, '/pub')).toBe(false);
  });
});

test('one line shows it, and no password', () => {
  ask('PUT', '/users/root', { user: 'root', password: 'hush-hush' });
  ask('PUT', '/enable');
  const line = 'EmbeddedAuth (enabled, users: 1, roles: 2)';
  expect([String(auth), JSON.stringify(auth), inspect(auth)]).toEqual([line, `"${line}"`, line]);
  const hidden = inspect(auth, { customInspect: false, showHidden: true, depth: 9 });
  expect(hidden + JSON.stringify(auth.authenticate(basic('root:hush-hush')))).not.toContain('hush');
});
