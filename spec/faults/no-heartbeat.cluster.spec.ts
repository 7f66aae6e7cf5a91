import { EtcdClient, isOutcomeUnknown } from 'rxetcd';
import { concat, firstValueFrom, lastValueFrom } from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { rejectionOf } from '../support/jest/rejection.js';

/* Nothing is probed by the clock: failed and slow requests alone tell that something is wrong. */
describe('a client without a heartbeat', () => {
  let cluster: LocalCluster;
  let client: EtcdClient;
  let probes: number;
  /** Calls that took so long that their member is asked whether it lives. */
  let slow: number;

  beforeEach(async () => {
    cluster = await firstValueFrom(startLocalCluster());
    client = new EtcdClient(cluster.endpoints, { heartbeat: false, probeTimeout: 500, timeout: 5_000 });
    probes = 0;
    slow = 0;
    client.events$.subscribe((event) => {
      if (event.type === 'request' && event.operation === 'probe') probes += 1;
      if (event.type === 'response' && event.durationMs > 900) slow += 1;
    });
    client.clusterState$.subscribe();
    await eventually(() => client.clusterState$.value.members.every(({ status }) => status === 'running'));
    await eventually(() => client.clusterState$.value.leader !== undefined);
  });

  afterEach(async () => {
    client.close();
    await lastValueFrom(cluster.down$());
  });

  const statusOf = (name: string) =>
    client.clusterState$.value.members.find((member) => member.name === name)?.status;

  it('asks no member about itself while all goes well', async () => {
    await firstValueFrom(client.set$('/calm', '0'));
    const before = probes - slow;
    for (let i = 1; i <= 200; i += 1) {
      await firstValueFrom(client.set$('/calm', `${i}`));
      await firstValueFrom(client.get$('/calm', { quorum: i % 2 === 0 }));
    }
    expect(probes - slow).toBeLessThanOrEqual(before);
  });

  it('finds the new leader by the first call that fails, and uses who came back by the next', async () => {
    const first = await firstValueFrom(cluster.kill$('leader'));
    const second = await firstValueFrom(cluster.leader$());
    // Refused, and surely not executed: it waits for the new leader.
    const { info } = await firstValueFrom(client.set$('/a', 'once'));
    expect(info.endpoint).toBe(second.clientUrl);
    expect(client.clusterState$.value.leader?.name).toBe(second.name);
    expect(statusOf(first.name)).toBe('down');

    await lastValueFrom(concat(cluster.restart$(first.index), cluster.ready$()));
    await firstValueFrom(second.kill$());
    const third = await firstValueFrom(cluster.leader$());
    const answer = await firstValueFrom(client.get$('/a', { quorum: true }));
    expect(answer.node.value).toBe('once');
    expect(answer.info.endpoint).toBe(third.clientUrl);
    await firstValueFrom(client.set$('/a', 'twice'));
    await eventually(() => statusOf(first.name) === 'running' && statusOf(second.name) === 'down');
    expect(client.clusterState$.value).toMatchObject({ hasQuorum: true, leader: { name: third.name } });
  });

  it('leaves a frozen leader by the first call that is slow', async () => {
    const frozen = await firstValueFrom(cluster.stop$('leader'));
    const leader = await firstValueFrom(cluster.leader$());
    const read = firstValueFrom(client.get$('/', { quorum: true }));
    const unknown = rejectionOf(client.set$('/frozen', 'perhaps', { timeout: 2_000 }));
    // A read may be repeated elsewhere; a write that was sent may not.
    expect((await read).info.endpoint).toBe(leader.clientUrl);
    expect(isOutcomeUnknown(await unknown)).toBe(true);
    await eventually(() => statusOf(frozen.name) === 'down');
    await expect(firstValueFrom(client.set$('/frozen', 'surely'))).resolves.toMatchObject({
      info: { endpoint: leader.clientUrl },
    });
    expect(client.clusterState$.value.leader?.name).toBe(leader.name);
    await firstValueFrom(cluster.resume$(frozen.index));
  });
});
