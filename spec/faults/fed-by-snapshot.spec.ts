import { EtcdClient } from 'rxetcd';
import { firstValueFrom, forkJoin, lastValueFrom } from 'rxjs';
import { Pool } from 'undici';
import { writeBurst } from '../support/promises/burst-writer.js';
import { cleanUp } from '../support/jest/clean-up.js';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import type { EtcdProcess } from '../support/etcd/etcd-process.js';
import { startHeaderStripper } from '../support/proxies/header-stripper.js';
import { isLost } from '../support/promises/validators.js';
import { WatchLog } from '../support/promises/watch-log.js';

/* A member that was away for few changes of the store, but for many entries of the raft log, is fed by a snapshot all the same. */
const cleanUps: (() => unknown)[] = [];
afterEach(() => cleanUp(cleanUps));

const snapshotsAt = async (url: string) =>
  Number(
    /^etcd_network_snapshot_receive_success\{.*\} (\d+)$/m.exec(
      await (await fetch(`${url}/metrics`)).text(),
    )?.[1] ?? 0,
  );

/** Each is an entry of the raft log, and no change of the store. */
async function readByQuorum(url: string, count: number): Promise<void> {
  const pool = new Pool(url, { connections: 64 });
  let left = count;
  const reader = async () => {
    while ((left -= 1) >= 0) {
      const { body } = await pool.request({ method: 'GET', path: '/v2/keys/?quorum=true' });
      await body.dump();
    }
  };
  await Promise.all(Array.from({ length: 64 }, reader));
  await pool.close();
}

describe.each(['a stream', 'polls, as it sees no headers,'])(
  'by %s a watch at a follower that was stopped',
  (by) => {
    let cluster: LocalCluster;
    let leader: EtcdProcess;
    let follower: EtcdProcess;
    let log: WatchLog;

    beforeEach(async () => {
      cluster = await firstValueFrom(startLocalCluster({ flags: ['--snapshot-count', '100'] }));
      cleanUps.push(() => lastValueFrom(cluster.down$()));
      leader = await firstValueFrom(cluster.leader$());
      follower = cluster.members.find((member) => member !== leader)!;
      const stripper =
        by === 'a stream' ? undefined : await firstValueFrom(startHeaderStripper(follower.clientUrl));
      if (stripper !== undefined) cleanUps.push(() => lastValueFrom(stripper.close$()));
      const client = new EtcdClient({
        endpoints: stripper?.url ?? follower.clientUrl,
        discover: false,
        watchOn: 'any',
        // Its watch stays there: no probe falls into the time.
        heartbeat: 60_000,
      });
      cleanUps.push(() => client.close());
      log = await new WatchLog(client, '/dir').live();
      await log.reach((await write('before', 1))[0]!.index);
      await firstValueFrom(cluster.stop$(follower.index));
    });

    const write = (name: string, count: number) =>
      writeBurst(
        leader.clientUrl,
        Array.from({ length: count }, (_, i) => ({ key: `/dir/${name}${i}`, value: String(i) })),
      );

    /** How many of these are told, or made up for by a resync. */
    async function told(missed: readonly { readonly index: number }[]): Promise<number> {
      await eventually(async () => expect(await snapshotsAt(follower.clientUrl)).toBeGreaterThan(0), {
        within: 20_000,
      });
      await log.reach((await write('after', 1))[0]!.index, { within: 30_000 });
      const resyncs = log.events.filter((event) => event.action === 'resync');
      const isTold = (index: number) =>
        log.events.some((event) => event.index === index) || resyncs.some((resync) => isLost(resync, index));
      return missed.filter(({ index }) => isTold(index)).length;
    }

    it('for 40 changes and 7,500 quorum reads tells of them, or a resync makes up for them', async () => {
      // What is under way to it by now, it gets when it goes on: the changes come when its connection is full.
      await readByQuorum(leader.clientUrl, 1_500);
      const missed = await write('missed', 40);
      await readByQuorum(leader.clientUrl, 6_000);
      await firstValueFrom(cluster.resume$(follower.index));
      expect(await told(missed)).toBe(40);
    });

    it('for 40 changes, after which the others started anew with a log that begins behind these, does so too', async () => {
      const missed = await write('missed', 40);
      await readByQuorum(leader.clientUrl, 300);
      const others = cluster.members.filter((member) => member !== follower);
      for (const member of others) await firstValueFrom(member.kill$());
      await lastValueFrom(forkJoin(others.map((member) => member.restart$())));
      await lastValueFrom(forkJoin(others.map((member) => member.ready$())));
      // It may not lead before it was fed, and there is no other leader without it.
      leader = await firstValueFrom(cluster.leader$());
      await firstValueFrom(cluster.resume$(follower.index));
      expect(await told(missed)).toBe(40);
    });
  },
);
