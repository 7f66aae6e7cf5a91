import { EtcdClient, op, type WatchEvent } from 'rxetcd/v3';
import { firstValueFrom, lastValueFrom, mergeMap, range } from 'rxjs';
import { serverUnderTest } from '../support/etcd/server-under-test.js';
import { compactPast } from '../support/v3/watch-bed.js';
import { pageUnderTest } from './support/page-under-test.js';
import { V3PageClient, type V3PageWatch } from './support/v3-page-client.js';

/* A page of another origin, by the v3 API: etcd lets it, and each watch there has a request of its own. */
const server = serverUnderTest();
const pages = pageUnderTest();
let outside: EtcdClient;
let client: V3PageClient;
let key: string;

beforeEach(async () => {
  outside = new EtcdClient(server.url);
  server.afterwards(() => outside.close());
  client = await V3PageClient.open(pages.page.first, { endpoints: server.url, heartbeat: 500 });
  server.afterwards(() => client.close());
  key = server.key();
});
const put = (name: string, value: string) => firstValueFrom(outside.put$(name, value));
const isLive = ({ stages }: { stages: readonly string[] }): boolean => stages.includes('watch-live');
const valuesOf = (events: readonly WatchEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'put' ? event.kv.value : []));

test('keys, conditions, transactions; the cluster', async () => {
  const value = 'a&b=c; é ✓';
  await client.call('put$', key, value);
  expect(await client.call('getValue$', key)).toBe(value);
  const { kv } = await client.call('get$', key);
  await client.call('compareAndSwap$', key, 'second', { modRevision: kv!.modRevision });
  await expect(client.call('create$', key, 'third')).rejects.toMatchObject({ code: 'COMPARE_FAILED' });
  const { succeeded, responses } = await client.call('txn$', { then: [op.get(key), op.delete(key)] });
  expect([succeeded, responses]).toMatchObject([true, [{ kv: { value: 'second' } }, { deleted: 1 }]]);
  expect(await client.call('count$', { prefix: key })).toBe(0);
  expect((await client.call('version$')).etcdserver).toBe(server.version);
  await client.call('refreshCluster$');
  expect(await client.state()).toMatch(/leader, running/);
});

test('a watch: the state, that it has caught up, a burst whole and in order', async () => {
  await put(`${key}/0`, 'before');
  const watch = await client.watch({ prefix: `${key}/` }, { initial: true, live: true });
  const { events } = await watch.until((told) => told.events.some(({ type }) => type === 'live'));
  expect(events).toMatchObject([{ type: 'sync', kvs: [{ value: 'before' }] }, { type: 'live' }]);
  const written = range(0, 2_000).pipe(mergeMap((i) => outside.put$(`${key}/${i % 7}`, String(i)), 16));
  const { revision } = (await lastValueFrom(written)).info;
  const told = await watch.until((all) => (all.events.at(-1)?.revision ?? 0) >= revision);
  expect(valuesOf(told.events)).toHaveLength(2_000);
  const revisions = told.events.slice(2).map((event) => event.revision);
  expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
  await watch.unsubscribe();
});

test('more watches than a browser has connections: none is forgotten, and calls go through', async () => {
  const watches: V3PageWatch[] = [];
  for (let i = 0; i < 8; i += 1) watches.push(await client.watch(`${key}/${i}`, { initial: true }));
  for (const watch of watches) await watch.until(({ events }) => events.length === 1);
  for (let i = 0; i < 8; i += 1) await client.call('put$', `${key}/${i}`, String(i));
  for (const [i, watch] of watches.entries()) {
    const { events } = await watch.until((told) => told.events.length > 1);
    expect(valuesOf(events)).toEqual([String(i)]);
    await watch.unsubscribe();
  }
});

test('history that is compacted away: one resync with the state, then on', async () => {
  const { revision: from } = (await put(key, '1')).info;
  const { revision } = (await put(key, '2')).info;
  await compactPast(server.url, revision);
  const watch = await client.watch(key, { fromRevision: from });
  await watch.until(isLive);
  await put(key, '3');
  const { events } = await watch.until((told) => told.events.length === 2);
  expect(events).toMatchObject([
    { type: 'resync', lost: { reason: 'compacted', from, to: revision }, kvs: [{ value: '2' }] },
    { type: 'put', kv: { value: '3' } },
  ]);
  await watch.unsubscribe();
});
