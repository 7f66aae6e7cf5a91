import { EtcdClient, isTlsError, type ClientOptions } from 'rxetcd';
import { concat, filter, firstValueFrom, lastValueFrom } from 'rxjs';
import { startComposeCluster, type ComposeCluster } from '../support/compose/compose-cluster.js';
import { rejectionOf } from '../support/jest/rejection.js';
import { WatchLog } from '../support/promises/watch-log.js';

let cluster: ComposeCluster;
const clients: EtcdClient[] = [];

afterEach(async () => {
  clients.splice(0).forEach((client) => client.close());
  await firstValueFrom(cluster.down$());
});

function connect(options: ClientOptions = {}): EtcdClient {
  const client = new EtcdClient({ endpoints: cluster.endpoints, ...options });
  clients.push(client);
  return client;
}

/** Writes and sees it by a watch. */
async function works(client: EtcdClient): Promise<void> {
  const watch = await new WatchLog(client, '/app').live();
  await firstValueFrom(client.set$('/app/colour', 'blue'));
  await watch.count(1);
  expect(watch.lines).toEqual(['set /app/colour=blue']);
  watch.unsubscribe();
}

/** The names of all members once each of them runs. */
async function whole(client: EtcdClient): Promise<string[]> {
  const isWhole$ = client.clusterState$.pipe(
    filter(({ leader, members }) => leader !== undefined && members.every((m) => m.status === 'running')),
  );
  return (await firstValueFrom(isWhole$)).members.map(({ name }) => name);
}

test('one node, which keeps its data', async () => {
  cluster = await firstValueFrom(startComposeCluster('one-node'));
  const client = connect();
  await works(client);
  expect(await whole(client)).toEqual(['etcd']);
  await lastValueFrom(concat(cluster.kill$(0), cluster.restart$(0), cluster.ready$()));
  expect(await firstValueFrom(client.getValue$('/app/colour'))).toBe('blue');
});

test('three nodes with TLS, for those who show a certificate', async () => {
  cluster = await firstValueFrom(startComposeCluster('three-nodes-tls'));
  const { tls } = cluster.members[0]!;
  const client = connect({ tls });
  await works(client);
  expect(await whole(client)).toEqual(['etcd1', 'etcd2', 'etcd3']);
  const peerURLs = (await firstValueFrom(client.members.list$())).flatMap((member) => member.peerURLs);
  expect(peerURLs.sort()).toEqual([1, 2, 3].map((n) => `https://peer${n}:2380`));

  const stranger = connect({ tls: { ca: tls?.ca }, deadline: 5_000 });
  expect(isTlsError(await rejectionOf(stranger.get$('/app/colour')))).toBe(true);

  const killed = await firstValueFrom(cluster.kill$('leader'));
  const leader = await firstValueFrom(cluster.leader$());
  expect(leader).not.toBe(killed);
  expect(await firstValueFrom(client.getValue$('/app/colour', { quorum: true }))).toBe('blue');
});
