import { firstValueFrom, lastValueFrom, mergeMap, range } from 'rxjs';
import { writeBurst } from '../support/promises/burst-writer.js';
import { eventually } from '../support/jest/eventually.js';
import { serverUnderTest } from '../support/etcd/server-under-test.js';
import { ordered, reliable, unique } from '../support/promises/validators.js';
import type { PageClient } from './support/page-client.js';
import type { PageOptions } from './support/page-library.js';
import { pageUnderTest } from './support/page-under-test.js';

/* Watches in a page of another origin, which sees no header of etcd's. */
const server = serverUnderTest();
const pages = pageUnderTest();
const open = (options: PageOptions = {}) =>
  pages.client({ endpoints: server.url, discover: false, heartbeat: 500, ...options });
const set = (key: string, value: string) => firstValueFrom(server.client().set$(key, value));

/** How many requests of that operation a client has sent so far. */
const sent = async (client: PageClient, operation: string): Promise<number> =>
  (await client.events()).filter((event) => event.type === 'request' && event.operation === operation).length;

/** As fast as it goes, from a process of its own. */
const burst = (key: string, count: number) =>
  writeBurst(
    server.url,
    Array.from({ length: count }, (_, i) => ({ key: `${key}/${String(i % 7)}`, value: String(i) })),
  );

test.each<[string, number, PageOptions]>([
  // No more than etcd remembers: no page is too slow for that.
  ['over the client’s own axios', 500, {}],
  ['over an instance of axios as it comes', 200, { ownAxios: 'as it comes' }],
  ['over an instance that is told to use XMLHttpRequest', 200, { ownAxios: 'xhr' }],
])('a burst is seen whole, once and in order %s', async (_, count, options) => {
  const key = server.key();
  const client = await open(options);
  const watch = await (await client.watch(key)).live();
  const stored = await burst(key, count);
  const events = await watch.reach(stored.at(-1)?.index);
  expect([...ordered(events), ...unique(events), ...reliable(events, stored)]).toEqual([]);
});

test('of a burst that etcd does not remember all is seen, or said to be lost', async () => {
  const key = server.key();
  const client = await open();
  const after = (await set(`${key}-before`, '')).node.modifiedIndex!;
  const watch = await (await client.watch(key)).live();
  const stored = await burst(key, 3_000);
  const events = await watch.reach(stored.at(-1)?.index);
  const scope = { key, recursive: true, after, blind: true };
  expect([...ordered(events), ...unique(events), ...reliable(events, stored, scope)]).toEqual([]);
});

test('the state at first, and then what changes it', async () => {
  const key = server.key();
  await set(`${key}/a`, '1');
  const client = await open();
  const watch = await client.watch(key, { initial: true });
  await watch.count(1);
  await set(`${key}/b`, '2');
  const [sync, change] = await watch.count(2);
  expect(sync).toMatchObject({ action: 'sync', node: { nodes: [{ key: `${key}/a`, value: '1' }] } });
  expect(change).toMatchObject({ action: 'set', node: { key: `${key}/b`, value: '2' } });
});

test('history that is gone: one resync with the state, then on', async () => {
  const key = server.key();
  const { node } = await set(key, 'first');
  const writer = server.client();
  await lastValueFrom(range(0, 1_100).pipe(mergeMap((i) => writer.set$(`${key}-others`, String(i)), 32)));
  await set(key, 'last');
  const client = await open();
  const watch = await client.watch(key, { fromIndex: node.modifiedIndex! });
  const [resync] = await watch.count(1);
  expect(resync).toMatchObject({
    action: 'resync',
    node: { value: 'last' },
    lost: { from: node.modifiedIndex },
  });
  const { node: next } = await set(key, 'next');
  expect((await watch.reach(next.modifiedIndex)).at(-1)).toMatchObject({
    action: 'set',
    node: { value: 'next' },
  });
});

test('1,500 foreign writes leave a quiet watch its next event, with a resync before it at the most', async () => {
  const key = server.key();
  const client = await open();
  const watch = await (await client.watch(key)).live();
  await burst(`${key}-foreign`, 1_500);
  const before = await sent(client, 'index');
  await eventually(async () => (await sent(client, 'index')) >= before + 4);
  const { node } = await set(key, 'at last');
  const events = await watch.reach(node.modifiedIndex);
  expect(events.at(-1)).toMatchObject({ action: 'set', node: { value: 'at last' } });
  expect(events.slice(0, -1).filter(({ action }) => action !== 'resync')).toEqual([]);
  expect(events.length).toBeLessThanOrEqual(2);
});

test('ten watches at one endpoint leave room for calls, and see all', async () => {
  const keys = Array.from({ length: 10 }, () => server.key());
  const client = await open();
  const watches = await Promise.all(keys.map((key) => client.watch(key)));
  await eventually(async () => (await client.events()).some(({ type }) => type === 'watch-waiting'));
  await Promise.all(watches.map((watch) => watch.live()));
  for (const key of keys) await client.call('set$', key, 'seen');
  for (const watch of watches) expect(await watch.count(1)).toHaveLength(1);
  await eventually(async () => (await server.watchers()) <= 4);
});

test('a poll that idles is neither failed nor asked again', async () => {
  const key = server.key();
  const client = await open({ timeout: 300 });
  const watch = await (await client.watch(key)).live();
  await eventually(async () => (await server.watchers()) === 1);
  const polls = await sent(client, 'watch');
  const pulses = await sent(client, 'index');
  // Half a second lies between two: longer than the limit of anything that is complete.
  await eventually(async () => (await sent(client, 'index')) >= pulses + 3);
  expect(await sent(client, 'watch')).toBe(polls);
  expect((await client.events()).filter(({ type }) => type === 'watch-lost')).toEqual([]);
  const { node } = await set(key, 'at last');
  expect(await watch.reach(node.modifiedIndex)).toHaveLength(1);
});

test('unsubscribing frees etcd’s watcher', async () => {
  const client = await open();
  const watch = await (await client.watch(server.key())).live();
  await eventually(async () => (await server.watchers()) === 1);
  await watch.unsubscribe();
  await eventually(async () => (await server.watchers()) === 0);
});

test('what happens while the network is gone is told when it is back', async () => {
  const key = server.key();
  const proxy = await server.proxy();
  const client = await open({ endpoints: proxy.url });
  const watch = await (await client.watch(key)).live();
  await set(key, 'before');
  await watch.count(1);
  await firstValueFrom(proxy.close$());
  await eventually(async () => (await client.state()).includes('(down)'));
  for (let i = 0; i < 20; i += 1) await set(key, `meanwhile ${String(i)}`);
  await expect(client.call('get$', key, { deadline: 500 })).rejects.toMatchObject({
    code: 'ALL_NODES_DOWN',
  });
  await firstValueFrom(proxy.accept$());
  const events = await watch.count(21);
  expect(events.map(({ node }) => node.value)).toEqual([
    'before',
    ...Array.from({ length: 20 }, (_, i) => `meanwhile ${String(i)}`),
  ]);
  await client.call('set$', key, 'after');
  await watch.count(22);
});
