import { firstValueFrom } from 'rxjs';
import type { LocalCluster } from './local-cluster.js';
import { eventually } from '../jest/eventually.js';
import type { EtcdProcess } from '../etcd/etcd-process.js';

/** Has the leader hand its office to another member, as `etcdctl move-leader` does; resolves with who leads then. */
export async function moveLeader(
  cluster: LocalCluster,
): Promise<{ before: EtcdProcess; after: EtcdProcess }> {
  const before = await firstValueFrom(cluster.leader$());
  const target = cluster.members.find((member) => member !== before && member.state === 'running')!;
  const { id } = (await (await fetch(`${target.clientUrl}/v2/stats/self`)).json()) as { id: string };
  const body = JSON.stringify({ targetID: BigInt(`0x${id}`).toString() });
  // The v3 API of the gateway: v2 has no such call.
  const answer = await fetch(`${before.clientUrl}/v3/maintenance/transfer-leadership`, {
    method: 'POST',
    body,
  });
  if (!answer.ok) throw new Error(`${before.name} does not move: ${await answer.text()}`);
  const after = await eventually(async () => {
    const leader = await firstValueFrom(cluster.leader$());
    if (leader === before) throw new Error(`${before.name} still leads`);
    return leader;
  });
  return { before, after };
}
