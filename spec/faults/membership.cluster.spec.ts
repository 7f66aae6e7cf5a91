import { EtcdClient, isGone } from 'rxetcd';
import { concat, firstValueFrom, lastValueFrom } from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import type { EtcdProcess } from '../support/etcd/etcd-process.js';
import { joiningMember } from '../support/cluster/joining-member.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';

const options = { heartbeat: 300, probeTimeout: 500, timeout: 3_000 };

describe('members that come and go', () => {
  let cluster: LocalCluster;
  let client: EtcdClient;
  /** Changes nothing itself. */
  let bystander: EtcdClient;
  let fourth: EtcdProcess | undefined;

  const clients = () => [client, bystander];
  const memberIn = (one: EtcdClient, id: string) =>
    one.clusterState$.value.members.find((member) => member.id === id);
  const idOf = (name: string) =>
    client.clusterState$.value.members.find((member) => member.name === name)?.id ?? '';

  beforeEach(async () => {
    // Else etcd lets nobody in or out in its first five seconds.
    cluster = await firstValueFrom(startLocalCluster({ flags: ['--strict-reconfig-check=false'] }));
    client = new EtcdClient(cluster.endpoints, options);
    bystander = new EtcdClient(cluster.endpoints, options);
    for (const one of clients()) one.clusterState$.subscribe();
    await eventually(() => clients().every((one) => one.clusterState$.value.leader !== undefined));
  });

  afterEach(async () => {
    for (const one of clients()) one.close();
    if (fourth !== undefined) await firstValueFrom(fourth.terminate$());
    fourth = undefined;
    await lastValueFrom(cluster.down$());
  });

  /** Just after an election etcd may answer 500: it was not done, or it was and is said so the next time. */
  const remove = (id: string) =>
    eventually(() =>
      firstValueFrom(client.members.remove$(id)).catch((error: unknown) => {
        if (!isGone(error)) throw error;
      }),
    );

  /** Adds a member, and starts it. */
  async function grow(): Promise<{ id: string; process: EtcdProcess }> {
    const process = await firstValueFrom(joiningMember(cluster.members));
    fourth = process;
    const { id } = await firstValueFrom(client.members.add$([process.peerUrl]));
    // Not started yet, it has no name, and nobody can have reached it.
    await eventually(() => clients().every((one) => memberIn(one, id)?.status === 'unknown'));
    expect(clients().map((one) => memberIn(one, id)?.name)).toEqual(['', '']);
    expect(client.clusterState$.value.hasQuorum).toBe(true);
    await lastValueFrom(concat(process.start$(), process.ready$()));
    await eventually(() => clients().every((one) => memberIn(one, id)?.status === 'running'));
    return { id, process };
  }

  it('appear when they are added, are used, and vanish when they are removed', async () => {
    const { id, process } = await grow();
    for (const one of clients()) {
      expect(memberIn(one, id)?.name).toBe('etcd4');
      expect(one.endpoints).toContain(process.clientUrl);
      expect(one.clusterState$.value.members).toHaveLength(4);
    }
    // Of four members it takes three: the new one is needed now.
    await firstValueFrom(cluster.kill$('leader'));
    const { info } = await firstValueFrom(client.set$('/grown', 'by three of four'));
    expect([...cluster.endpoints, process.clientUrl]).toContain(info.endpoint);

    await remove(id);
    await eventually(() => clients().every((one) => memberIn(one, id) === undefined));
    await eventually(() => clients().every((one) => !one.endpoints.includes(process.clientUrl)));
    await expect(firstValueFrom(client.getValue$('/grown', { quorum: true }))).resolves.toBe(
      'by three of four',
    );
    expect(client.clusterState$.value.hasQuorum).toBe(true);
  });

  it('are followed when the leader itself is removed', async () => {
    const leader = await firstValueFrom(cluster.leader$());
    const id = idOf(leader.name);
    await remove(id);
    await eventually(() =>
      clients().every(({ clusterState$: { value: state } }) => {
        if (state.leader === undefined) throw new Error(state.toString());
        return state.leader.id !== id && state.members.every((member) => member.id !== id);
      }),
    );
    for (const one of clients()) {
      await firstValueFrom(one.set$('/removed', 'leader'));
      expect(one.clusterState$.value).toMatchObject({ hasQuorum: true });
      expect(one.clusterState$.value.members).toHaveLength(2);
    }
  });

  it('are used again when they come back', async () => {
    const returned = await firstValueFrom(cluster.kill$('follower'));
    const id = idOf(returned.name);
    await eventually(() => clients().every((one) => memberIn(one, id)?.status === 'down'));
    await lastValueFrom(concat(cluster.restart$(returned.index), cluster.ready$()));
    await eventually(() => clients().every((one) => memberIn(one, id)?.status === 'running'));

    const others = cluster.members.filter((member) => member !== returned);
    await firstValueFrom(client.set$('/returned', 'yes'));
    // The majority may be the other two: without the value its answer would be refused as stale.
    await eventually(async () => (await fetch(`${returned.clientUrl}/v2/keys/returned`)).status === 200);
    for (const other of others) await firstValueFrom(other.kill$());
    await eventually(async () => {
      const { node, info } = await firstValueFrom(client.get$('/returned'));
      return node.value === 'yes' && info.endpoint === returned.clientUrl;
    });
  });
});
