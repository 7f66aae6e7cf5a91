import { EtcdClient } from 'rxetcd';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { writeBurst } from '../support/promises/burst-writer.js';
import { eventually } from '../support/jest/eventually.js';
import { startHeaderStripper, type HeaderStripper } from '../support/proxies/header-stripper.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { ordered, reliable, unique } from '../support/promises/validators.js';
import { WatchLog } from '../support/promises/watch-log.js';

/*
 * A member that fell far behind is fed by a snapshot: its open watches survive, and skip what the snapshot holds. etcd
 * keeps 5,000 entries for members that lag.
 */
let cluster: LocalCluster;
let client: EtcdClient;
let stripper: HeaderStripper | undefined;

beforeEach(async () => {
  cluster = await firstValueFrom(startLocalCluster({ flags: ['--snapshot-count', '100'] }));
});
afterEach(async () => {
  client.close();
  if (stripper !== undefined) await lastValueFrom(stripper.close$());
  await lastValueFrom(cluster.down$());
});

const snapshotsAt = async (url: string) =>
  Number(
    /^etcd_network_snapshot_receive_success\{.*\} (\d+)$/m.exec(
      await (await fetch(`${url}/metrics`)).text(),
    )?.[1] ?? 0,
  );

test.each([['a stream'], ['polls, as it sees no headers,']])(
  'by %s a watch at a member that is fed by a snapshot loses nothing without a word',
  async (by) => {
    const leader = await firstValueFrom(cluster.leader$());
    const follower = cluster.members.find((member) => member !== leader)!;
    if (by !== 'a stream') stripper = await firstValueFrom(startHeaderStripper(follower.clientUrl));
    const dir = stripper === undefined ? '/streamed' : '/polled';
    // It can go nowhere else.
    client = new EtcdClient({
      endpoints: stripper?.url ?? follower.clientUrl,
      discover: false,
      watchOn: 'any',
      heartbeat: 500,
      probeTimeout: 500,
    });
    const log = await new WatchLog(client, dir).live();
    const write = (count: number, round: string) =>
      writeBurst(
        leader.clientUrl,
        // One in four hundred is to be seen.
        Array.from({ length: count }, (_, i) => ({
          key: i % 400 === 0 ? `${dir}/${round}${String(i)}` : `/other/${String(i % 50)}`,
          value: String(i),
        })),
      );
    const before = await write(1, 'before');
    await log.reach(before[0]!.index);

    await firstValueFrom(cluster.stop$(follower.index));
    const missed = await write(8_000, 'missed');
    await firstValueFrom(cluster.resume$(follower.index));
    await eventually(async () => expect(await snapshotsAt(follower.clientUrl)).toBeGreaterThan(0));
    const after = await write(1, 'after');
    await log.reach(after[0]!.index);

    const scope = { key: dir, recursive: true, after: before[0]!.index - 1 };
    const changes = [...before, ...missed, ...after];
    expect([...ordered(log.events), ...unique(log.events), ...reliable(log.events, changes, scope)]).toEqual(
      [],
    );
    // etcd's history begins behind what it missed: it is owned up to.
    expect(log.events.filter(({ action }) => action === 'resync')).toHaveLength(1);
  },
);
