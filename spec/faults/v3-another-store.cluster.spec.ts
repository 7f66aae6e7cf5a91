import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EtcdClient } from 'rxetcd/v3';
import { concat, firstValueFrom, forkJoin, lastValueFrom } from 'rxjs';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { etcdctl } from '../support/etcd/etcdctl.js';
import { cleanUp } from '../support/jest/clean-up.js';
import { eventually } from '../support/jest/eventually.js';
import { startTcpProxy } from '../support/proxies/tcp-proxy.js';
import { acceptAgain } from '../support/proxies/write-tap.js';
import { runSeed } from '../support/values/random.js';
import { mark } from '../support/v3/store-history.js';
import { WatchRecording } from '../support/v3/watch-recording.js';

/* A cluster that is put back to a snapshot, as the one that it was, or as another one at the same place. */

/** Replaces what every member holds by a snapshot, while all of them are down. */
async function restore({ members }: LocalCluster, snapshot: string, token: string): Promise<void> {
  const initial = members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
  for (const { name, peerUrl, dataDir } of members) {
    rmSync(dataDir, { recursive: true });
    const self = ['--name', name, '--initial-advertise-peer-urls', peerUrl, '--data-dir', dataDir];
    const all = ['--initial-cluster', initial, '--initial-cluster-token', token];
    await etcdctl('', ['snapshot', 'restore', snapshot, ...self, ...all]);
  }
}

test.concurrent.each([
  ['restored', 'as the cluster that it was', 'etcd-cluster', 0],
  ['restored', 'as the cluster that it was, and goes on beyond what it had been', 'etcd-cluster', 300],
  ['rebuilt', 'as another cluster', 'another-cluster', 0],
  ['rebuilt', 'as another cluster, and goes on beyond what the former had been', 'another-cluster', 300],
])('%s: a cluster that comes back from a snapshot %s', async (reason, _, token, ahead) => {
  const undos: (() => unknown)[] = [];
  try {
    const flags = ['--enable-v2=false'];
    const cluster = await firstValueFrom(startLocalCluster({ flags }));
    undos.push(() => lastValueFrom(cluster.down$()));
    const proxies = await Promise.all(cluster.endpoints.map((url) => firstValueFrom(startTcpProxy(url))));
    undos.push(() => lastValueFrom(forkJoin(proxies.map((proxy) => proxy.close$()))));
    const endpoints = proxies.map(({ url }) => url);
    const settings = { discover: false, heartbeat: 500, probeTimeout: 500, timeout: 3_000 };
    const client = new EtcdClient(endpoints, settings);
    undos.push(() => client.close());
    const recording = await WatchRecording.start(client, cluster.endpoints, runSeed);
    undos.push(() => recording.stop());
    await recording.progress();
    const snapshot = join(
      dirname(cluster.members[0]!.dataDir),
      `${recording.root.slice(0, -1)}-snapshot-${process.pid}`,
    );
    undos.push(() => rmSync(snapshot, { force: true }));
    await etcdctl(cluster.endpoints[0]!, ['snapshot', 'save', snapshot]);
    await recording.progress(100);
    await recording.settle();

    proxies.forEach((proxy) => {
      proxy.refuse();
      proxy.reset();
    });
    await firstValueFrom(cluster.killAll$());
    await restore(cluster, snapshot, token);
    await lastValueFrom(concat(cluster.restartAll$(), cluster.ready$()));
    for (let i = 0; i < ahead; i += 1) await mark(cluster.endpoints, `${recording.root}ahead`, String(i));
    await Promise.all(proxies.map((proxy) => acceptAgain(proxy)));
    recording.next();
    await eventually(() =>
      recording.watches.every(({ events }) => events.some(({ type }) => type === 'resync')),
    );
    await recording.progress();
    await recording.settle();
    for (const { events } of recording.watches)
      expect(events.filter(({ type }) => type === 'resync')).toMatchObject([{ reason, lost: { reason } }]);
    expect(recording.findings()).toEqual([]);
    const leader = await firstValueFrom(cluster.leader$());
    await eventually(() => client.clusterState$.value.leader?.name === leader.name);
  } finally {
    await cleanUp(undos);
  }
});
