import { rmSync } from 'node:fs';
import { EtcdClient } from 'rxetcd';
import { concat, firstValueFrom, forkJoin, lastValueFrom } from 'rxjs';
import { cleanUp } from '../support/jest/clean-up.js';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { moveLeader } from '../support/cluster/move-leader.js';

/* A cluster that lost its data and was built again by the same flags: the same ids, and terms that begin anew. */
const undos: (() => unknown)[] = [];
let cluster: LocalCluster;

beforeEach(async () => {
  cluster = await firstValueFrom(startLocalCluster());
  undos.push(() => lastValueFrom(cluster.down$()));
});
afterEach(() => cleanUp(undos));

/** The raft term that a member says it is in. */
async function termAt(url: string): Promise<number> {
  const { headers } = await fetch(`${url}/v2/keys/?quorum=true`);
  return Number(headers.get('x-raft-term'));
}

async function rebuild(): Promise<void> {
  await firstValueFrom(cluster.killAll$());
  for (const { dataDir } of cluster.members) rmSync(dataDir, { recursive: true });
  await lastValueFrom(concat(forkJoin(cluster.members.map((member) => member.restart$())), cluster.ready$()));
}

it.each([300, false] as const)(
  'with heartbeat: %s its leader is named, and the next one, though their terms are below those before',
  async (heartbeat) => {
    const client = new EtcdClient(cluster.endpoints, { heartbeat, probeTimeout: 500, timeout: 1_000 });
    undos.push(() => client.close());
    client.clusterState$.subscribe();
    for (let i = 0; i < 12; i += 1) await moveLeader(cluster);
    await firstValueFrom(client.set$('/k', 'old'));
    const before = await termAt(cluster.endpoints[0]!);
    await eventually(() => client.clusterState$.value.raftTerm === before);

    await rebuild();
    const term = await termAt(cluster.endpoints[0]!);
    expect(term).toBeLessThan(before - 4);
    const readyAt = performance.now();
    // As the first call meets it, wherever it goes: nothing has to fail for it.
    await firstValueFrom(client.set$('/k', 'new'));
    const leader = await firstValueFrom(cluster.leader$());
    expect(performance.now() - readyAt).toBeLessThan(2_000);
    await eventually(() => client.clusterState$.value.leader?.name === leader.name);
    expect(client.clusterState$.value.hasQuorum).toBe(true);

    // Its elections, too.
    const killed = await firstValueFrom(cluster.kill$('leader'));
    const next = await firstValueFrom(cluster.leader$());
    expect((await firstValueFrom(client.set$('/k', 'newer'))).info.endpoint).toBe(next.clientUrl);
    await eventually(() => client.clusterState$.value.leader?.name === next.name);
    await lastValueFrom(concat(killed.restart$(), cluster.ready$()));
    const { after } = await moveLeader(cluster);
    await eventually(async () => {
      // A leader that was replaced in peace is found by a heartbeat, or by what is asked of it.
      if (heartbeat === false) await firstValueFrom(client.refreshCluster$());
      return client.clusterState$.value.leader?.name === after.name;
    });
    expect((await firstValueFrom(client.set$('/k', 'newest'))).info.endpoint).toBe(after.clientUrl);
  },
);
