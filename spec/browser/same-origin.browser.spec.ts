import { firstValueFrom } from 'rxjs';
import { serverUnderTest } from '../support/etcd/server-under-test.js';
import { forward } from './support/forward.js';
import { pageUnderTest } from './support/page-under-test.js';

/* A page whose own server passes requests on to etcd: it sees all headers. */
const server = serverUnderTest();
const pages = pageUnderTest(forward(() => server.url));

test('calls tell the indexes, and a watch keeps its place', async () => {
  const client = await pages.client({ endpoints: pages.page.origin, discover: false });
  const key = server.key();
  const { info, node } = await client.call('set$', key, 'first');
  expect(info).toMatchObject({
    endpoint: pages.page.origin,
    etcdIndex: expect.any(Number) as number,
    raftTerm: expect.any(Number) as number,
  });
  const watch = await client.watch(key, { fromIndex: node.modifiedIndex! });
  await watch.count(1);
  const writer = server.client();
  for (let i = 0; i < 100; i += 1) await firstValueFrom(writer.set$(key, String(i)));
  const events = await watch.count(101);
  expect(events.map((event) => event.node.value)).toEqual([
    'first',
    ...Array.from({ length: 100 }, (_, i) => String(i)),
  ]);
  expect((await client.events()).filter((event) => event.type === 'watch-lost')).toEqual([]);
});

test('a right to one key is enough for its watch', async () => {
  const authorization = `Basic ${btoa('root:root')}`;
  const key = server.key();
  const put = (path: string, body: object = {}) =>
    server.fetch(`/auth/${path}`, { method: 'PUT', headers: { authorization }, body: JSON.stringify(body) });
  await put('users/root', { user: 'root', password: 'root' });
  await put('roles/reader', { role: 'reader', permissions: { kv: { read: [key], write: [] } } });
  await put('users/page', { user: 'page', password: 'secret', roles: ['reader'] });
  await put('enable');
  server.afterwards(() => server.fetch('/auth/enable', { method: 'DELETE', headers: { authorization } }));
  await put('roles/guest', { role: 'guest', revoke: { kv: { read: ['/*'], write: ['/*'] } } });
  const writer = server.client({ auth: { username: 'root', password: 'root' } });
  await firstValueFrom(writer.set$(key, 'before'));
  const auth = { username: 'page', password: 'secret' };
  const client = await pages.client({ endpoints: pages.page.origin, discover: false, auth });
  const watch = await (await client.watch(key, { recursive: false })).live();
  await firstValueFrom(writer.set$(key, 'after'));
  expect(await watch.count(1)).toMatchObject([{ action: 'set', node: { value: 'after' } }]);
});
