import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { startLocalCluster } from '../spec/support/cluster/local-cluster.js';
import type { ProxiedMember } from '../spec/support/middlebox/etcd-fronts.js';

export interface EtcdServer {
  readonly origin: string;
  readonly member: ProxiedMember;
  /** How many watchers it holds. */
  watchers(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * One real etcd with etcd's own timing, until it is stopped.
 *
 * @param place of its data: in memory where there is room (default), or on disk
 */
export async function startEtcd(place: 'memory' | 'disk' = 'memory'): Promise<EtcdServer> {
  const dir = place === 'disk' ? await mkdtemp(join(tmpdir(), 'rxetcd-bench-')) : undefined;
  const cluster = await firstValueFrom(
    startLocalCluster({
      size: 1,
      timing: { heartbeat: 100, election: 1_000 },
      flags: dir === undefined ? [] : ['--data-dir', dir],
    }),
  );
  const [origin] = cluster.endpoints as [string];
  const member = cluster.members[0]!;
  return {
    origin,
    member,
    watchers: async () => {
      const answer = await fetch(`${origin}/v2/stats/store`);
      return ((await answer.json()) as { watchers: number }).watchers;
    },
    stop: async () => {
      await lastValueFrom(cluster.down$());
      if (dir !== undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}
