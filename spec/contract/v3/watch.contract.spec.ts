import { firstValueFrom } from 'rxjs';
import { startLocalCluster } from '../../support/cluster/local-cluster.js';
import { eventually } from '../../support/jest/eventually.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';
import { acceptAgain } from '../../support/proxies/write-tap.js';
import { compactPast, deletePast, gatewayCall, putPast, watchBed } from '../../support/v3/watch-bed.js';

const server = serverUnderTest();
let bed: ReturnType<typeof watchBed>;
let key: string;
const put = (name: string, value: string) => putPast(server.url, name, value);
/** The watchers that the server holds, of v3. */
const watchers = async () => {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^etcd_debugging_mvcc_watcher_total (\d+)$/m.exec(metrics)?.[1]);
};

beforeEach(() => {
  bed = watchBed(server.version, { endpoints: server.url });
  server.afterwards(() => bed.close());
  key = server.key();
});

test('changes of a key, from now on', async () => {
  await put(key, 'before');
  const log = await bed.watch(key).live();
  const first = await put(key, '1');
  await put(`${key}/below`, 'other');
  await deletePast(server.url, key);
  await log.until('delete');
  expect(log.lines).toEqual([`put ${key}=1@${first}`, `delete ${key}@${first + 2}`]);
});

test('a prefix; all changes of one transaction together, the last of them marked', async () => {
  const log = await bed.watch({ prefix: `${key}/` }).live();
  const puts = ['a', 'b', 'c'].map((name) => ({
    request_put: { key: btoa(`${key}/${name}`), value: btoa(name) },
  }));
  await gatewayCall(server.url, 'kv/txn', { success: puts });
  await log.until(`put ${key}/c`);
  expect(new Set(log.events.map(({ revision }) => revision)).size).toBe(1);
  expect(log.events.map((event) => 'last' in event && event.last)).toEqual([false, false, true]);
});

test('a thousand watches share one stream, and each is told its own', async () => {
  const logs = Array.from({ length: 1_000 }, (_, i) => bed.watch(`${key}/${i}`));
  await Promise.all(logs.map((log) => log.live()));
  expect(bed.opened).toEqual(['open']);
  expect(await watchers()).toBeGreaterThanOrEqual(1_000);
  for (const i of [0, 499, 999]) await put(`${key}/${i}`, 'v');
  for (const i of [0, 499, 999]) await logs[i]!.until(`put ${key}/${i}=v`);
  expect(logs.reduce((sum, { lines }) => sum + lines.length, 0)).toBe(3);
  logs.forEach((log) => log.stop());
  await eventually(async () => (await watchers()) === 0);
});

test.each([false, true])('from a revision on, with a request of its own for each: %s', async (alone) => {
  bed.openBodies = !alone;
  const revisions: number[] = [];
  for (let i = 0; i < 20; i += 1) revisions.push(await put(key, String(i)));
  const log = bed.watch(key, { from: revisions[5]! });
  await log.until(`put ${key}=19`);
  expect(log.lines).toEqual(revisions.slice(5).map((revision, i) => `put ${key}=${i + 5}@${revision}`));
  await put(key, 'next');
  await log.until(`put ${key}=next`);
  expect(new Set(bed.opened)).toEqual(new Set([alone ? 'closed' : 'open']));
});

test('a watch that is far behind and has nothing to be told stands after a few streams', async () => {
  const other = await bed.watch(`${key}/other`).live();
  const from = (await put(`${key}/elsewhere`, '')) + 1;
  for (let i = 0; i < 1_100; i += 1) await put(`${key}/elsewhere`, '');
  const latest = await bed.watch(`${key}/latest`).live();
  const log = await bed.watch(key, { from }).live();
  expect(bed.opened.length).toBeLessThanOrEqual(2);
  await put(key, 'first');
  await log.until(`put ${key}=first`);
  [other, latest].forEach((one) => one.stop());
});

test('a watch is live once it was told its past', async () => {
  const from = await put(key, 'first');
  for (let i = 0; i < 2_500; i += 1) await put(key, '');
  await put(`${key}/elsewhere`, '');
  const log = await bed.watch(key, { from }).live();
  expect(log.lines).toHaveLength(2_501);
});

test('the state first, then what follows, each change once', async () => {
  await put(`${key}/a`, '1');
  await put(`${key}/b`, '2');
  const log = bed.watch({ prefix: `${key}/` }, { initial: true });
  await log.until('sync');
  await put(`${key}/a`, '3');
  await log.until(`put ${key}/a=3`);
  expect(log.lines.map((line) => line.split('@')[0])).toEqual([
    `sync ${key}/a=1 ${key}/b=2`,
    `put ${key}/a=3`,
  ]);
});

test('a state of many pages is that of one revision', async () => {
  for (let i = 0; i < 25; i += 1) {
    const puts = Array.from({ length: 100 }, (_, j) => ({
      request_put: { key: btoa(`${key}/${String(i * 100 + j).padStart(5, '0')}`), value: btoa('v') },
    }));
    await gatewayCall(server.url, 'kv/txn', { success: puts });
  }
  const log = bed.watch({ prefix: `${key}/` }, { initial: true });
  await log.until('sync');
  const [sync] = log.events;
  expect(sync?.type === 'sync' && new Set(sync.kvs.map((kv) => kv.key)).size).toBe(2_500);
});

test('what was before, and one kind of events alone, if that is asked for', async () => {
  const puts = await bed.watch(key, { prevKv: true, only: 'put' }).live();
  const deletes = await bed.watch(key, { prevKv: true, only: 'delete' }).live();
  await put(key, '1');
  await put(key, '2');
  await deletePast(server.url, key);
  await put(key, '3');
  await puts.until(`put ${key}=3`);
  await deletes.until('delete');
  expect(puts.events.map((event) => event.type === 'put' && event.prevKv?.value)).toEqual([
    undefined,
    '1',
    undefined,
  ]);
  expect(deletes.events).toMatchObject([{ type: 'delete', key, prevKv: { value: '2' } }]);
});

describe('a connection that breaks', () => {
  const cut = async (meanwhile: () => Promise<unknown>) => {
    const proxy = await server.proxy();
    bed.endpoint = proxy.url;
    const log = await bed.watch(key).live();
    await put(key, 'first');
    await log.until(`put ${key}=first`);
    proxy.refuse();
    proxy.reset();
    await meanwhile();
    await eventually(async () => {
      await new Promise<void>((resolve, reject) => {
        proxy.accept$().subscribe({ next: () => resolve(), error: reject });
      });
      return true;
    });
    return log;
  };

  test('nothing is lost, nothing told twice', async () => {
    const log = await cut(async () => {
      for (let i = 0; i < 50; i += 1) await put(key, String(i));
    });
    await put(key, 'last');
    await log.until(`put ${key}=last`);
    expect(log.lines.map((line) => line.split('@')[0])).toEqual(
      ['first', ...Array.from({ length: 50 }, (_, i) => String(i)), 'last'].map((v) => `put ${key}=${v}`),
    );
  });

  test('what was compacted meanwhile is made up for by the state, and told', async () => {
    const log = await cut(async () => {
      await put(key, 'lost');
      await compactPast(server.url, await put(key, 'there'));
    });
    await log.until('resync');
    await put(key, 'last');
    await log.until(`put ${key}=last`);
    expect(log.lines.map((line) => line.split('@')[0])).toEqual([
      `put ${key}=first`,
      `resync compacted ${key}=there`,
      `put ${key}=last`,
    ]);
    const [first, resync] = log.events;
    expect(resync).toMatchObject({ lost: { reason: 'compacted', from: first!.revision + 1 } });
  });

  test.each([
    ['a delete', () => deletePast(server.url, key)],
    [
      'a transaction that begins with a delete',
      () =>
        gatewayCall(server.url, 'kv/txn', {
          success: [
            { request_delete_range: { key: btoa(key) } },
            { request_put: { key: btoa(`${key}/kept`), value: '' } },
          ],
        }),
    ],
  ])('what was told last, %s, is compacted: no other history', async (_, change) => {
    const proxy = await server.proxy();
    bed.endpoint = proxy.url;
    const log = await bed.watch({ prefix: key }).live();
    await put(key, 'first');
    const { header } = (await change()) as { header: { revision: string } };
    await log.until('delete');
    const told = log.lines.length;
    proxy.refuse();
    proxy.reset();
    await put('/elsewhere', '');
    // Until it is gone from the disk etcd may tell it.
    await gatewayCall(server.url, 'kv/compaction', { revision: header.revision, physical: true });
    await acceptAgain(proxy);
    await put(key, 'last');
    await log.until('resync');
    expect(log.lines[told]).toContain('resync compacted');
  });

  test('an idle watch is back at once, and live', async () => {
    const log = await cut(() => put(`${key}-elsewhere`, ''));
    await log.live();
    await put(key, 'last');
    await log.until(`put ${key}=last`);
    expect(log.lines).toHaveLength(2);
  });
});

test('an idle watch keeps up with what is compacted, by the progress that it asks for', async () => {
  const log = await bed.watch(key).live();
  const before = log.source.run!.position.next!;
  let revision = 0;
  for (let i = 0; i < 1_100; i += 1) revision = await put(`${key}-elsewhere`, String(i));
  bed.streams.reached(revision);
  const expected = server.release === '3.4' ? before : revision + 1;
  await eventually(() => log.source.run!.position.next! >= expected);
});

test('a cluster that is another one: its state, told as that of a rebuilt one, then what follows', async () => {
  const another = await firstValueFrom(startLocalCluster({ size: 1 }));
  server.afterwards(() => firstValueFrom(another.down$()));
  const { clientUrl } = another.members[0]!;
  const proxy = await server.proxy();
  bed.endpoint = proxy.url;
  const log = await bed.watch(key).live();
  await put(key, 'here');
  await log.until(`put ${key}=here`);
  await putPast(clientUrl, key, 'there');
  bed.endpoint = clientUrl;
  proxy.refuse();
  proxy.reset();
  await log.until('resync');
  await putPast(clientUrl, key, 'next');
  await log.until(`put ${key}=next`);
  expect(log.lines.map((line) => line.split('@')[0])).toEqual([
    `put ${key}=here`,
    `resync rebuilt ${key}=there`,
    `put ${key}=next`,
  ]);
});

test('a member that stops for longer than an answer is waited for ends no watch that has a request of its own', async () => {
  bed.openBodies = false;
  await firstValueFrom(server.member.stop$());
  const log = bed.watch(key);
  await eventually(() => bed.asked > 0);
  await firstValueFrom(server.member.resume$());
  await log.live();
  expect([log.seen, bed.opened]).toEqual([{}, ['closed']]);
});

test('an idle watch that has a request of its own is live again, though its member tells no progress there', async () => {
  const proxy = await server.proxy();
  bed.endpoint = proxy.url;
  bed.openBodies = false;
  const log = await bed.watch(key).live();
  proxy.refuse();
  proxy.reset();
  await put(`${key}/elsewhere`, '');
  await eventually(() => log.source.run?.stage === 'lost');
  await acceptAgain(proxy);
  await log.live();
  expect(log.lines).toEqual([]);
});

test('a range that is empty is refused by etcd, which ends the watch', async () => {
  const log = bed.watch({ key: Buffer.from('b'), range_end: Buffer.from('a') });
  await eventually(() => log.seen.error !== undefined);
  expect(log.seen.error).toMatchObject({
    message: expect.stringContaining('watcher range is empty') as string,
  });
});
