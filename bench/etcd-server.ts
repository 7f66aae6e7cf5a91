import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { startLocalCluster } from '../spec/support/cluster/local-cluster.js';
import type { EtcdTls } from '../spec/support/etcd/etcd-flags.js';
import type { ProxiedMember } from '../spec/support/middlebox/etcd-fronts.js';
import { v3Server } from './v3/server.js';

export interface EtcdServer {
  readonly origin: string;
  /** The same with TLS; empty without. */
  readonly secureOrigin: string;
  readonly member: ProxiedMember;
  /** How many watchers it holds. */
  watchers(): Promise<number>;
  stop(): Promise<void>;
}

export interface EtcdServerOptions {
  /** Which API is asked. Default 2. */
  readonly api?: 2 | 3;
  readonly tls?: EtcdTls;
}

/**
 * One real etcd with etcd's own timing, until it is stopped.
 *
 * @param place of its data: in memory where there is room (default), or on disk
 */
export async function startEtcd(
  place: 'memory' | 'disk' = 'memory',
  { api = 2, tls }: EtcdServerOptions = {},
): Promise<EtcdServer> {
  const dir = place === 'disk' ? await mkdtemp(join(tmpdir(), 'rxetcd-bench-')) : undefined;
  const { flags = [], ...release } = api === 3 ? v3Server() : {};
  const cluster = await firstValueFrom(
    startLocalCluster({
      ...release,
      size: 1,
      timing: { heartbeat: 100, election: 1_000 },
      flags: dir === undefined ? flags : [...flags, '--data-dir', dir],
      ...(tls && { tls }),
    }),
  );
  const [origin] = cluster.endpoints as [string];
  const member = cluster.members[0]!;
  const text = async (path: string): Promise<string> => (await fetch(origin + path)).text();
  return {
    origin,
    secureOrigin: member.secureUrl,
    member,
    watchers: async () =>
      api === 3
        ? Number(/^etcd_debugging_mvcc_watcher_total (\d+)$/m.exec(await text('/metrics'))?.[1])
        : (JSON.parse(await text('/v2/stats/store')) as { watchers: number }).watchers,
    stop: async () => {
      await lastValueFrom(cluster.down$());
      if (dir !== undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}
