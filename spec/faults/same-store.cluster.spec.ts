import { EtcdClient, type WatchEvent } from 'rxetcd';
import { filter, firstValueFrom, lastValueFrom, type Subscription } from 'rxjs';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { moveLeader } from '../support/cluster/move-leader.js';
import { cleanUp } from '../support/jest/clean-up.js';
import { eventually } from '../support/jest/eventually.js';
import { WatchLog } from '../support/promises/watch-log.js';

/*
 * What is no other store: members that lag, start anew or hand over their office while others write 100 keys a second. No watch tells of
 * a resync, and a quiet one asks no more than is needed.
 */
const undos: (() => unknown)[] = [];
let cluster: LocalCluster;

beforeEach(async () => {
  cluster = await firstValueFrom(startLocalCluster());
  undos.push(() => lastValueFrom(cluster.down$()));
});
afterEach(() => cleanUp(undos));

function open(options: ConstructorParameters<typeof EtcdClient>[1]): EtcdClient {
  const client = new EtcdClient(cluster.endpoints, { heartbeat: 300, probeTimeout: 500, ...options });
  undos.push(() => client.close());
  return client;
}

/** Foreign writes, 100 a second, whoever is there to take them; every tenth is to be seen. */
function writeOn(): { readonly written: readonly number[]; readonly count: number; stop(): void } {
  const client = open({ timeout: 1_000 });
  const written: number[] = [];
  let n = 0;
  const writes: Subscription[] = [];
  const clock = setInterval(() => {
    n += 1;
    const isSeen = n % 10 === 0;
    writes.push(
      client.set$(isSeen ? `/dir/k${n % 7}` : `/other/k${n % 50}`, String(n)).subscribe({
        next: ({ node }) => isSeen && written.push(node.modifiedIndex!),
        error: () => undefined,
      }),
    );
  }, 10);
  const stop = () => clearInterval(clock);
  undos.push(() => {
    stop();
    for (const write of writes) write.unsubscribe();
  });
  return {
    written,
    get count() {
      return n;
    },
    stop,
  };
}

const resyncs = (events: readonly WatchEvent[]) => events.filter(({ action }) => action === 'resync');

it.each(['leader', 'any'] as const)(
  'watchOn: %s: elections, restarts and pauses make no resync',
  async (watchOn) => {
    const client = open({ watchOn });
    const logs = [await new WatchLog(client, '/dir').live(), await new WatchLog(client, '/quiet').live()];
    const { written, stop } = writeOn();
    for (let round = 0; round < 2; round += 1) {
      await moveLeader(cluster);
      const stopped = await firstValueFrom(cluster.stop$('follower'));
      const { length } = written;
      await eventually(() => written.length >= length + 10, { within: 20_000 });
      await firstValueFrom(stopped.resume$());
      const killed = await firstValueFrom(cluster.kill$(round === 0 ? 'follower' : 'leader'));
      await eventually(() => written.length >= length + 20, { within: 20_000 });
      await firstValueFrom(killed.restart$());
      await firstValueFrom(cluster.ready$());
    }
    stop();
    await eventually(() => written.every((index) => logs[0]!.events.some((event) => event.index === index)), {
      within: 20_000,
    });
    expect(logs.map(({ events }) => resyncs(events).length)).toEqual([0, 0]);
  },
  120_000,
);

it('a quiet watch at a follower asks nothing of it but where the store is; each event costs it one poll', async () => {
  const leader = await firstValueFrom(cluster.leader$());
  const follower = cluster.members.find((member) => member !== leader)!;
  const client = new EtcdClient({ endpoints: follower.clientUrl, discover: false, watchOn: 'any' });
  undos.push(() => client.close());
  let polls = 0;
  client.events$
    .pipe(filter((event) => event.type === 'request' && event.operation === 'watch'))
    .subscribe(() => (polls += 1));
  const log = await new WatchLog(client, '/quiet').live();
  const standing = polls;
  const foreign = writeOn();
  await eventually(() => foreign.count >= 1_000, { within: 40_000 });
  const quiet = polls - standing;
  const writer = open({});
  for (let i = 0; i < 5; i += 1)
    await log.reach((await firstValueFrom(writer.set$('/quiet/k', String(i)))).node.modifiedIndex);
  foreign.stop();
  // It is armed anew when the store is 250 ahead, or 15 s have passed.
  expect(quiet).toBeLessThanOrEqual(6);
  expect(polls - standing - quiet).toBeLessThanOrEqual(5 + 2);
  expect(resyncs(log.events)).toEqual([]);
}, 60_000);
