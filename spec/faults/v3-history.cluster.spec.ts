import { EtcdClient, type ResyncEvent } from 'rxetcd/v3';
import { concat, firstValueFrom, forkJoin, lastValueFrom } from 'rxjs';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { cleanUp } from '../support/jest/clean-up.js';
import { eventually } from '../support/jest/eventually.js';
import { startTcpProxy, type TcpProxy } from '../support/proxies/tcp-proxy.js';
import { acceptAgain } from '../support/proxies/write-tap.js';
import { runSeed } from '../support/values/random.js';
import { mark } from '../support/v3/store-history.js';
import { compactPast } from '../support/v3/watch-bed.js';
import { WatchRecording, type Followed } from '../support/v3/watch-recording.js';

/* A client that is cut off from its members for a while, and what becomes of the history meanwhile. */
let cluster: LocalCluster;
let proxies: TcpProxy[];
let recording: WatchRecording;
const undos: (() => unknown)[] = [];

beforeAll(async () => {
  const flags = ['--enable-v2=false'];
  const timing = { heartbeat: 50, election: 500 };
  cluster = await firstValueFrom(startLocalCluster({ partitions: true, timing, flags }));
});
afterAll(() => lastValueFrom(cluster.down$()));
beforeEach(async () => {
  proxies = await Promise.all(cluster.endpoints.map((url) => firstValueFrom(startTcpProxy(url))));
  undos.push(() => lastValueFrom(forkJoin(proxies.map((proxy) => proxy.close$()))));
  const client = connect(proxies.map(({ url }) => url));
  recording = await WatchRecording.start(client, cluster.endpoints, runSeed);
  undos.push(() => recording.stop());
  await recording.progress();
});
afterEach(() => cleanUp(undos));

function connect(endpoints: string[]): EtcdClient {
  const settings = { discover: false, heartbeat: 500, probeTimeout: 500, timeout: 2_000, deadline: 10_000 };
  const client = new EtcdClient(endpoints, settings);
  undos.push(() => client.close());
  return client;
}
const cut = (cutOff: readonly TcpProxy[]) =>
  cutOff.forEach((proxy) => {
    proxy.refuse();
    proxy.reset();
  });
const join = (cutOff: readonly TcpProxy[]) => Promise.all(cutOff.map((proxy) => acceptAgain(proxy)));
const resyncs = ({ events }: Followed): ResyncEvent[] =>
  events.filter((event): event is ResyncEvent => event.type === 'resync');
/** Waits until somebody past the client has written so much more. */
async function writtenPast(count: number): Promise<void> {
  const { writes } = recording.writers;
  const acknowledged = () =>
    writes.filter(({ value, outcome }) => value.includes('past') && outcome === 'ok').length;
  const target = acknowledged() + count;
  await eventually(() => acknowledged() >= target);
}
async function end(): Promise<void> {
  await recording.progress();
  await recording.settle();
  expect([...recording.findings(), ...(await recording.resumedFindings())]).toEqual([]);
}

test('what is compacted away while a client is cut off is told as one resync with what is lost, to those who lost it', async () => {
  const other = await recording.followBy(connect(cluster.endpoints));
  const cutOff = recording.watches.filter((one) => one !== other);
  // What every watch has told by now: nobody misses it.
  const known = Math.min(...cutOff.map(({ events }) => events.at(-1)!.revision));
  cut(proxies);
  recording.compacted = known - 1;
  await recording.read();
  await compactPast(cluster.endpoints[0]!, recording.compacted);
  await writtenPast(10);
  await join(proxies);
  await recording.progress();
  expect(recording.watches.flatMap(resyncs)).toEqual([]);

  cut(proxies);
  await writtenPast(30);
  recording.compacted = await recording.read();
  await compactPast(cluster.endpoints[0]!, recording.compacted);
  await join(proxies);
  await recording.progress();
  await eventually(() => cutOff.every((one) => resyncs(one).length > 0));
  await end();
  for (const one of cutOff) {
    const told = resyncs(one);
    expect(told).toHaveLength(1);
    const [{ reason, lost, revision }] = told as [ResyncEvent];
    expect({ reason, to: lost.to }).toEqual({ reason: 'compacted', to: revision });
    expect(lost.from).toBeLessThanOrEqual(recording.compacted);
  }
  expect(resyncs(other)).toEqual([]);
});

test('a member that lags is the only one in reach: what it has not got yet is told once it has caught up', async () => {
  const endpoint = await recording.endpoint();
  const watched = proxies.findIndex(({ url }) => url === endpoint);
  const leader = await firstValueFrom(cluster.leader$());
  const lagging = cluster.members.find(({ index }) => index !== watched && index !== leader.index)!;
  await firstValueFrom(lagging.partition$());
  await recording.progress(100);
  const others = proxies.filter((_, index) => index !== lagging.index);
  cut(others);
  await eventually(async () => (await watchersAt(lagging.clientUrl)) >= recording.watches.length);
  const reached = cluster.endpoints.filter((url) => url !== lagging.clientUrl);
  for (let i = 0; i < 20; i += 1) await mark(reached, `${recording.root}b/0`, 'mark');
  await lastValueFrom(concat(lagging.heal$(), cluster.ready$()));
  const last = await recording.read();
  await recording.reach(last);
  await join(others);
  await end();
});

/** How many watchers of v3 a member holds. */
async function watchersAt(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^etcd_debugging_mvcc_watcher_total (\d+)$/m.exec(metrics)?.[1]);
}
