import { from } from 'rxjs';
import { isAuthenticationError, type EtcdError } from '../../../lib/errors.js';
import { isPermissionDenied } from '../../../lib/v3/errors.js';
import { bytesOf } from '../../../lib/v3/model/key-range.js';
import type { V3UnderTest } from '../../support/etcd/v3-under-test.js';
import { afterEachTest } from '../../support/jest/clean-up.js';
import { eventually } from '../../support/jest/eventually.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { plainAuth, rootAuth, startGuardedEtcd, type GuardedEtcd } from '../../support/v3/guarded-etcd.js';

/* Name and password are exchanged for a token, and that for the next one, whatever becomes of it at the server. */

const afterwards = afterEachTest();

async function guarded(...given: Parameters<typeof startGuardedEtcd>): Promise<GuardedEtcd> {
  const etcd = await startGuardedEtcd(...given);
  afterwards(() => etcd.close());
  return etcd;
}
const key = (name: string) => bytesOf('key', name);
const put = (client: V3UnderTest, name = '/own/a') =>
  client.ask('KV', 'Put', { key: key(name), value: key('v') });
const get = (client: V3UnderTest, name = '/own/a') => client.ask('KV', 'Range', { key: key(name) });
const version = async (client: V3UnderTest): Promise<number> =>
  (await get(client)).answer.kvs[0]?.version ?? 0;
const refusalOf = async (call: Promise<unknown>) => (await rejectionOf(from(call))) as EtcdError;

/** Past the library: how the server answers a read with that token. */
const statusWith = async ({ url }: GuardedEtcd, token: string): Promise<number> =>
  (
    await fetch(`${url}/v3/kv/range`, {
      method: 'POST',
      body: JSON.stringify({ key: Buffer.from('/own/a').toString('base64') }),
      headers: { authorization: token },
    })
  ).status;

/** Waits until the server knows the client's token no more; asks seldom, as a token that is used lives on. */
async function forgotten(etcd: GuardedEtcd, client: V3UnderTest): Promise<void> {
  const token = client.token() ?? '';
  await eventually(async () => (await statusWith(etcd, token)) !== 200, { every: 3_000 });
}

test('a user reads and writes what is his, with one token; all else is refused to him', async () => {
  const etcd = await guarded();
  const client = etcd.client();
  await Promise.all([put(client), put(client, '/own/b'), get(client)]);
  expect((await get(client)).answer.kvs).toHaveLength(1);
  for (const call of [get, put])
    expect(isPermissionDenied(await refusalOf(call(client, '/other')))).toBe(true);
  expect(client.asked['Auth.Authenticate']).toBe(1);
});

test('a wrong password is told at once, and one that is put right is taken', async () => {
  const etcd = await guarded();
  const client = etcd.client({ auth: { ...plainAuth, password: 'wrong-password' } });
  const error = await refusalOf(put(client));
  expect(isAuthenticationError(error)).toBe(true);
  expect(error.message).not.toContain('wrong-password');
  await etcd.admin.ask('Auth', 'UserChangePassword', { name: 'plain', password: 'wrong-password' });
  await put(client);
});

describe.each<[string, string[], string?]>([
  ['a simple token that was idle for too long', ['--auth-token-ttl', '1']],
  ['a web token that has expired', [], '2s'],
])('%s', (_, ...given) => {
  test('is replaced, once for all calls, and each write is applied once', async () => {
    const etcd = await guarded(...given);
    const client = etcd.client();
    await put(client);
    await forgotten(etcd, client);
    const { 'Auth.Authenticate': before = 0 } = client.asked;
    await Promise.all(Array.from({ length: 40 }, () => put(client)));
    expect((client.asked['Auth.Authenticate'] ?? 0) - before).toBe(1);
    expect(await version(client)).toBe(41);
    const told = client.told.join('\n');
    expect(told).toContain('invalid auth token');
    for (const secret of [plainAuth.password, client.token() ?? '']) expect(told).not.toContain(secret);
  });
});

test('a token that a member has forgotten when it comes back is replaced once for all calls', async () => {
  const etcd = await guarded(['--snapshot-count', '5']);
  const client = etcd.client();
  await put(client);
  // What stands in a snapshot is not replayed.
  for (let i = 0; i < 30; i += 1) await put(etcd.admin, '/x');
  await etcd.restart();
  expect(await statusWith(etcd, client.token() ?? '')).toBe(401);
  await Promise.all(Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? put(client) : get(client))));
  expect(client.asked['Auth.Authenticate']).toBe(2);
  expect(await version(client)).toBe(51);
});

test('any change of users or rights ages a web token: a read and a write go on', async () => {
  const etcd = await guarded([], '10m');
  const client = etcd.client();
  await put(client);
  for (const [name, call] of [
    ['one', put],
    ['two', get],
  ] as const) {
    await etcd.admin.ask('Auth', 'RoleAdd', { name });
    expect(await statusWith(etcd, client.token() ?? '')).toBe(400);
    await call(client);
  }
  expect(client.told.filter((event) => event.includes('revision of auth store is old'))).not.toEqual([]);
  expect(client.asked['Auth.Authenticate']).toBe(3);
  expect(await version(client)).toBe(2);
});

test('a password that was changed: the former one is refused, with its name', async () => {
  const etcd = await guarded();
  const client = etcd.client();
  await put(client);
  await etcd.admin.ask('Auth', 'UserChangePassword', { name: 'plain', password: 'another-password' });
  const error = await refusalOf(put(client));
  expect(isAuthenticationError(error)).toBe(true);
  expect(error.message).toMatch(/^authenticate: etcdserver: authentication failed/);
  await put(etcd.client({ auth: { ...plainAuth, password: 'another-password' } }));
});

test('authentication that is turned off and on while a client runs', async () => {
  const etcd = await guarded();
  const [client, anonymous] = [etcd.client(), etcd.client({ auth: undefined })];
  await put(client);
  expect(isAuthenticationError(await refusalOf(put(anonymous)))).toBe(true);
  for (let i = 0; i < 2; i += 1) {
    await etcd.admin.ask('Auth', 'AuthDisable', {});
    await Promise.all([put(client), put(client, '/other'), put(anonymous), put(etcd.client())]);
    await etcd.admin.ask('Auth', 'AuthEnable', {});
    await put(client);
    expect(isPermissionDenied(await refusalOf(put(client, '/other')))).toBe(true);
    expect(isAuthenticationError(await refusalOf(put(anonymous)))).toBe(true);
  }
});

test('a client that begins while authentication is off needs no token, until it is on', async () => {
  const etcd = await guarded();
  await etcd.admin.ask('Auth', 'AuthDisable', {});
  const client = etcd.client({ auth: rootAuth });
  await put(client);
  expect(client.token()).toBeUndefined();
  await etcd.admin.ask('Auth', 'AuthEnable', {});
  await Promise.all(Array.from({ length: 20 }, () => put(client)));
  expect(client.asked['Auth.Authenticate']).toBe(2);
  expect(await version(client)).toBe(21);
});
