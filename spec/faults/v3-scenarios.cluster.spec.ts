import { EtcdClient, type ClientOptions } from 'rxetcd/v3';
import { concat, firstValueFrom, forkJoin, lastValueFrom, type Observable } from 'rxjs';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { cleanUp } from '../support/jest/clean-up.js';
import { eventually } from '../support/jest/eventually.js';
import { rejectionOf } from '../support/jest/rejection.js';
import { runSeed } from '../support/values/random.js';
import type { Write } from '../support/v3/random-txns.js';
import { WatchRecording } from '../support/v3/watch-recording.js';

/*
 * What is promised of watches and writes, while members of a cluster with the flags that etcd comes with are killed, stopped, cut
 * off and restarted. `RXETCD_SEED` repeats what the writers do.
 */
let cluster: LocalCluster;
let client: EtcdClient;
let recording: WatchRecording;
const undos: (() => unknown)[] = [];
const probeTimeout = 500;

beforeAll(async () => {
  const flags = ['--enable-v2=false'];
  const timing = { heartbeat: 50, election: 500 };
  cluster = await firstValueFrom(startLocalCluster({ partitions: true, timing, flags }));
});
afterAll(() => lastValueFrom(cluster.down$()));
afterEach(async () => {
  await cleanUp(undos);
  for (const member of cluster.members) {
    if (member.partitioned) await firstValueFrom(member.heal$());
    if (member.state === 'stopped') await firstValueFrom(member.resume$());
    if (member.state === 'down') await firstValueFrom(member.restart$());
  }
  await firstValueFrom(cluster.ready$());
});

async function begin(options: ClientOptions = {}): Promise<void> {
  client = new EtcdClient(cluster.endpoints, { heartbeat: 500, probeTimeout, timeout: 3_000, ...options });
  undos.push(() => client.close());
  recording = await WatchRecording.start(client, cluster.endpoints, runSeed);
  undos.push(() => recording.stop());
  await recording.progress();
}
async function end(): Promise<void> {
  await recording.progress();
  await recording.settle();
  expect([...recording.findings(), ...(await recording.resumedFindings())]).toEqual([]);
  const leader = await firstValueFrom(cluster.leader$());
  await eventually(() => client.clusterState$.value.leader?.name === leader.name);
  expect(client.clusterState$.value.hasQuorum).toBe(true);
}

/** Makes the fault good; all agree then that all is well. */
async function back(repair$: Observable<unknown>): Promise<void> {
  await lastValueFrom(concat(repair$, cluster.ready$()));
  await eventually(() => client.clusterState$.value.members.every(({ status }) => status === 'running'));
}
/** The member at which the watch stands. */
const watched = async () => cluster.endpoints.indexOf(await recording.endpoint());
/** Waits until there is something to be found. */
const found = <T>(find: () => T | undefined): Promise<T> =>
  eventually(() => {
    const result = find();
    if (result === undefined) throw new Error('not found');
    return result;
  });
/** How long it takes from then on until a watch has left an endpoint, ms. */
const leaves = async (endpoint: string, since: number): Promise<number> => {
  const isLeft = ({ event, at }: (typeof recording.told)[number]) =>
    at >= since && event.type === 'watch-lost' && event.endpoint === endpoint;
  return (await found(() => recording.told.find(isLeft))).at - since;
};

test('the leader is killed, again and again: the next is named, and soon written to', async () => {
  // The watches fall with each of them.
  await begin({ watchOn: 'leader' });
  for (let round = 0; round < 3; round += 1) {
    const since = performance.now();
    const killed = await firstValueFrom(cluster.kill$('leader'));
    const namedAt = await found(() => recording.leaderNamed(since, (name) => name !== killed.name));
    const isFirst = ({ outcome, end: at }: Write) => outcome === 'ok' && at > namedAt;
    const first = await found(() => recording.writers.writes.find(isFirst));
    expect(first.end - namedAt).toBeLessThan(1_000);
    await recording.progress();
    const leader = await firstValueFrom(cluster.leader$());
    await eventually(() => client.clusterState$.value.leader?.name === leader.name);
    await back(cluster.restart$(killed.index));
  }
  await end();
});

test('the member stops at which the watch stands: it is left in time, and nothing is lost', async () => {
  await begin({ heartbeat: 250 });
  const index = await watched();
  const url = cluster.endpoints[index]!;
  const since = performance.now();
  await firstValueFrom(cluster.stop$(index));
  expect(await leaves(url, since)).toBeLessThan(2 * probeTimeout);
  await recording.progress();
  expect(await recording.endpoint()).not.toBe(url);
  await back(cluster.resume$(index));
  await end();
});

test('the member is cut off at which the watch stands: it is left, although it answers', async () => {
  await begin();
  const index = await watched();
  const url = cluster.endpoints[index]!;
  const since = performance.now();
  await firstValueFrom(cluster.partition$(index));
  expect(await leaves(url, since)).toBeLessThan(5_000);
  await recording.progress();
  expect(await recording.endpoint()).not.toBe(url);
  await back(cluster.heal$(index));
  await end();
});

test('the quorum is lost and comes back: nothing is written meanwhile, nothing is lost', async () => {
  await begin();
  const killed = [
    await firstValueFrom(cluster.kill$('leader')),
    await firstValueFrom(cluster.kill$('leader')),
  ];
  await eventually(() => client.clusterState$.value.hasQuorum === false);
  expect(client.clusterState$.value.leader).toBeUndefined();
  const noQuorum = { code: 'ALL_NODES_DOWN', reason: 'no-quorum' };
  expect(await rejectionOf(client.put$('never', 'v', { deadline: 1_000 }))).toMatchObject(noQuorum);
  expect(await rejectionOf(client.get$('never', { deadline: 1_000 }))).toMatchObject(noQuorum);
  expect(await firstValueFrom(client.exists$('never', { serializable: true }))).toBe(false);
  await back(forkJoin(killed.map((member) => member.restart$())));
  expect(await firstValueFrom(client.exists$('never'))).toBe(false);
  await end();
});

test('every member is restarted in turn', async () => {
  await begin();
  for (const { index } of cluster.members) {
    await back(cluster.restart$(index));
    await recording.progress();
  }
  await end();
});
