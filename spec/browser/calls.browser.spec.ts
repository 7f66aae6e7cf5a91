import { firstValueFrom } from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import { serverUnderTest } from '../support/etcd/server-under-test.js';
import { pageUnderTest } from './support/page-under-test.js';
import type { PageOptions } from './support/page-library.js';

/* What a page of another origin does: etcd lets it, and shows it no header of its own. */
const server = serverUnderTest();
const pages = pageUnderTest();
const open = (options: PageOptions = {}) => pages.client({ endpoints: server.url, ...options });

test.each<[string, PageOptions]>([
  ['over the client’s own axios', {}],
  ['over an instance of axios as it comes', { ownAxios: 'as it comes' }],
  ['over an instance that is told to use XMLHttpRequest', { ownAxios: 'xhr' }],
])('a key is made, read, changed by condition and deleted %s', async (_, options) => {
  const client = await open(options);
  const key = server.key();
  const value = 'a&b=c; é ✓';
  const { info, node } = await client.call('set$', key, value);
  expect(info).toEqual({ endpoint: server.url, status: 201 });
  expect(await client.call('getValue$', key)).toBe(value);
  expect(await client.call('exists$', `${key}-not`)).toBe(false);
  const swapped = await client.call('compareAndSwap$', key, 'second', { prevIndex: node.modifiedIndex! });
  expect(swapped.prevNode?.value).toBe(value);
  await expect(
    client.call('compareAndDelete$', key, { prevValue: 'third', prevIndex: 1 }),
  ).rejects.toMatchObject({
    name: 'EtcdApiError',
    code: 'API_ERROR',
    errorCode: 101,
  });
  const { action, prevNode } = await client.call('delete$', key);
  expect([action, prevNode?.value]).toEqual(['delete', 'second']);
  await expect(client.call('get$', key)).rejects.toMatchObject({ code: 'API_ERROR', errorCode: 100 });
});

test('directories, keys in order, and listings', async () => {
  const client = await open();
  const dir = server.key();
  await client.call('createDir$', dir);
  for (const value of ['a', 'b', 'c']) await client.call('createInOrder$', dir, value);
  const { node } = await client.call('get$', dir, { sorted: true, quorum: true });
  expect(node.nodes?.map((child) => child.value)).toEqual(['a', 'b', 'c']);
});

test('what operators ask', async () => {
  const client = await open();
  expect(await client.all('versions$')).toMatchObject([
    { etcdserver: expect.stringMatching(/^3\./) as string },
  ]);
  expect(await client.all('health$')).toMatchObject([{ healthy: true }]);
  expect(await client.call('raw$', 'GET', '/v2/stats/store')).toMatchObject({
    status: 200,
    data: { watchers: expect.any(Number) as number },
  });
  await client.leader();
  expect(await client.state()).toMatch(/^ClusterState \(quorum\) Member etcd1 \(leader, running\)/);
});

test('bad input sends nothing', async () => {
  const client = await open();
  await expect(client.call('set$', '/k', 'v', { ttl: -1 })).rejects.toMatchObject({
    name: 'InvalidOptionError',
  });
  const sent = (await client.events()).filter((event) => event.type === 'request');
  expect(sent.filter(({ operation }) => operation === 'set')).toEqual([]);
});

describe('with authentication on', () => {
  const root = { username: 'root', password: 'hush-hush' };
  const authorization = `Basic ${btoa('root:hush-hush')}`;
  const put = (path: string, body: object = {}) =>
    server.fetch(`/auth/${path}`, { method: 'PUT', headers: { authorization }, body: JSON.stringify(body) });
  const everything = { kv: { read: ['/*'], write: ['/*'] } };

  beforeAll(async () => {
    await put('users/root', { user: 'root', password: root.password });
    await put('enable');
    await put('roles/guest', { role: 'guest', revoke: everything });
  });
  afterAll(async () => {
    await put('roles/guest', { role: 'guest', grant: everything });
    await server.fetch('/auth/enable', { method: 'DELETE', headers: { authorization } });
  });

  test('credentials go along, and are wanted', async () => {
    const key = server.key();
    const client = await open({ auth: root });
    await client.call('set$', key, 'v');
    const watch = await (await client.watch(key)).live();
    await client.call('set$', key, 'w');
    expect((await watch.count(1))[0]?.node.value).toBe('w');
    const stranger = await open({ auth: { ...root, password: 'wrong' } });
    await expect(stranger.call('get$', key)).rejects.toMatchObject({ name: 'AuthenticationError' });
    const told = JSON.stringify([await client.events(), await stranger.events()]);
    expect(told).not.toMatch(/hush-hush|wrong|Basic/);
  });

  test('a right to one key alone is too little for a watch that sees no headers, and it says so', async () => {
    const key = server.key();
    const writer = server.client({ auth: root });
    await firstValueFrom(writer.set$(key, 'v'));
    await put('roles/reader', { role: 'reader', permissions: { kv: { read: [key], write: [] } } });
    await put('users/page', { user: 'page', password: 'secret', roles: ['reader'] });
    const client = await open({ auth: { username: 'page', password: 'secret' } });
    expect(await client.call('getValue$', key)).toBe('v');
    for (const options of [{}, { initial: true }]) {
      const watch = await client.watch(key, { recursive: false, ...options });
      await eventually(async () => (await watch.told()).error !== undefined);
      expect((await watch.told()).error).toMatchObject({
        name: 'AuthenticationError',
        message: expect.stringContaining('lacks the right to read below the key') as string,
      });
    }
    await put('roles/reader', { role: 'reader', grant: { kv: { read: [`${key}/*`], write: [] } } });
    const watch = await (await client.watch(key, { recursive: false })).live();
    await firstValueFrom(writer.set$(key, 'w'));
    expect(await watch.count(1)).toMatchObject([{ node: { value: 'w' } }]);
  });
});

test('a closed client says so', async () => {
  const client = await open();
  const watch = await (await client.watch(server.key())).live();
  await client.close();
  expect(await watch.told()).toMatchObject({ completed: true, events: [] });
  await expect(client.call('get$', '/')).rejects.toMatchObject({ name: 'ClientClosedError' });
  await eventually(async () => (await server.watchers()) === 0);
});
