import { EtcdClient, type ClusterState } from 'rxetcd';
import { firstValueFrom, forkJoin, lastValueFrom } from 'rxjs';
import { cleanUp } from '../support/jest/clean-up.js';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';

/* Elections take long here: for seconds a member names a leader that is none. */
const timing = { heartbeat: 100, election: 4_000 };
const options = { heartbeat: 200, probeTimeout: 400 };
const undos: (() => unknown)[] = [];
let cluster: LocalCluster;

beforeEach(async () => {
  cluster = await firstValueFrom(startLocalCluster({ timing }));
  undos.push(() => lastValueFrom(cluster.down$()));
});
afterEach(() => cleanUp(undos));

/** A client that follows its state. */
function open(): { client: EtcdClient; states: ClusterState[] } {
  const client = new EtcdClient(cluster.endpoints, options);
  undos.push(() => client.close());
  const states: ClusterState[] = [];
  client.clusterState$.subscribe((state) => states.push(state));
  return { client, states };
}
const statusOf = (client: EtcdClient, name: string) =>
  client.clusterState$.value.members.find(
    (member) => member.name === name || member.clientURLs.includes(name),
  )?.status;
/** Whom a member names. */
const namedBy = async (url: string): Promise<string | undefined> => {
  const answer = await fetch(`${url}/v2/members/leader`);
  return answer.status === 200 ? ((await answer.json()) as { name: string }).name : undefined;
};

it('a leader that stands alone and still names itself is none', async () => {
  const leader = await firstValueFrom(cluster.leader$());
  const followers = cluster.members.filter((member) => member !== leader);
  const { client } = open();
  await eventually(() => client.clusterState$.value.leader?.name === leader.name);
  await firstValueFrom(forkJoin(followers.map((member) => member.stop$())));
  undos.push(() => lastValueFrom(forkJoin(followers.map((member) => member.resume$()))));
  await eventually(() => followers.every(({ name }) => statusOf(client, name) === 'down'), { every: 5 });
  const { leader: shown, hasQuorum } = await firstValueFrom(client.refreshCluster$());
  // Else this would say nothing.
  expect(await namedBy(leader.clientUrl)).toBe(leader.name);
  expect([shown, hasQuorum]).toEqual([undefined, false]);
});

it('a dead leader that the others still name is none, to who saw it lead and to who comes later', async () => {
  const leader = await firstValueFrom(cluster.leader$());
  const survivor = cluster.members.find((member) => member !== leader)!;
  const { client, states } = open();
  await eventually(() => client.clusterState$.value.leader?.name === leader.name);
  await firstValueFrom(leader.kill$());
  await eventually(() => statusOf(client, leader.name) === 'down', { every: 5 });
  const later = open();
  await eventually(() => statusOf(later.client, leader.clientUrl) === 'down', { every: 5 });
  await firstValueFrom(later.client.refreshCluster$());
  const write = firstValueFrom(later.client.set$('/a', 'v'));
  expect(await namedBy(survivor.clientUrl)).toBe(leader.name);
  for (const { leader: shown } of [client.clusterState$.value, later.client.clusterState$.value])
    expect(shown).toBeUndefined();

  // And it stays so until another leads, which then takes the write.
  const { info } = await write;
  const second = await firstValueFrom(cluster.leader$());
  expect(info.endpoint).toBe(second.clientUrl);
  const afterFall = states.slice(
    states.findIndex(
      (state) =>
        state.leader?.name !== leader.name &&
        state.members.some((m) => m.name === leader.name && m.status === 'down'),
    ),
  );
  for (const seen of [afterFall, later.states])
    expect(seen.filter((state) => state.leader?.name === leader.name)).toEqual([]);
});
