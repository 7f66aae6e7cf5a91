import { EtcdClient } from 'rxetcd';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { startHttpTap, type HttpTap } from '../support/proxies/http-tap.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';

/*
 * etcd answers `/v2/stats/self` by 200 and nothing for up to a second when it has counted just one message of a peer, as
 * right after an election: the rate of one message is infinite, which JSON cannot say.
 */
describe('members whose statistics are empty', () => {
  let cluster: LocalCluster;
  let taps: HttpTap[];
  let client: EtcdClient;

  beforeAll(async () => {
    cluster = await firstValueFrom(startLocalCluster());
    taps = await Promise.all(cluster.endpoints.map((url) => firstValueFrom(startHttpTap(url))));
  });
  afterEach(() => client.close());
  afterAll(async () => {
    await Promise.all(taps.map((tap) => firstValueFrom(tap.close$())));
    await lastValueFrom(cluster.down$());
  });

  it.each([
    ['of all', () => taps],
    ['of one', () => taps.slice(0, 1)],
  ])('are known all the same, and their leader with them: %s', async (_, which) => {
    for (const tap of taps) tap.instead = () => undefined;
    for (const tap of which())
      tap.instead = ({ path }) => (path === '/v2/stats/self' ? { status: 200, body: '' } : undefined);
    // Only by what they say themselves: nobody advertises these endpoints.
    client = new EtcdClient(
      taps.map(({ url }) => url),
      { discover: false },
    );
    const leader = await firstValueFrom(cluster.leader$());
    // With the leader unknown the write would wait at the gate.
    await firstValueFrom(client.set$('/empty', 'statistics', { deadline: 5_000 }));
    const state = await firstValueFrom(client.refreshCluster$());
    expect(state.leader?.name).toBe(leader.name);
    expect(state.members.map(({ status }) => status)).toEqual(['running', 'running', 'running']);
    expect(state.hasQuorum).toBe(true);
  });
});
