import { EtcdClient } from 'rxetcd';
import { concat, firstValueFrom, lastValueFrom } from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import { freePorts } from '../support/ports/free-port.js';
import { startLocalCluster, type Advertise, type LocalCluster } from '../support/cluster/local-cluster.js';
import { Recording } from '../support/promises/recording.js';
import { WatchLog } from '../support/promises/watch-log.js';

/* What members advertise is often wrong behind compose, NAT or a proxy; the configured endpoints are right. */
const options = { heartbeat: 300, connectTimeout: 500, probeTimeout: 500, timeout: 3_000 };

let cluster: LocalCluster;
let strangers: LocalCluster;
const clients: EtcdClient[] = [];
const open = (endpoints: string | readonly string[]): EtcdClient => {
  const client = new EtcdClient(endpoints, options);
  clients.push(client);
  return client;
};

beforeAll(async () => {
  strangers = await firstValueFrom(startLocalCluster({ size: 1 }));
});
afterAll(() => lastValueFrom(strangers.down$()));
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await lastValueFrom(cluster.down$());
});

/** The store's index of the other cluster, which only somebody who writes there moves. */
async function strangersIndex(): Promise<string | null> {
  return (await fetch(`${strangers.endpoints[0]!}/v2/keys/`)).headers.get('x-etcd-index');
}

const cases: [string, () => Advertise | Promise<Advertise>][] = [
  ['0.0.0.0', () => (ownUrl) => ownUrl.replace('127.0.0.1', '0.0.0.0')],
  ["a container's name", () => (_, index) => `http://etcd-node${index + 1}.invalid:2379`],
  [
    'a port where nobody listens',
    async () => {
      const ports = await firstValueFrom(freePorts(3));
      return (_, index) => `http://127.0.0.1:${ports[index]!}`;
    },
  ],
  ['a member of another cluster', () => () => strangers.endpoints[0]!],
];

describe.each(cases)('members that advertise %s', (_, advertise) => {
  it('are read, written, watched and followed through a failover at the configured endpoints', async () => {
    cluster = await firstValueFrom(startLocalCluster({ advertise: await advertise() }));
    const foreign = await strangersIndex();
    const client = open(cluster.endpoints);
    const recording = new Recording(client, cluster.endpoints);
    await recording.progress();
    const { members, hasQuorum, leader } = client.clusterState$.value;
    const first = await firstValueFrom(cluster.leader$());
    expect({ names: members.map(({ name }) => name), hasQuorum, leader: leader?.name }).toEqual({
      names: ['etcd1', 'etcd2', 'etcd3'],
      hasQuorum: true,
      leader: first.name,
    });
    expect(members.map(({ status }) => status)).toEqual(['running', 'running', 'running']);

    const killed = await firstValueFrom(cluster.kill$('leader'));
    await recording.progress();
    const second = await firstValueFrom(cluster.leader$());
    await eventually(() => {
      const state = client.clusterState$.value;
      if (state.leader?.name !== second.name) throw new Error(state.toString());
      return state.members.find(({ name }) => name === killed.name)?.status === 'down';
    });
    await lastValueFrom(concat(cluster.restart$(killed.index), cluster.ready$()));
    await eventually(() => client.clusterState$.value.members.every(({ status }) => status === 'running'));

    const stored = await recording.finish();
    expect(recording.findings(stored)).toEqual([]);
    // Nothing of it went elsewhere.
    const asked = [...recording.events.map(({ info }) => info.endpoint)];
    expect(asked.filter((url) => strangers.endpoints.includes(url))).toEqual([]);
    await expect(strangersIndex()).resolves.toBe(foreign);
  });
});

describe('the only endpoint of a client', () => {
  it('serves it through a failover, though what it advertises leads nowhere', async () => {
    cluster = await firstValueFrom(
      startLocalCluster({ advertise: (_, index) => `http://etcd-node${index + 1}.invalid:2379` }),
    );
    const leader = await firstValueFrom(cluster.leader$());
    const [door, other] = cluster.members.filter((member) => member !== leader);
    const client = open(door!.clientUrl);
    const log = await new WatchLog(client, '/door').live();
    await firstValueFrom(client.set$('/door', 'before'));
    await firstValueFrom(leader.kill$());
    await firstValueFrom(cluster.leader$());
    await firstValueFrom(client.set$('/door', 'after'));
    await expect(firstValueFrom(client.getValue$('/door', { quorum: true }))).resolves.toBe('after');
    await log.count(2);
    expect(log.lines).toEqual(['set /door=before', 'set /door=after']);
    log.unsubscribe();
    expect(client.clusterState$.value.hasQuorum).toBe(true);
    expect(other!.state).toBe('running');
  });
});
