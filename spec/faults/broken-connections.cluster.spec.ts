import { EtcdClient, type ClientEvent } from 'rxetcd';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { cleanUp } from '../support/jest/clean-up.js';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { startTcpProxy, type TcpProxy } from '../support/proxies/tcp-proxy.js';
import { WatchLog } from '../support/promises/watch-log.js';

/* A balancer in front of each member, which ends connections that say nothing, as they all do after a minute or so. */
const undos: (() => unknown)[] = [];
let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await firstValueFrom(startLocalCluster());
});
afterEach(() => cleanUp(undos));
afterAll(() => lastValueFrom(cluster.down$()));

describe.each([500, false] as const)('with heartbeat: %s', (heartbeat) => {
  let client: EtcdClient;
  let balancer: TcpProxy;
  let watch: WatchLog;
  /** Who is told to lead. */
  let leaders: (string | undefined)[];
  let events: ClientEvent[];

  beforeEach(async () => {
    const balancers: TcpProxy[] = [];
    for (const { clientUrl } of cluster.members) {
      const front = await firstValueFrom(startTcpProxy(clientUrl));
      balancers.push(front);
      undos.push(() => lastValueFrom(front.close$()));
    }
    const { index } = await firstValueFrom(cluster.leader$());
    balancer = balancers[index]!;
    client = new EtcdClient({ endpoints: balancers.map(({ url }) => url), discover: false, heartbeat });
    undos.push(() => client.close());
    watch = new WatchLog(client, '/w');
    undos.push(() => watch.unsubscribe());
    await watch.live();
    await firstValueFrom(client.set$('/k', 'v'));
    await eventually(() => client.clusterState$.value.members.every(({ status }) => status === 'running'));
    // A watch that begins before its leader is known stands anywhere at first.
    await eventually(() => waits().length > 0);
    leaders = [];
    const monitor = client.leader$().subscribe((leader) => leaders.push(leader?.name));
    undos.push(() => monitor.unsubscribe());
    events = [];
    client.events$.subscribe((event) => events.push(event));
  });

  const waits = () => balancer.links.filter(({ asked }) => asked.includes('wait=true'));

  it('nobody is told of the end of connections to the leader that wait for what may come', async () => {
    const { name } = await firstValueFrom(cluster.leader$());
    for (let round = 0; round < 10; round += 1) {
      const ended = waits();
      expect(ended.length).toBeGreaterThan(0);
      for (const link of ended) link.finish();
      await eventually(() => waits().some((link) => !ended.includes(link)));
      // The watch follows the leader again, and what goes there is answered.
      await firstValueFrom(client.set$('/w', String(round)));
      await watch.count(round + 1);
    }
    expect(leaders).toEqual([name]);
    const changes = ['leader-change', 'member-down', 'member-up', 'retry', 'watch-resync'];
    expect(events.filter(({ type }) => changes.includes(type))).toEqual([]);
  });

  it('nor of that of all that are idle', async () => {
    const { name } = await firstValueFrom(cluster.leader$());
    for (let round = 0; round < 10; round += 1) {
      const ended = balancer.links;
      for (const link of ended) link.finish();
      await eventually(() => waits().some((link) => !ended.includes(link)));
      await firstValueFrom(client.set$('/w', String(round)));
      await watch.count(round + 1);
    }
    expect(leaders).toEqual([name]);
    expect(events.filter(({ type }) => type === 'leader-change' || type === 'member-down')).toEqual([]);
  });
});
