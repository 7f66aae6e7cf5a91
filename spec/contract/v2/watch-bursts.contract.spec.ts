import type { ClientOptions, EtcdNode, WatchEvent, WatchOptions } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { writeBurst, type BurstWrite } from '../../support/promises/burst-writer.js';
import { eventually } from '../../support/jest/eventually.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';
import { ordered, reliable, unique, type Stored } from '../../support/promises/validators.js';
import { WatchLog } from '../../support/promises/watch-log.js';

/* Writers in a process of their own, faster than a chain of long polls could follow. */
const server = serverUnderTest();
let dir: string;

beforeEach(() => {
  dir = server.key();
});

const watch = async (key: string, options?: WatchOptions, clientOptions?: ClientOptions) => {
  const log = new WatchLog(server.client(clientOptions), key, options);
  server.afterwards(() => log.unsubscribe());
  return log.live();
};
const series = (count: number, write: (i: number) => BurstWrite) =>
  Array.from({ length: count }, (_, i) => write(i));
/** Each key once, so that a state shows which writes it holds. */
const each = (i: number): BurstWrite => ({ key: `${dir}/${String(i)}`, value: String(i) });
const lastOf = (stored: readonly Stored[]) => stored.at(-1)!.index;

/** All, once, in order, and no resync. */
function expectWhole(events: readonly WatchEvent[], stored: readonly Stored[]) {
  expect([...ordered(events), ...unique(events), ...reliable(events, stored)]).toEqual([]);
}

/** In order and once, at most one resync, and nothing missing but what that resync owns up to and makes good. */
function expectHonest(events: readonly WatchEvent[], stored: readonly Stored[]) {
  const resyncs = events.filter((event) => event.action === 'resync');
  expect(resyncs.length).toBeLessThanOrEqual(1);
  const [resync] = resyncs;
  const made = new Map(resync === undefined ? [] : leaves(resync.node).map((node) => [node.key, node]));
  const found = reliable(
    events,
    stored.filter(({ index, key, value }) => {
      const isLost = resync !== undefined && index >= resync.lost.from && index <= (resync.lost.to ?? 0);
      return !isLost || made.get(key)?.value !== value || made.get(key)?.modifiedIndex !== index;
    }),
  );
  expect([
    ...ordered(events),
    ...unique(events),
    ...found.filter((line) => !line.startsWith('resync')),
  ]).toEqual([]);
}

const leaves = (node: EtcdNode): EtcdNode[] =>
  node.dir === true ? (node.nodes ?? []).flatMap(leaves) : [node];

// Beside other specs on two cores even this can outrun the watch; on a machine of its own it is whole each time.
test('10,000 events at 3,000 a second: all, or one resync that says what is missing', async () => {
  const log = await watch(dir);
  const stored = await writeBurst(
    server.url,
    series(10_000, (i) => ({ ...each(i), at: i / 3 })),
  );
  expectHonest(await log.reach(lastOf(stored)), stored);
});

test('10,000 events by 32 writers flat out: all, or one resync that says what is missing', async () => {
  const log = await watch(dir);
  const stored = await writeBurst(server.url, series(10_000, each));
  expectHonest(await log.reach(lastOf(stored)), stored);
});

// From here on the writers wait where a busy machine keeps the watch from following: how fast it can is for the bench.
test('5,000 events at 1,000 a second: all, once, in order', async () => {
  const log = await watch(dir);
  const stored = await writeBurst(
    server.url,
    series(5_000, (i) => ({ ...each(i), at: i })),
    { seen: () => log.events.length },
  );
  expectWhole(await log.reach(lastOf(stored)), stored);
});

test('one matching write in ten: all, once, in order', async () => {
  const log = await watch(`${dir}/seen`);
  const stored = await writeBurst(
    server.url,
    series(10_000, (i) => ({
      key: `${dir}/${i % 10 === 0 ? 'seen' : 'other'}/${String(i)}`,
      value: String(i),
    })),
    { seen: () => 10 * log.events.length },
  );
  const matching = stored.filter(({ key }) => key.startsWith(`${dir}/seen/`));
  expect(matching).toHaveLength(1_000);
  expectWhole(await log.reach(lastOf(matching)), matching);
});

test('one key, recursive or not, at 1,000 a second: all, once, in order', async () => {
  const key = `${dir}/key`;
  const logs = [await watch(key), await watch(key, { recursive: false })];
  const stored = await writeBurst(
    server.url,
    series(3_000, (i) => ({ key, value: String(i), at: i })),
    { writers: 16, seen: () => Math.min(...logs.map(({ events }) => events.length)) },
  );
  for (const log of logs) expectWhole(await log.reach(lastOf(stored)), stored);
});

test('with basic auth 2,000 events at 1,000 a second: a long-poll chain would need two minutes', async () => {
  const auth = { username: 'root', password: 'root pässword' };
  const root = server.client({ auth });
  await firstValueFrom(root.auth.createUser$('root', auth.password));
  server.afterwards(async () => {
    const credentials = Buffer.from(`${auth.username}:${auth.password}`).toString('base64');
    const headers = { authorization: `Basic ${credentials}` };
    expect((await server.fetch('/auth/enable', { method: 'DELETE', headers })).status).toBe(200);
  });
  await firstValueFrom(root.auth.enable$());
  const client = server.client({ auth });
  let requests = 0;
  client.events$.subscribe(({ type }) => (requests += type === 'request' ? 1 : 0));
  const log = new WatchLog(client, dir);
  server.afterwards(() => log.unsubscribe());
  await log.live();
  // Who names no user is a guest, who may still write, and costs the server no bcrypt.
  const stored = await writeBurst(
    server.url,
    series(2_000, (i) => ({ ...each(i), at: i })),
    { seen: () => log.events.length },
  );
  // For as long as it takes here, but for what such a chain would need: a request for each event, and 60 ms for each of them.
  expectWhole(await log.reach(lastOf(stored), { within: 60_000 }), stored);
  expect(requests).toBeLessThan(stored.length / 2);
}, 120_000);

// etcd deletes what has expired twice a second: what is written in a moment goes in one tick.
test.each([150, 300])('%p keys that expire in the same tick: all expire once', async (count) => {
  const log = await watch(dir);
  const stored = await writeBurst(
    server.url,
    series(count, (i) => ({ ...each(i), ttl: 2 })),
  );
  await log.until(() => log.events.filter(({ action }) => action !== 'set').length >= count);
  // What came twice would come before what is written now.
  const [mark] = await writeBurst(server.url, [{ key: `${dir}/mark`, value: '' }]);
  const events = (await log.reach(mark!.index)).slice(0, -1);
  const expired = events.filter(({ action }) => action === 'expire');
  expectWhole(
    events.filter(({ action }) => action !== 'expire'),
    stored,
  );
  expect([...ordered(events), ...unique(events)]).toEqual([]);
  expect(expired.map(({ node }) => node.key).sort()).toEqual(stored.map(({ key }) => key).sort());
});

test('1,500 keys that expire in the same tick, more than history holds: all expire once', async () => {
  // They are to live until the watch stands: three times as long as it takes to write so many here.
  const startedAt = Date.now();
  await writeBurst(server.url, series(1_500, each));
  const ttl = Math.ceil((3 * (Date.now() - startedAt)) / 1_000) + 2;
  const stored = await writeBurst(
    server.url,
    series(1_500, (i) => ({ ...each(i), ttl })),
  );
  // Without a heartbeat nobody minds that the server stands still.
  const log = await watch(dir, { initial: true }, { heartbeat: false });
  const [first] = await writeBurst(server.url, [{ key: `${dir}/mark`, value: '' }]);
  await log.reach(first!.index);
  // The watch, and what waits ahead of it for so many keys.
  await eventually(async () => expect(await server.watchers()).toBe(6));
  server.afterwards(() => firstValueFrom(server.member.resume$()));
  await firstValueFrom(server.member.stop$());
  const [sync] = log.events;
  const deadlines = leaves(sync!.node).map(({ expiration }) => Date.parse(expiration!));
  await eventually(() => Date.now() > Math.max(...deadlines), { within: (ttl + 5) * 1_000 });
  await firstValueFrom(server.member.resume$());

  await log.until(() => log.events.filter(({ action }) => action === 'expire').length >= stored.length);
  const [last] = await writeBurst(server.url, [{ key: `${dir}/mark`, value: '' }]);
  const events = (await log.reach(last!.index)).slice(2, -1);
  expect([...ordered(events), ...unique(events)]).toEqual([]);
  expect(log.lines.slice(2, -1).sort()).toEqual(stored.map(({ key }) => `expire ${key}`).sort());
}, 120_000);
