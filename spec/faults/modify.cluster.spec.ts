import { concat, firstValueFrom, lastValueFrom } from 'rxjs';
import { ConditionalApi } from '../../lib/v3/api/conditional.js';
import { KeysApi } from '../../lib/v3/api/keys.js';
import { KvCalls } from '../../lib/v3/api/kv-calls.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { v3Client, type V3UnderTest } from '../support/etcd/v3-under-test.js';

let cluster: LocalCluster;
let client: V3UnderTest;
let keys: KeysApi;
let writes: ConditionalApi;

beforeAll(async () => {
  cluster = await firstValueFrom(startLocalCluster());
  client = v3Client({
    endpoints: cluster.endpoints,
    discover: false,
    heartbeat: 100,
    probeTimeout: 300,
    timeout: 500,
    deadline: 20_000,
    retry: { maxDelay: 200 },
  });
  const calls = new KvCalls(client);
  [keys, writes] = [new KeysApi(calls), new ConditionalApi(calls)];
});
afterAll(async () => {
  client.core.close();
  const stopped = cluster.members.filter(({ state }) => state === 'stopped');
  await lastValueFrom(concat(...stopped.map((member) => member.resume$()), cluster.down$()));
});

test('commits that hang on a stopped leader are made once, also when it comes back with them', async () => {
  const counters = Array.from({ length: 10 }, (_, i) => `/counter/${i}`);
  for (const counter of counters) await firstValueFrom(keys.put$(counter, '1'));
  await firstValueFrom(client.core.refreshCluster$());
  const leader = await firstValueFrom(cluster.leader$());
  const commits = new Set<string>();
  let hung = 0;
  client.events.events$.subscribe((event) => {
    if (event.type === 'response' && event.operation === 'KV.Txn' && event.error !== undefined) hung += 1;
  });
  const results = await Promise.allSettled(
    counters.map((counter) =>
      firstValueFrom(
        writes.modify$(counter, (kv) => {
          // It has answered all reads, or will answer none; what is made of them goes to it.
          if (commits.size === 0) leader.stop$().subscribe();
          commits.add(counter);
          return String(Number(kv?.value) + 1);
        }),
      ),
    ),
  );
  await firstValueFrom(leader.resume$());
  await firstValueFrom(cluster.ready$());
  // It takes writes again, behind those that it was given before.
  await client.ask('KV', 'Put', { key: Buffer.from('/last') }, leader.clientUrl);
  for (const [i, counter] of counters.entries()) {
    const { kv } = await firstValueFrom(keys.get$(counter));
    expect([counter, kv?.value, kv?.version]).toEqual([counter, '2', 2]);
    expect(results[i]).toMatchObject({ status: 'fulfilled', value: { changed: true, kv: { value: '2' } } });
  }
  expect(hung).toBeGreaterThan(0);
});
