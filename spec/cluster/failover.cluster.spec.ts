import { EtcdClient, isOutcomeUnknown, type ClusterState } from 'rxetcd';
import { concat, firstValueFrom, lastValueFrom } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { startLocalCluster, type LocalCluster } from '../support/local-cluster.js';
import { Recording } from '../support/recording.js';

const options = { heartbeat: 500, probeTimeout: 500, timeout: 3_000, deadline: 15_000 };

/** Once the state has stopped naming this member as leader, it must not name it again. */
function namedAgain(states: readonly ClusterState[], name: string): string[] {
  const fallen = states.findIndex((state) => state.leader?.name !== name);
  return states
    .slice(Math.max(0, fallen))
    .filter((state) => state.leader?.name === name)
    .map((state) => state.toString());
}

describe('a client of three members', () => {
  let cluster: LocalCluster;
  let client: EtcdClient;
  let recording: Recording;

  beforeEach(async () => {
    cluster = await firstValueFrom(startLocalCluster());
    client = new EtcdClient(cluster.endpoints, options);
    recording = new Recording(client, cluster.endpoints);
    await recording.progress();
  });

  afterEach(async () => {
    client.close();
    await lastValueFrom(cluster.down$());
  });

  /** Everything seen, once, in order; every acknowledged write stored; the right leader named in the end. */
  async function expectPromisesKept(): Promise<void> {
    const stored = await recording.finish();
    expect(recording.findings(stored)).toEqual([]);
    const leader = await firstValueFrom(cluster.leader$());
    await eventually(() => client.clusterState$.value.leader?.name === leader.name);
    expect(client.clusterState$.value.hasQuorum).toBe(true);
    // What was not acknowledged must be of unknown outcome: nothing was given up that could have been done.
    expect(recording.failures.filter((e) => !isOutcomeUnknown(e))).toEqual([]);
  }

  it('goes on when the leader is killed, at the new leader', async () => {
    const before = recording.states.length - 1;
    const killed = await firstValueFrom(cluster.kill$('leader'));
    await recording.progress(100);

    const leader = await firstValueFrom(cluster.leader$());
    expect(leader.name).not.toBe(killed.name);
    expect(namedAgain(recording.states.slice(before), killed.name)).toEqual([]);
    expect(client.clusterState$.value.members.find((m) => m.name === killed.name)?.status).toBe('down');
    await eventually(() => recording.events.at(-1)?.info.endpoint === leader.clientUrl);
    // Only the writes in flight on the leader itself may be in doubt, one for each writer.
    expect(recording.failures.length).toBeLessThanOrEqual(4);
    await expectPromisesKept();
  });

  it('goes on when the leader freezes, and when it thaws', async () => {
    const before = recording.states.length - 1;
    const frozen = await firstValueFrom(cluster.stop$('leader'));
    await recording.progress(100);

    const leader = await firstValueFrom(cluster.leader$());
    expect(namedAgain(recording.states.slice(before), frozen.name)).toEqual([]);
    await eventually(() => recording.events.at(-1)?.info.endpoint === leader.clientUrl);

    await firstValueFrom(cluster.resume$(frozen.index));
    await firstValueFrom(cluster.ready$());
    await eventually(() => client.clusterState$.value.members.every((m) => m.status === 'running'));
    await recording.progress();
    await expectPromisesKept();
  });

  it('goes on while every member is restarted in turn', async () => {
    for (const { index } of cluster.members) {
      await lastValueFrom(concat(cluster.restart$(index), cluster.ready$()));
      await recording.progress();
    }
    await expectPromisesKept();
  });

  it('works again by itself after all members were killed and restarted on their data', async () => {
    await lastValueFrom(cluster.killAll$());
    await eventually(() => client.clusterState$.value.members.every((m) => m.status === 'down'));
    expect(client.clusterState$.value.hasQuorum).toBe(false);
    expect(client.clusterState$.value.leader).toBeUndefined();

    await lastValueFrom(concat(cluster.restartAll$(), cluster.ready$()));
    await recording.progress(100);
    await expectPromisesKept();
  });

  it('says that the quorum is lost, still reads, writes nothing, and goes on when it is back', async () => {
    await firstValueFrom(cluster.kill$('leader'));
    await firstValueFrom(cluster.kill$('leader'));
    await eventually(() => client.clusterState$.value.hasQuorum === false);
    expect(client.clusterState$.value.leader).toBeUndefined();

    const key = recording.acknowledged[0]?.key ?? '';
    await expect(firstValueFrom(client.getValue$(key))).resolves.toContain('value');
    const noQuorum = { code: 'ALL_NODES_DOWN', reason: 'no-quorum' };
    const quorumRead = firstValueFrom(client.get$(key, { quorum: true, deadline: 1_000 }));
    await expect(quorumRead).rejects.toMatchObject(noQuorum);
    const write = firstValueFrom(client.set$('/elsewhere', 'never', { deadline: 1_000 }));
    await expect(write).rejects.toMatchObject(noQuorum);

    const killed = cluster.members.filter((m) => m.state === 'down');
    await lastValueFrom(concat(...killed.map((m) => m.restart$()), cluster.ready$()));
    await recording.progress(100);
    await expect(firstValueFrom(client.exists$('/elsewhere', { quorum: true }))).resolves.toBe(false);
    await expectPromisesKept();
  });
});
