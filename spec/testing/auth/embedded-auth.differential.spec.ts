import * as fc from 'fast-check';
import { firstValueFrom } from 'rxjs';
import { EmbeddedAuth } from '../../../lib/testing/auth/embedded-auth.js';
import { authReply } from '../../../lib/testing/http/auth-route.js';
import { startLocalCluster, type LocalCluster } from '../../support/cluster/local-cluster.js';
import { patient } from '../../support/etcd/etcd-flags.js';
import { runSeed } from '../../support/values/random.js';

/*
 * The same requests to the model and to a real etcd 3.4, which must answer alike to the letter. A password costs etcd
 * 60 ms whatever its flag --bcrypt-cost says, so runs are few; AUTH_RUNS=n makes it n times as many.
 */
const factor = Number(process.env['AUTH_RUNS'] ?? 1);
const limit = 120_000 * Math.max(1, factor);
jest.setTimeout(limit);

interface AuthRequest {
  method: string;
  /** Behind `/v2/auth`, decoded. */
  path: string;
  body?: string | undefined;
  authorization?: string | undefined;
}
interface KeyRequest {
  method: 'GET' | 'PUT' | 'DELETE';
  key: string;
  recursive: boolean;
  authorization?: string | undefined;
}

let cluster: LocalCluster;
let url: string;
let clusterId: string;
let model: EmbeddedAuth;

beforeAll(async () => {
  cluster = await firstValueFrom(startLocalCluster({ size: 1, release: 'bookworm', timing: patient }));
  url = cluster.members[0]!.clientUrl;
  expect(cluster.members[0]).toBeDefined();
  clusterId = (await fetch(`${url}/v2/auth/enable`)).headers.get('x-etcd-cluster-id')!;
});
afterAll(() => firstValueFrom(cluster.down$()));

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const asRoot = basic('root:r');
const usernames = ['root', 'a', 'b', '_hidden', 'é<&>'];
const roleNames = ['guest', 'q', 'r', '_hidden', 'Ä\u2028\b'];
const passwords = ['r', 's'];

const pathOf = ({ path }: AuthRequest): string => path.split('/').map(encodeURIComponent).join('/');
const headersOf = (authorization: string | undefined): HeadersInit =>
  authorization === undefined ? {} : { authorization };

async function send(request: AuthRequest): Promise<Response> {
  const { method, body, authorization } = request;
  const bodiless = method === 'GET' || method === 'HEAD' || body === undefined;
  return fetch(`${url}/v2/auth${pathOf(request)}`, {
    method,
    headers: headersOf(authorization),
    ...(!bodiless && { body }),
  });
}

/** Sends it to both and compares all that is etcd's own. */
async function agree(request: AuthRequest): Promise<void> {
  const { method, path, body = '', authorization } = request;
  const [response, answer] = [
    await send(request),
    authReply(
      { method, path: `/v2/auth${path}`, body: Buffer.from(body) },
      model,
      model.authenticate(authorization),
      clusterId,
    ),
  ];
  const headers: Record<string, string | null> = {};
  for (const name of ['Content-Type', 'Allow', 'X-Content-Type-Options', 'X-Etcd-Cluster-Id'])
    headers[name] = response.headers.get(name);
  const nothing = {
    'Content-Type': null,
    Allow: null,
    'X-Content-Type-Options': null,
    'X-Etcd-Cluster-Id': null,
  };
  expect({
    request,
    status: answer.status,
    headers: { ...nothing, ...answer.headers },
    body: method === 'HEAD' ? '' : answer.body,
  }).toEqual({ request, status: response.status, headers, body: await response.text() });
}

/** Compares who is let in; a condition that never holds keeps the keys as they are. */
async function agreeOnKey(request: KeyRequest): Promise<void> {
  const { method, key, recursive, authorization } = request;
  const caller = model.authenticate(authorization);
  const may =
    method === 'GET' ? model.mayRead(caller, key, recursive) : model.mayWrite(caller, key, recursive);
  const query = new URLSearchParams({ recursive: String(recursive) });
  if (method !== 'GET') query.set('prevIndex', '4000000000');
  const response = await fetch(`${url}/v2/keys${encodeURI(key)}?${query.toString()}`, {
    method,
    headers: headersOf(authorization),
  });
  await response.text();
  expect({ request, may }).toEqual({ request, may: response.status !== 401 });
}

/** The index of etcd's store, as long as guests may read. */
const index = async (): Promise<number> =>
  Number((await fetch(`${url}/v2/keys/`)).headers.get('x-etcd-index'));

/** Both without users and roles, and off. Etcd's own directories are made already. */
async function startOver(): Promise<void> {
  for (const password of passwords)
    await send({ method: 'DELETE', path: '/enable', authorization: basic(`root:${password}`) });
  expect(await (await send({ method: 'GET', path: '/enable' })).json()).toEqual({ enabled: false });
  for (const name of usernames) await send({ method: 'DELETE', path: `/users/${name}` });
  for (const name of roleNames) await send({ method: 'DELETE', path: `/roles/${name}` });
  model = new EmbeddedAuth();
  await agree({ method: 'DELETE', path: '/users/nobody' });
}

/** Turned off by whichever password is root's. */
async function turnOff(): Promise<void> {
  for (const password of passwords)
    await agree({ method: 'DELETE', path: '/enable', authorization: basic(`root:${password}`) });
  expect(model.enabled).toBe(false);
}

test('the first write of all makes directories first', async () => {
  model = new EmbeddedAuth();
  const before = await index();
  await agree({ method: 'GET', path: '/users' });
  await agree({ method: 'PUT', path: '/enable' });
  await agree({ method: 'PUT', path: '/users/a', body: '{"user":"a"}' });
  expect(model.writes).toBe((await index()) - before);
  await agree({ method: 'DELETE', path: '/users/a' });
  expect(model.writes).toBe((await index()) - before);
  expect(model.writes).toBe(4);
});

type Step = [method: string, path: string, body?: unknown, authorization?: string | undefined];
const kv = (read?: unknown, write?: unknown) => ({ kv: { read, write } });
const stories: Record<string, Step[]> = {
  'before anybody is there': [
    ['GET', '/enable'],
    ['DELETE', '/enable'],
    ['PUT', '/enable'],
    ['GET', '/users'],
    ['GET', '/roles'],
    ['GET', '/users/a'],
    ['GET', '/roles/a'],
    ['GET', '/roles/root'],
    ['DELETE', '/users/root'],
    ['DELETE', '/roles/guest'],
  ],
  'paths and methods': [
    ['GET', ''],
    ['GET', '/'],
    ['GET', '/enable/'],
    ['GET', '/user'],
    ['GET', '/usersx'],
    ['GET', '/users/'],
    ['GET', '/roles/'],
    ['PUT', '/users/', { user: '', password: 'r' }],
    ['GET', '/users/a/'],
    ['GET', '/users/a/b'],
    ['PATCH', '/roles/a/b'],
    ['HEAD', '/enable'],
    ['POST', '/enable'],
    ['HEAD', '/users'],
    ['DELETE', '/roles'],
    ['POST', '/users/a'],
    ['PATCH', '/roles/a'],
  ],
  'bodies of users': [
    ...['', ' ', 'x', '[]', '1', '"a"', '{', '{]', '{"user":"a","password":"r"', '{"user":"a}', '\ufeff{}'],
    ...['null', 'nullx', 'nul', '{}', '{}x', '{"user":null}', '{"user":"b"}', '{"user":1}', '{"user":"a"}'],
    ...['{"user":"a","roles":"r"}', '{"user":"a","roles":[1]}', '{"user":"a","grant":{}}', '{"user":"a",}'],
    '{"user":"a","roles":["r"],"grant":["q"]}',
    '{"user":"a","grant":["q"]}',
    ' \n{"USER":"a","paſſword":"r","other":{"deep":["}","\\"}"]}} trailing',
    '{"user":"a","password":"r"}',
    '{"user":"a"}',
    '{"user":"a"}',
    '{"user":"a","roles":[]}',
    '{"user":"a","grant":["r","r"]}',
    '{"user":"a","grant":["r","q","\\ud800","\uE000","\u{1F98A}"]}',
    '{"user":"a","grant":["q"]}',
    '{"user":"a","revoke":["none"]}',
    '{"user":"a","revoke":["q"],"grant":["q"]}',
    '{"user":"a","grant":["z"],"revoke":["z"]}',
    '{"user":"a","revoke":["r",null]}',
    '{"user":"a","password":"","revoke":["q","r"]}',
    '{"user":"a","password":"s","roles":["r"]}',
    '{"user":"a","roles":["r"]}',
  ].map((body): Step => ['PUT', '/users/a', body]),
  'bodies of roles': [
    ...['', '{', 'null', '{"role":"q"}', '{"role":"r","permissions":[]}', '{"role":"r","grant":1}'],
    '{"role":"r","permissions":{"kv":{"read":["/b","/a","/a"]}},"grant":{"kv":{"read":[]}},"revoke":{}}',
    '{"role":"r","permissions":{}}',
    '{"role":"r","permissions":{"kv":{"read":["/x"]}},"grant":{"kv":{"read":["/y"]}}}',
    '{"role":"r","permissions":{"kv":{"read":[]}},"revoke":{"kv":{"write":["/none"]}}}',
    '{"role":"r","revoke":{"kv":{"write":["/none"]}}}',
    '{"role":"r","grant":{"kv":{"read":["/a"]}}}',
    '{"role":"r","grant":{"kv":{"write":["/a","/a"]}}}',
    '{"role":"r","grant":{"kv":{"write":["/a"],"read":["/Z"]}},"revoke":{"kv":{"read":["/a"]}}}',
    '{"ROLE":"r","Revoke":{"KV":{"Write":["/a"]}}}',
  ].map((body): Step => ['PUT', '/roles/r', body]),
  'root and guest': [
    ['PUT', '/roles/root', { role: 'root' }],
    ['PUT', '/roles/root', { role: 'root', grant: kv(['/a']) }],
    ['DELETE', '/roles/root'],
    ['PUT', '/users/root', { user: 'root', password: 'r', roles: ['z', 'a'] }],
    ['GET', '/users/root'],
    ['GET', '/users'],
    ['PUT', '/users/root', { user: 'root', revoke: ['root', 'z', 'a'] }],
    ['GET', '/users/root'],
    ['PUT', '/users/root', { user: 'root' }],
    ['PUT', '/roles/guest', { role: 'guest', permissions: kv(['/pub']) }],
    ['PUT', '/enable'],
    ['GET', '/roles/guest'],
    ['GET', '/roles/guest', undefined, asRoot],
    ['PUT', '/enable', undefined, asRoot],
    ['DELETE', '/users/root', undefined, asRoot],
    ['DELETE', '/roles/guest', undefined, asRoot],
    ['DELETE', '/enable'],
    ['DELETE', '/enable', undefined, asRoot],
    ['PUT', '/enable'],
    ['GET', '/roles', undefined, asRoot],
  ],
  'who may': [
    ['PUT', '/users/root', { user: 'root', password: 'r' }],
    ['PUT', '/users/a', { user: 'a', password: 's', roles: ['r'] }],
    ['PUT', '/enable'],
    ...[
      undefined,
      basic('root:s'),
      basic('nobody:r'),
      basic('a:s'),
      basic('root'),
      'Bearer abc',
      'Basic',
      'Basic !!!',
      asRoot.replace('Basic', 'bAsIc'),
      asRoot.replace(' ', '  '),
      `${asRoot}AA`,
      'Basic cm9vdDr/',
    ].map((authorization): Step => ['GET', '/users', undefined, authorization]),
    ['GET', '/enable'],
    ['GET', '/users/a/b'],
    ['POST', '/users'],
    ['PUT', '/users/a', '{'],
    ['PUT', '/users/a', '{', asRoot],
    ['PUT', '/users/a', { user: 'a', grant: ['root'] }, basic('a:s')],
    ['PUT', '/users/a', { user: 'a', grant: ['root'] }, asRoot],
    ['PUT', '/users/a', { user: 'a', revoke: ['root'] }, basic('a:s')],
    ['GET', '/users', undefined, basic('a:s')],
    ['DELETE', '/users/a', undefined, asRoot],
    ['DELETE', '/enable', undefined, basic('a:s')],
  ],
  'names that JSON or a list could trip over': [
    ['PUT', '/users/é<&>', { user: 'é<&>', password: 'r', roles: ['\b\f\\b\u2028&\x7f'] }],
    ['GET', '/users/é<&>'],
    ['GET', '/users'],
    ['PUT', '/users/_hidden', { user: '_hidden', password: 'r' }],
    ['PUT', '/roles/_hidden', { role: '_hidden' }],
    ['GET', '/users'],
    ['GET', '/roles'],
    ['GET', '/users/_hidden'],
    ['GET', '/users/<none>'],
    ['GET', '/users/__proto__'],
    ['DELETE', '/users/constructor'],
    ['constructor'.toUpperCase(), '/users/a'],
  ],
  'passwords as bcrypt sees them': [
    ['PUT', '/users/root', { user: 'root', password: 'x'.repeat(80) }],
    ['PUT', '/enable'],
    ['GET', '/roles', undefined, basic(`root:${'x'.repeat(72)}`)],
    ['GET', '/roles', undefined, basic(`root:${'x'.repeat(71)}`)],
    ['PUT', '/users/root', { user: 'root', password: 'r' }, basic(`root:${'x'.repeat(99)}`)],
    ['GET', '/roles', undefined, basic('root:r\0r')],
    ['GET', '/roles', undefined, basic('root:r\0s')],
    ['GET', '/roles', undefined, basic('root:')],
  ],
};

describe('hand-picked', () => {
  beforeEach(startOver);

  test.each(Object.entries(stories))('%s', async (_, steps) => {
    const [before, written] = [await index(), model.writes];
    for (const [method, path, body, authorization] of steps)
      await agree({
        method,
        path,
        body: typeof body === 'string' || body === undefined ? body : JSON.stringify(body),
        authorization,
      });
    if (model.enabled) await turnOff();
    expect(model.writes - written).toBe((await index()) - before);
  });
});

test('keys for guests and users', async () => {
  await startOver();
  const permissions = kv(['/pub', '/tree/*', '/wide*'], ['/tree/*']);
  for (const [path, body] of [
    ['/users/root', { user: 'root', password: 'r' }],
    ['/users/a', { user: 'a', password: 's', roles: ['none', 'r'] }],
    ['/roles/r', { role: 'r', permissions }],
    ['/roles/guest', { role: 'guest', permissions }],
  ] as const)
    await agree({ method: 'PUT', path, body: JSON.stringify(body) });
  await agree({ method: 'PUT', path: '/enable' });
  for (const authorization of [undefined, basic('a:s')])
    for (const key of ['/', '/pub', '/pub/', '/tree', '/tree/_a', '/wider'])
      for (const recursive of [false, true])
        for (const method of ['GET', 'PUT'] as const)
          await agreeOnKey({ method, key, recursive, authorization });
  await turnOff();
});

test('random requests', async () => {
  const username = fc.constantFrom(...usernames);
  const roleName = fc.constantFrom('root', ...roleNames);
  const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    fc.option(arbitrary, { nil: undefined });
  const list = (...entries: string[]): fc.Arbitrary<string[] | null> =>
    fc.option(fc.array(fc.constantFrom(...entries), { maxLength: 3 }), { freq: 9 });
  const patterns = list('/*', '*', '/', '/pub', '/pub/', '/pub/*', '/pub*', '/é<b>', '/pub/_a');
  const permissions = fc.record({ kv: maybe(fc.record({ read: maybe(patterns), write: maybe(patterns) })) });
  const authorization = maybe(
    fc
      .tuple(fc.constantFrom('root', 'root', ...usernames), fc.constantFrom('r', ...passwords, ''))
      .map((parts) => basic(parts.join(':'))),
  );
  const method = fc.constantFrom('GET', 'GET', 'PUT', 'PUT', 'PUT', 'PUT', 'DELETE', 'POST', 'HEAD');
  const [grants, roles] = [list('r', 'q', 'guest', 'none'), list('root', 'guest', 'none', ...roleNames)];
  const userChange = fc.record({
    password: maybe(fc.constantFrom(...passwords, '')),
    roles: fc.option(roles, { nil: undefined, freq: 1 }),
    grant: maybe(grants),
    revoke: maybe(grants),
  });
  const roleChange = fc.record({
    permissions: maybe(permissions),
    grant: maybe(permissions),
    revoke: maybe(permissions),
  });
  const request: fc.Arbitrary<AuthRequest> = fc.oneof(
    fc.tuple(method, username, userChange, authorization).map(([verb, user, change, own]) => ({
      method: verb,
      path: `/users/${user}`,
      body: JSON.stringify({ user, ...change }),
      authorization: own,
    })),
    fc.tuple(method, roleName, roleChange, authorization).map(([verb, role, change, own]) => ({
      method: verb,
      path: `/roles/${role}`,
      body: JSON.stringify({ role, ...change }),
      authorization: own,
    })),
    fc.record({ method, path: fc.constantFrom('/enable', '/users', '/roles'), authorization }),
  );
  const keyRequest: fc.Arbitrary<KeyRequest> = fc.record({
    method: fc.constantFrom('GET', 'PUT', 'DELETE'),
    key: fc.constantFrom('', '/', '/pub', '/pub/', '/pub/a', '/pub/_a', '/public', '/é<b>', '/other'),
    recursive: fc.boolean(),
    authorization,
  });
  const scene = fc.record({
    enabled: fc.boolean(),
    requests: fc.array(fc.oneof({ arbitrary: request, weight: 3 }, { arbitrary: keyRequest, weight: 1 }), {
      minLength: 20,
      maxLength: 40,
      size: 'max',
    }),
  });
  await fc.assert(
    fc.asyncProperty(scene, async ({ enabled, requests }) => {
      await startOver();
      const [before, written] = [await index(), model.writes];
      if (enabled) {
        await agree({ method: 'PUT', path: '/users/root', body: '{"user":"root","password":"r"}' });
        await agree({ method: 'PUT', path: '/enable' });
      }
      for (const one of requests) await ('key' in one ? agreeOnKey(one) : agree(one));
      await turnOff();
      expect(model.writes - written).toBe((await index()) - before);
    }),
    { seed: runSeed, numRuns: 15 * factor, interruptAfterTimeLimit: limit * 0.5 },
  );
});
