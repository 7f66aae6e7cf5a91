import { EtcdClient, type WatchEvent } from 'rxetcd';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { ordered, reliable, unique, type Stored } from '../support/promises/validators.js';
import type { PageClient, PageWatch } from './support/page-client.js';
import { pageUnderTest } from './support/page-under-test.js';

/* A page of another origin, and what befalls three members. */
const pages = pageUnderTest();
const key = '/config';
let cluster: LocalCluster;
let outside: EtcdClient;
let client: PageClient;
let watch: PageWatch;

beforeEach(async () => {
  cluster = await firstValueFrom(startLocalCluster());
  outside = new EtcdClient(cluster.endpoints, { timeout: 500 });
  client = await pages.client({ endpoints: cluster.endpoints, heartbeat: 500, probeTimeout: 500 });
  watch = await (await client.watch(key)).live();
  await client.leader();
});
afterEach(async () => {
  outside.close();
  await lastValueFrom(cluster.down$());
});

/** Somebody else writes all the while. */
async function written(count: number): Promise<Stored[]> {
  const stored: Stored[] = [];
  for (let i = 0; i < count; i += 1) {
    const name = `${key}/${String(i)}`;
    const { node } = await eventually(() => firstValueFrom(outside.set$(name, 'v')));
    stored.push({ key: name, value: 'v', index: node.modifiedIndex! });
  }
  return stored;
}
const kept = (events: readonly WatchEvent[], stored: readonly Stored[]) => [
  ...ordered(events),
  ...unique(events),
  ...reliable(events, stored),
];

test('the leader is killed: the page follows the next, and misses nothing', async () => {
  const before = await written(20);
  const old = await firstValueFrom(cluster.kill$('leader'));
  const after = await written(20);
  expect(await client.leader(old.name)).toBe((await firstValueFrom(cluster.leader$())).name);
  expect(await client.state()).toContain(`Member ${old.name} (down)`);
  const { node } = await client.call('set$', `${key}/page`, 'v');
  const stored = [...before, ...after, { key: `${key}/page`, value: 'v', index: node.modifiedIndex! }];
  expect(kept(await watch.reach(node.modifiedIndex), stored)).toEqual([]);
  expect(await client.call('getValue$', `${key}/0`)).toBe('v');
  await firstValueFrom(cluster.restart$(old.index));
  await eventually(async () => !(await client.state()).includes('(down)'));
});

test('the leader freezes: reads go elsewhere, a write that it has is unknown, the watch goes on', async () => {
  const before = await written(5);
  const old = await firstValueFrom(cluster.stop$('leader'));
  await expect(client.call('set$', '/other', 'v', { timeout: 500 })).rejects.toMatchObject({
    name: 'OutcomeUnknownError',
  });
  await client.leader(old.name);
  const after = await written(5);
  const { node } = await client.call('set$', `${key}/page`, 'v');
  const stored = [...before, ...after, { key: `${key}/page`, value: 'v', index: node.modifiedIndex! }];
  expect(kept(await watch.reach(node.modifiedIndex), stored)).toEqual([]);
  await firstValueFrom(cluster.resume$(old.index));
});

test('all members are killed and come back: the same client and watch go on', async () => {
  const before = await written(5);
  await lastValueFrom(cluster.killAll$());
  await eventually(async () => (await client.state()).startsWith('ClusterState (no quorum)'));
  await expect(client.call('get$', key, { deadline: 500 })).rejects.toMatchObject({ code: 'ALL_NODES_DOWN' });
  await lastValueFrom(cluster.restartAll$());
  const after = await written(5);
  const { node } = await client.call('set$', `${key}/page`, 'v');
  const stored = [...before, ...after, { key: `${key}/page`, value: 'v', index: node.modifiedIndex! }];
  expect(kept(await watch.reach(node.modifiedIndex), stored)).toEqual([]);
});
