import { serverUnderTest } from '../support/server-under-test.js';
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

test('credentials go along, and are wanted', async () => {
  const root = { username: 'root', password: 'hush-hush' };
  const authorization = `Basic ${btoa('root:hush-hush')}`;
  await server.fetch('/auth/users/root', {
    method: 'PUT',
    body: JSON.stringify({ user: 'root', password: root.password }),
  });
  await server.fetch('/auth/roles/guest', {
    method: 'PUT',
    body: JSON.stringify({ role: 'guest', revoke: { kv: { read: ['/*'], write: ['/*'] } } }),
  });
  await server.fetch('/auth/enable', { method: 'PUT' });
  try {
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
  } finally {
    await server.fetch('/auth/enable', { method: 'DELETE', headers: { authorization } });
  }
});

test('a closed client says so', async () => {
  const client = await open();
  const watch = await (await client.watch(server.key())).live();
  await client.close();
  expect(await watch.told()).toMatchObject({ completed: true, events: [] });
  await expect(client.call('get$', '/')).rejects.toMatchObject({ name: 'ClientClosedError' });
  expect(await server.watchers()).toBe(0);
});
