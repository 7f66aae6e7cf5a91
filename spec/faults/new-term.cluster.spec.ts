import { EtcdClient, type ClusterState } from 'rxetcd';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { cleanUp } from '../support/jest/clean-up.js';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { moveLeader } from '../support/cluster/move-leader.js';

/* No member fails and nothing is probed by the clock: that another one leads shows in the term of the answers to reads. */
const undos: (() => unknown)[] = [];
let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await firstValueFrom(startLocalCluster());
});
afterEach(() => cleanUp(undos));
afterAll(() => lastValueFrom(cluster.down$()));

/** A client that knows the term, and all states that it has shown since. */
async function follow(heartbeat: number | false): Promise<{ client: EtcdClient; states: ClusterState[] }> {
  const client = new EtcdClient(cluster.endpoints, { heartbeat, probeTimeout: 500, timeout: 1_000 });
  undos.push(() => client.close());
  const states: ClusterState[] = [];
  client.clusterState$.subscribe((state) => states.push(state));
  await eventually(() => client.clusterState$.value.leader !== undefined);
  await firstValueFrom(client.set$('/k', 'v'));
  await eventually(() => client.clusterState$.value.raftTerm !== undefined);
  return { client, states };
}

/** Reads go on, one after the other, until the test is over. */
function readOn(client: EtcdClient): void {
  const stopping = new AbortController();
  const reading = (async () => {
    while (!stopping.signal.aborted) await firstValueFrom(client.getValue$('/k')).catch(() => undefined);
  })();
  undos.push(async () => {
    stopping.abort();
    await reading;
  });
}

const inTerm = (state: ClusterState) => `${state.leader?.name ?? 'none'} in term ${String(state.raftTerm)}`;

describe.each([60_000, false] as const)('with heartbeat: %s', (heartbeat) => {
  it('whom the old leader hands its office to is the only one who leads in the new term', async () => {
    const { client, states } = await follow(heartbeat);
    readOn(client);
    for (let move = 0; move < 4; move += 1) {
      const term = client.clusterState$.value.raftTerm!;
      const { before, after } = await moveLeader(cluster);
      await eventually(() => client.clusterState$.value.leader?.name === after.name, { within: 5_000 });
      expect(client.clusterState$.value.raftTerm).toBeGreaterThan(term);
      const wrong = states.filter(({ leader, raftTerm }) => raftTerm! > term && leader?.name === before.name);
      expect(wrong.map(inTerm)).toEqual([]);
      expect((await firstValueFrom(client.set$('/k', 'v'))).info.endpoint).toBe(after.clientUrl);
      states.length = 0;
    }
  });

  it('a leader that stands still leads no more once the others answer of a new term', async () => {
    const { client, states } = await follow(heartbeat);
    const term = client.clusterState$.value.raftTerm!;
    const stopped = await firstValueFrom(cluster.stop$('leader'));
    undos.push(async () => {
      await firstValueFrom(stopped.resume$());
      await firstValueFrom(cluster.ready$());
    });
    readOn(client);
    const after = await firstValueFrom(cluster.leader$());
    await eventually(() => client.clusterState$.value.leader?.name === after.name, { within: 10_000 });
    const wrong = states.filter(({ leader, raftTerm }) => raftTerm! > term && leader?.name === stopped.name);
    expect(wrong.map(inTerm)).toEqual([]);
  });
});
