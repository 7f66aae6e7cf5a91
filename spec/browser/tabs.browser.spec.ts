import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EtcdClient } from 'rxetcd';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { forward } from './support/forward.js';
import type { PageClient, PageWatch } from './support/page-client.js';
import type { PageOptions } from './support/page-library.js';
import { pageUnderTest } from './support/page-under-test.js';
import type { Tab } from './support/tab.js';

/* Several tabs at one endpoint, for all of which the browser has six connections. */
const pages = pageUnderTest();
let cluster: LocalCluster;
let outside: EtcdClient;
let url: string;

beforeEach(async () => {
  cluster = await firstValueFrom(startLocalCluster({ size: 1 }));
  url = cluster.endpoints[0]!;
  outside = new EtcdClient(url);
});
afterEach(async () => {
  outside.close();
  await lastValueFrom(cluster.down$());
});

interface Opened {
  readonly client: PageClient;
  readonly key: string;
  readonly watch: PageWatch;
}

const options: PageOptions = { discover: false, heartbeat: 1_000 };

const open = (tabs: readonly Tab[], more: PageOptions = {}): Promise<Opened[]> =>
  Promise.all(
    tabs.map(async (tab, i) => {
      const client = await pages.client({ endpoints: url, ...options, ...more }, tab);
      const key = `/tab-${String(i)}`;
      return { client, key, watch: await client.watch(key) };
    }),
  );

/** How many probes a client has sent so far. */
const probes = async (client: PageClient): Promise<number> =>
  (await client.events()).filter((event) => event.type === 'request' && event.operation === 'probe').length;

/** What was said of the cluster since it was known at first. */
async function said(client: PageClient): Promise<string> {
  const states = await client.states();
  return states.slice(states.findIndex((state) => state.includes('leader'))).join('\n');
}

/** It says who leads, that this member runs, and never anything else. */
async function saysWell({ client }: Opened): Promise<void> {
  await client.leader();
  expect(await client.state()).toMatch(/^ClusterState \(quorum\) Member etcd1 \(leader, running\)/);
  expect(await said(client)).not.toMatch(/no quorum|\(down\)/);
}

/** A tab sets the key that it watches, within that time; the value is there, and seen. */
async function writes({ client, key, watch }: Opened, value: string): Promise<void> {
  const { length } = (await watch.told()).events;
  await client.call('set$', key, value, { deadline: 10_000 });
  expect(await firstValueFrom(outside.getValue$(key))).toBe(value);
  expect((await watch.count(length + 1)).at(-1)).toMatchObject({ node: { value } });
}

test.each([6, 8])(
  '%d tabs, a watch in each: what is said of the cluster is true, all see and all write',
  async (count) => {
    const tabs = await pages.tabs(count);
    const opened = await open(tabs);
    await Promise.all(opened.map(({ watch }) => watch.live()));
    const before = await Promise.all(opened.map(({ client }) => probes(client)));
    // More than one heartbeat passes.
    await Promise.all(
      opened.map(({ client }, i) =>
        eventually(async () => (await probes(client)) >= before[i]! + 3, { within: 60_000, every: 200 }),
      ),
    );
    for (const each of opened) await saysWell(each);

    for (const { client, key } of opened) {
      const { node } = await client.call('set$', key, 'written', { deadline: 5_000 });
      expect(await firstValueFrom(outside.getValue$(key))).toBe('written');
      expect(node.value).toBe('written');
    }
    for (const { watch } of opened)
      expect(await watch.count(1)).toMatchObject([{ node: { value: 'written' } }]);
    for (const each of opened) await saysWell(each);

    await lastValueFrom(cluster.killAll$());
    for (const { client } of opened)
      await eventually(async () => (await client.state()).includes('(down)'), { within: 20_000, every: 100 });
    await lastValueFrom(cluster.restartAll$());
    for (const { client } of opened) await client.leader();
    for (const { key } of opened) await eventually(() => firstValueFrom(outside.set$(key, 'again')));
    for (const { watch } of opened) {
      const events = await watch.count(2);
      expect(events.map(({ node }) => node.value)).toEqual(['written', 'again']);
    }
  },
);

test('one tab with six watches', async () => {
  const client = await pages.client({ endpoints: url, ...options });
  const keys = Array.from({ length: 6 }, (_, i) => `/watched-${String(i)}`);
  const watches = await Promise.all(keys.map((key) => client.watch(key)));
  for (const watch of watches) await watch.live();
  const before = await probes(client);
  for (const [i, key] of keys.entries()) await writes({ client, key, watch: watches[i]! }, 'written');
  await eventually(async () => (await probes(client)) >= before + 3);
  await saysWell({ client, key: keys[0]!, watch: watches[0]! });
});

test('tabs that are closed in mid-poll make room for those that wait', async () => {
  const tabs = await pages.tabs(8);
  const opened = await open(tabs);
  await Promise.all(opened.map(({ watch }) => watch.live()));
  // The first is the browser's own: it stays.
  for (const tab of tabs.slice(1, 5)) await tab.close();
  const left = [opened[0]!, ...opened.slice(5)];
  for (const each of left) await writes(each, 'written');
  for (const each of left) await saysWell(each);
});

test('a slow server: what is said is true or open, and all write', async () => {
  const slow: Server = createServer(forward(() => url, 300));
  await once(slow.listen(0, '127.0.0.1'), 'listening');
  try {
    const endpoints = `http://127.0.0.1:${String((slow.address() as AddressInfo).port)}`;
    const opened = await open(await pages.tabs(6), { endpoints });
    for (const { watch } of opened) await watch.live();
    for (const each of opened) await writes(each, 'written');
    for (const { client } of opened) expect(await said(client)).not.toMatch(/no quorum|\(down\)/);
  } finally {
    slow.close();
    slow.closeAllConnections();
  }
});

test('a page of another origin takes all connections: nobody knows how the cluster is, and no write leaves', async () => {
  const client = await pages.client({ endpoints: url, ...options });
  await client.leader();
  const stranger = await pages.stranger();
  await stranger.run('hold', `${url}/v2/keys/strange?wait=true`, 6);
  await eventually(async () => (await client.state()).includes('unknown'));
  expect(await client.state()).not.toContain('leader');
  await expect(client.call('set$', '/page', 'v', { deadline: 2_000 })).rejects.toMatchObject({
    name: 'AllNodesDownError',
  });
  expect(await firstValueFrom(outside.exists$('/page'))).toBe(false);
  expect(await said(client)).not.toMatch(/no quorum|\(down\)/);
  await stranger.close();
  await client.leader();
  await client.call('set$', '/page', 'v');
  expect(await firstValueFrom(outside.getValue$('/page'))).toBe('v');
});

test('a server that freezes is not known to run, nor to be down; it is again when it goes on', async () => {
  const [opened] = await open([pages.page.first]);
  const { client, watch } = opened!;
  await watch.live();
  await client.leader();
  const { index } = await firstValueFrom(cluster.stop$('leader'));
  await eventually(async () => (await client.state()).includes('unknown'));
  expect(await client.state()).not.toContain('leader');
  expect(await said(client)).not.toMatch(/no quorum|\(down\)/);
  await firstValueFrom(cluster.resume$(index));
  await client.leader();
  await writes(opened!, 'written');
});
