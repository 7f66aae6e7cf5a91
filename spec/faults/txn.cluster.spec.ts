import { concat, firstValueFrom, lastValueFrom } from 'rxjs';
import { isAllNodesDown, isOutcomeUnknown, isRequestTimeout } from '../../lib/errors.js';
import { compare } from '../../lib/v3/api/compare.js';
import { KeysApi } from '../../lib/v3/api/keys.js';
import { KvCalls } from '../../lib/v3/api/kv-calls.js';
import { op } from '../../lib/v3/api/op.js';
import { TxnApi } from '../../lib/v3/api/txn.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { v3Client, type V3UnderTest } from '../support/etcd/v3-under-test.js';
import { rejectionOf } from '../support/jest/rejection.js';

let cluster: LocalCluster;
let client: V3UnderTest;
let keys: KeysApi;
let api: TxnApi;

beforeAll(async () => {
  cluster = await firstValueFrom(startLocalCluster());
  client = v3Client({
    endpoints: cluster.endpoints,
    discover: false,
    heartbeat: 100,
    probeTimeout: 300,
    timeout: 500,
    deadline: 20_000,
    retry: { maxDelay: 200, writes: 'idempotent' },
  });
  const calls = new KvCalls(client);
  [keys, api] = [new KeysApi(calls), new TxnApi(calls)];
});
const resume = async () => {
  const stopped = cluster.members.filter(({ state }) => state === 'stopped');
  await lastValueFrom(concat(...stopped.map((member) => member.resume$()), cluster.ready$()));
};
afterEach(resume);
afterAll(async () => {
  client.core.close();
  await lastValueFrom(cluster.down$());
});

test('transactions with a guard that hang on a stopped leader are made once, also when it comes back with them', async () => {
  const accounts = Array.from({ length: 10 }, (_, i) => `/account/${i}`);
  const revisions = new Map<string, number>();
  for (const account of accounts)
    revisions.set(account, (await firstValueFrom(keys.put$(account, '100'))).info.revision);
  await firstValueFrom(client.core.refreshCluster$());
  const leader = await firstValueFrom(cluster.leader$());
  let hung = 0;
  client.events.events$.subscribe((event) => {
    if (event.type === 'response' && event.operation === 'KV.Txn' && event.error !== undefined) hung += 1;
  });
  const transfers = Promise.allSettled(
    accounts.map((account) =>
      firstValueFrom(
        api.txn$({
          if: [compare.modRevision(account).equals(revisions.get(account)!)],
          then: [op.put(account, '60'), op.put(`/moved${account}`, '40')],
        }),
      ),
    ),
  );
  await firstValueFrom(leader.stop$());
  const results = await transfers;
  await resume();
  // It takes writes again, behind those that it was given before.
  await client.ask('KV', 'Put', { key: Buffer.from('/last') }, leader.clientUrl);
  for (const [i, account] of accounts.entries()) {
    const { kv } = await firstValueFrom(keys.get$(account));
    const { kv: moved } = await firstValueFrom(keys.get$(`/moved${account}`));
    const result = results[i]!;
    if (result.status === 'fulfilled') expect([result.value.succeeded, kv?.value]).toEqual([true, '60']);
    else expect(isOutcomeUnknown(result.reason)).toBe(true);
    // All of it, or nothing.
    expect([kv?.version, moved?.version]).toEqual(kv?.value === '60' ? [2, 1] : [1, undefined]);
  }
  expect(hung).toBeGreaterThan(0);
});

test('comparisons alone are no answer of a member that has no majority behind it, unless that is wanted', async () => {
  await firstValueFrom(keys.put$('/there', 'x'));
  const [one, ...others] = cluster.members;
  await lastValueFrom(concat(...others.map((member) => member.stop$())));
  const alone = v3Client({ endpoints: one!.clientUrl, discover: false, heartbeat: 100, deadline: 3_000 });
  const there = { if: [compare.value('/there').equals('x')] };
  try {
    const local$ = new TxnApi(new KvCalls(alone)).txn$(there, { serializable: true });
    expect((await firstValueFrom(local$)).succeeded).toBe(true);
    const nested$ = new TxnApi(new KvCalls(alone)).txn$({ then: [op.txn({})] }, { serializable: true });
    for (const call$ of [new TxnApi(new KvCalls(alone)).txn$(there), nested$]) {
      const error = await rejectionOf(call$);
      expect(isAllNodesDown(error) || isRequestTimeout(error)).toBe(true);
    }
    // Asked of the member itself, as it comes.
    const compared = {
      key: Buffer.from('/there'),
      target: 'VALUE',
      result: 'EQUAL',
      value: Buffer.from('x'),
    } as const;
    const { answer } = await alone.ask('KV', 'Txn', { compare: [compared] }, one!.clientUrl);
    expect(answer.succeeded).toBe(true);
  } finally {
    alone.core.close();
  }
});
