import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EtcdClient } from 'rxetcd/v3';
import { concat, firstValueFrom, lastValueFrom } from 'rxjs';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { etcdctl } from '../support/etcd/etcdctl.js';
import { cleanUp } from '../support/jest/clean-up.js';
import { eventually } from '../support/jest/eventually.js';
import { runSeed } from '../support/values/random.js';
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
  ['restored', 'as the cluster that it was', 'etcd-cluster'],
  ['rebuilt', 'as another cluster', 'another-cluster'],
])('%s: a cluster that comes back from a snapshot %s', async (reason, _, token) => {
  const undos: (() => unknown)[] = [];
  try {
    const flags = ['--enable-v2=false'];
    const cluster = await firstValueFrom(startLocalCluster({ flags }));
    undos.push(() => lastValueFrom(cluster.down$()));
    const client = new EtcdClient(cluster.endpoints, { heartbeat: 500, probeTimeout: 500, timeout: 3_000 });
    undos.push(() => client.close());
    const recording = await WatchRecording.start(client, cluster.endpoints, runSeed);
    undos.push(() => recording.stop());
    await recording.progress();
    const snapshot = join(dirname(cluster.members[0]!.dataDir), `rxetcd-snapshot-${reason}-${process.pid}`);
    undos.push(() => rmSync(snapshot, { force: true }));
    await etcdctl(cluster.endpoints[0]!, ['snapshot', 'save', snapshot]);
    await recording.progress(100);
    await recording.settle();

    await firstValueFrom(cluster.killAll$());
    await restore(cluster, snapshot, token);
    await lastValueFrom(concat(cluster.restartAll$(), cluster.ready$()));
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
