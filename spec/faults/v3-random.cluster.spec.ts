import { EtcdClient } from 'rxetcd/v3';
import { concat, firstValueFrom, lastValueFrom } from 'rxjs';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { cleanUp } from '../support/jest/clean-up.js';
import { startFaultProxy, type FaultProxy } from '../support/proxies/fault-proxy.js';
import { runSeed, seededRandom, type SeededRandom } from '../support/values/random.js';
import { compactPast } from '../support/v3/watch-bed.js';
import { WatchRecording } from '../support/v3/watch-recording.js';

/*
 * Rounds of faults at random: on the way to the members, of the members, and compaction between. Each has a seed; `FAULT_SEED=...`
 * repeats one, `FAULT_ROUNDS=...` makes as many.
 */
const given = process.env['FAULT_SEED'];
const rounds = Number(process.env['FAULT_ROUNDS'] ?? 3);
const seeds =
  given === undefined ? Array.from({ length: rounds }, (_, i) => Math.abs(runSeed) + i) : [Number(given)];

let cluster: LocalCluster;
const undos: (() => unknown)[] = [];

beforeAll(async () => {
  cluster = await firstValueFrom(startLocalCluster({ partitions: true, flags: ['--enable-v2=false'] }));
});
afterAll(() => lastValueFrom(cluster.down$()));
afterEach(() => cleanUp(undos));

async function startProxies(random: SeededRandom): Promise<FaultProxy[]> {
  const some = (most: number) => (random.int(2) === 0 ? 0 : random.next() * most);
  const probability = {
    drop: some(0.04),
    delay: some(0.1),
    cut: some(0.06),
    reset: some(0.06),
    truncate: some(0.04),
    resetAll: some(0.01),
    silence: some(0.01),
  };
  return Promise.all(
    cluster.endpoints.map(async (endpoint) => {
      const proxy = await firstValueFrom(
        startFaultProxy(endpoint, { random: seededRandom(random.int(2 ** 31)), probability }),
      );
      undos.push(() => firstValueFrom(proxy.close$()));
      return proxy;
    }),
  );
}

/** Something happens to a member, and is made good. */
async function trouble(random: SeededRandom, recording: WatchRecording): Promise<void> {
  const member = await firstValueFrom(cluster.member$(random.pick(['leader', 'follower'] as const)));
  const act = random.pick(['kill', 'stop', 'partition', 'restart'] as const);
  if (act === 'kill') await firstValueFrom(member.kill$());
  if (act === 'stop') await firstValueFrom(member.stop$());
  if (act === 'partition') await firstValueFrom(member.partition$());
  await recording.progress(random.int(60));
  const back$ = act === 'stop' ? member.resume$() : act === 'partition' ? member.heal$() : member.restart$();
  await lastValueFrom(concat(back$, cluster.ready$()));
}

async function play(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const proxies = await startProxies(random);
  const client = new EtcdClient(
    proxies.map(({ url }) => url),
    { discover: false, heartbeat: 300, probeTimeout: 500, timeout: 1_000, deadline: 10_000 },
  );
  undos.push(() => client.close());
  const recording = await WatchRecording.start(client, cluster.endpoints, random.int(2 ** 31));
  undos.push(() => recording.stop());
  for (let step = 0; step < 3; step += 1) {
    await recording.progress(random.int(40));
    if (random.int(2) === 0) await trouble(random, recording);
    if (random.int(2) === 0) {
      const last = await recording.read();
      recording.compacted = last - random.int(20);
      await compactPast(cluster.endpoints[random.int(3)]!, recording.compacted);
    }
  }
  await recording.progress();
  await recording.settle();
  const findings = [...recording.findings(), ...(await recording.resumedFindings())];
  const summary = proxies.map((proxy) => proxy.summary).join(' | ');
  if (findings.length > 0) throw new Error([`FAULT_SEED=${seed}`, ...findings, summary].join('\n'));
}

test.each(seeds)('round %i', (seed) => play(seed));
