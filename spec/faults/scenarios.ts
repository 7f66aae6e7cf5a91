import { EtcdClient, isOutcomeUnknown, type ClusterState } from 'rxetcd';
import { concat, firstValueFrom, forkJoin, lastValueFrom, type Observable } from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import { Recording } from '../support/promises/recording.js';
import { rejectionOf } from '../support/jest/rejection.js';
import type { TestCluster } from '../support/cluster/test-cluster.js';

/** What a scenario plays on: three members, a client of all, and a recording of it that already runs. */
interface Stage {
  cluster: TestCluster;
  client: EtcdClient;
  recording: Recording;
}

/** One for each kind of fault, by its title. Each leaves the cluster whole; `describeScenarios` checks the promises behind it. */
const scenarios: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  'goes on at the new leader when the leader is killed': async ({ cluster, client, recording }) => {
    const before = recording.states.length - 1;
    const doubtsBefore = recording.failures.length;
    const killed = await firstValueFrom(cluster.kill$('leader'));
    await recording.progress(100);

    const leader = await firstValueFrom(cluster.leader$());
    expect(leader.name).not.toBe(killed.name);
    expect(namedAgain(recording.states.slice(before), killed.name)).toEqual([]);
    expect(statusOf(client, killed.name)).toBe('down');
    await followedAt(recording, leader.clientUrl);
    // Only the writes in flight on the leader itself may be in doubt, one for each writer.
    expect(recording.failures.length - doubtsBefore).toBeLessThanOrEqual(writers);
    await back(cluster, client, cluster.restart$(killed.index));
  },

  'goes on when the leader freezes, and when it thaws': async ({ cluster, client, recording }) => {
    const before = recording.states.length - 1;
    const frozen = await firstValueFrom(cluster.stop$('leader'));
    await recording.progress(100);

    const leader = await firstValueFrom(cluster.leader$());
    expect(leader.name).not.toBe(frozen.name);
    expect(namedAgain(recording.states.slice(before), frozen.name)).toEqual([]);
    await followedAt(recording, leader.clientUrl);
    await back(cluster, client, cluster.resume$(frozen.index));
  },

  'leaves a leader that is cut off from the others, although it answers': async ({
    cluster,
    client,
    recording,
  }) => {
    const before = recording.states.length - 1;
    const alone = await firstValueFrom(cluster.partition$('leader'));
    await recording.progress(100);

    const leader = await firstValueFrom(cluster.leader$());
    expect(leader.name).not.toBe(alone.name);
    await eventually(() => client.clusterState$.value.leader?.name === leader.name);
    expect(client.clusterState$.value.hasQuorum).toBe(true);
    expect(namedAgain(recording.states.slice(before), alone.name)).toEqual([]);
    await followedAt(recording, leader.clientUrl);
    await readsWhatWasWritten(client, recording);
    await back(cluster, client, cluster.heal$(alone.index));
  },

  'is not fooled by a follower that is cut off from the others': async ({ cluster, client, recording }) => {
    const leader = await firstValueFrom(cluster.leader$());
    const before = recording.states.length - 1;
    const alone = await firstValueFrom(cluster.partition$('follower'));
    await recording.progress(100);
    await readsWhatWasWritten(client, recording);

    const states = recording.states.slice(before);
    expect(states.filter((state) => state.leader?.name === alone.name)).toEqual([]);
    // Nothing has happened to the leader, and nobody says otherwise; unless a busy machine made the two others vote.
    const leaderNow = await firstValueFrom(cluster.leader$());
    if (leaderNow === leader) {
      const isWell = (state: ClusterState) => state.leader?.name === leader.name && state.hasQuorum === true;
      expect(states.filter((state) => !isWell(state))).toEqual([]);
      expect(recording.failures).toEqual([]);
    }
    await back(cluster, client, cluster.heal$(alone.index));
  },

  'says that the quorum is lost, still reads, writes nothing, and goes on when it is back': async ({
    cluster,
    client,
    recording,
  }) => {
    const killed = [
      await firstValueFrom(cluster.kill$('leader')),
      await firstValueFrom(cluster.kill$('leader')),
    ];
    await eventually(() => client.clusterState$.value.hasQuorum === false);
    expect(client.clusterState$.value.leader).toBeUndefined();

    const { key = '', value } = recording.acknowledged[0] ?? {};
    expect(await firstValueFrom(client.getValue$(key))).toBe(value);
    const noQuorum = { code: 'ALL_NODES_DOWN', reason: 'no-quorum' };
    expect(await rejectionOf(client.get$(key, { quorum: true, deadline: 1_000 }))).toMatchObject(noQuorum);
    expect(await rejectionOf(client.set$('/never', 'v', { deadline: 1_000 }))).toMatchObject(noQuorum);

    await back(cluster, client, forkJoin(killed.map((member) => member.restart$())));
    expect(await firstValueFrom(client.exists$('/never', { quorum: true }))).toBe(false);
  },

  'works again by itself after all members were killed and restarted on their data': async ({
    cluster,
    client,
  }) => {
    await firstValueFrom(cluster.killAll$());
    await eventually(() => client.clusterState$.value.members.every(({ status }) => status === 'down'));
    expect(client.clusterState$.value.hasQuorum).toBe(false);
    expect(client.clusterState$.value.leader).toBeUndefined();
    await back(cluster, client, cluster.restartAll$());
  },

  'goes on while every member is restarted in turn': async ({ cluster, client, recording }) => {
    for (const { index } of cluster.members) {
      await back(cluster, client, cluster.restart$(index));
      await recording.progress();
    }
  },
};

/** Registers all scenarios, on one cluster. */
export function describeScenarios(start: () => Observable<TestCluster>): void {
  let cluster: TestCluster | undefined;
  let client: EtcdClient;

  beforeAll(async () => {
    cluster = await firstValueFrom(start());
  });
  afterEach(async () => {
    client.close();
    if (cluster !== undefined) await mend(cluster);
  });
  afterAll(async () => {
    if (cluster !== undefined) await firstValueFrom(cluster.down$());
  });

  test.each(Object.entries(scenarios))('%s', async (_, play) => {
    if (cluster === undefined) throw new Error('no cluster');
    client = new EtcdClient(cluster.endpoints, { heartbeat: 500, probeTimeout: 500, timeout: 3_000 });
    const recording = new Recording(client, cluster.endpoints, { writers });
    await recording.progress();
    await play({ cluster, client, recording });

    // The same client goes on, everything was seen, once and in order, and every acknowledged write is stored.
    await recording.progress();
    const stored = await recording.finish();
    expect(recording.findings(stored)).toEqual([]);
    // What was not acknowledged is of unknown outcome: nothing was given up that could have been done.
    expect(recording.failures.filter((error) => !isOutcomeUnknown(error))).toEqual([]);
    const leader = await firstValueFrom(cluster.leader$());
    await eventually(() => client.clusterState$.value.leader?.name === leader.name);
    expect(client.clusterState$.value.hasQuorum).toBe(true);
  });
}

const writers = 4;

const statusOf = (client: EtcdClient, name: string) =>
  client.clusterState$.value.members.find((member) => member.name === name)?.status;

/** Once the state has stopped naming this member as leader, it must not name it again. */
function namedAgain(states: readonly ClusterState[], name: string): string[] {
  const fallen = states.findIndex((state) => state.leader?.name !== name);
  return states
    .slice(Math.max(0, fallen))
    .filter((state) => state.leader?.name === name)
    .map((state) => state.toString());
}

/** Waits until the watch follows that member. */
const followedAt = (recording: Recording, url: string) =>
  eventually(() => recording.events.at(-1)?.info.endpoint === url);

/** Makes the fault good and waits until members and client agree that all is well. */
async function back(cluster: TestCluster, client: EtcdClient, repair$: Observable<unknown>): Promise<void> {
  await lastValueFrom(concat(repair$, cluster.ready$()));
  await eventually(() => client.clusterState$.value.members.every(({ status }) => status === 'running'));
}

/** Reads by the client know of every write that it has had acknowledged, whichever member they ask. */
async function readsWhatWasWritten(client: EtcdClient, recording: Recording): Promise<void> {
  for (let i = 0; i < 20; i += 1) {
    const { key, value } = recording.acknowledged.at(-1)!;
    expect(await firstValueFrom(client.getValue$(key))).toBe(value);
  }
}

/** A scenario that failed leaves nothing to the next one. */
async function mend(cluster: TestCluster): Promise<void> {
  for (const member of cluster.members) {
    if (member.partitioned) await firstValueFrom(member.heal$());
    if (member.state === 'stopped') await firstValueFrom(member.resume$());
    if (member.state === 'down') await firstValueFrom(member.restart$());
  }
  await firstValueFrom(cluster.ready$());
}
