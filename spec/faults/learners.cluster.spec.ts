import { EtcdClient, type ClientEvent, type WatchEvent } from 'rxetcd/v3';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { etcdctl } from '../support/etcd/etcdctl.js';
import type { EtcdProcess } from '../support/etcd/etcd-process.js';
import { joiningMember } from '../support/cluster/joining-member.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { eventually } from '../support/jest/eventually.js';

/* A member is added as a learner, started, and promoted, by etcdctl; a client finds it, another one has it configured. */

const options = { heartbeat: 200, probeTimeout: 500, timeout: 3_000 };
let cluster: LocalCluster;
let joining: EtcdProcess;
let id: string;
const clients: EtcdClient[] = [];
const open = (...endpoints: string[]): EtcdClient => {
  const client = new EtcdClient(endpoints, options);
  client.clusterState$.subscribe();
  clients.push(client);
  return client;
};
const memberIn = ({ clusterState$ }: EtcdClient) => clusterState$.value.members.find((m) => m.id === id);
/** Each endpoint that is asked for something, probes apart. */
function asked(client: EtcdClient): { endpoint: string }[] {
  const log: { endpoint: string }[] = [];
  client.events$.subscribe((event: ClientEvent) => {
    if (event.type === 'request' && event.operation !== 'probe') log.push(event);
  });
  return log;
}

beforeAll(async () => {
  // Else etcd lets nobody in or out in its first five seconds.
  cluster = await firstValueFrom(startLocalCluster({ flags: ['--strict-reconfig-check=false'] }));
  joining = await firstValueFrom(joiningMember(cluster.members));
});
afterAll(async () => {
  for (const client of clients) client.close();
  await firstValueFrom(joining.terminate$());
  await lastValueFrom(cluster.down$());
});

test('a learner is added, started and promoted', async () => {
  const finder = open(cluster.endpoints[0]!, cluster.endpoints[1]!);
  await eventually(() => finder.clusterState$.value.leader !== undefined);
  const args = ['member', 'add', joining.name, '--learner', '--peer-urls', joining.peerUrl];
  const [added = ''] = await etcdctl(cluster.endpoints[0]!, args);
  [, id = ''] = /^Member +(\w+) added/.exec(added) ?? [];

  // Not started: nobody can have reached it.
  await eventually(() => memberIn(finder)?.status === 'unknown');
  expect(memberIn(finder)).toMatchObject({ name: '', isLearner: true });
  expect(finder.clusterState$.value.hasQuorum).toBe(true);

  await lastValueFrom(joining.start$());
  await eventually(() => memberIn(finder)?.status === 'running');
  expect(memberIn(finder)).toMatchObject({ name: joining.name, isLearner: true, isLeader: false });
  expect(finder.endpoints).toContain(joining.clientUrl);
  expect(finder.clusterState$.value.members).toHaveLength(4);

  // Who has it among its endpoints, first of all and before anything is known, is served by the others.
  const knower = open(joining.clientUrl, ...cluster.endpoints);
  const cold = new EtcdClient([joining.clientUrl, ...cluster.endpoints], { ...options, discover: false });
  clients.push(cold);
  const requests = [finder, knower].map(asked);
  const watched: WatchEvent[] = [];
  for (const client of [finder, knower, cold]) client.watch$('/k').subscribe((event) => watched.push(event));
  await eventually(() => knower.clusterState$.value.leader !== undefined);
  for (let i = 0; i < 10; i += 1)
    for (const client of [finder, knower, cold]) {
      await firstValueFrom(client.put$('/k', String(i)));
      await firstValueFrom(client.get$('/k'));
      await firstValueFrom(client.get$('/k', { serializable: true }));
    }
  await eventually(() => watched.length >= 60);
  expect(requests.every(({ length }) => length >= 30)).toBe(true);
  expect(requests.flat().map(({ endpoint }) => endpoint)).not.toContain(joining.clientUrl);

  // Two of the three that vote stand: the learner is not missed, and does not help.
  const follower = await firstValueFrom(cluster.kill$('follower'));
  await eventually(() => knower.clusterState$.value.members.some(({ status }) => status === 'down'));
  await firstValueFrom(knower.put$('/k', 'two of three'));
  expect(knower.clusterState$.value.hasQuorum).toBe(true);
  await firstValueFrom(cluster.restart$(follower.index));
  await firstValueFrom(cluster.ready$());

  // etcd promotes it once it is in sync.
  await eventually(() => etcdctl(cluster.endpoints[0]!, ['member', 'promote', id]).catch(() => undefined));
  await eventually(() =>
    clients.every((client) => client === cold || memberIn(client)?.isLearner === undefined),
  );
  await eventually(() => memberIn(knower)?.status === 'running');
  // Of four it takes three: the new one is needed now, and is asked like all others.
  await firstValueFrom(cluster.kill$(follower.index));
  await firstValueFrom(finder.put$('/k', 'three of four'));
  await eventually(async () => {
    const { info } = await firstValueFrom(open(joining.clientUrl).get$('/k', { serializable: true }));
    return info.endpoint === joining.clientUrl;
  });
  expect(finder.clusterState$.value.hasQuorum).toBe(true);
});
