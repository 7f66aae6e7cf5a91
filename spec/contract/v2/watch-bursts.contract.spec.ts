import type { WatchEvent } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { writeBurst } from '../../support/promises/burst-writer.js';
import { burstsUnderTest, expectWhole, leaves, series } from '../../support/etcd/bursts-under-test.js';
import { ordered, reliable, unique, type Stored } from '../../support/promises/validators.js';
import { WatchLog } from '../../support/promises/watch-log.js';

/* Writers in a process of their own, faster than a chain of long polls could follow. */
const bursts = burstsUnderTest();
const { server, watch, each } = bursts;
const lastOf = (stored: readonly Stored[]) => stored.at(-1)!.index;

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

// Beside other specs on two cores even this can outrun the watch; on a machine of its own it is whole each time.
test('10,000 events at 3,000 a second: all, or one resync that says what is missing', async () => {
  const log = await watch(bursts.dir);
  const stored = await writeBurst(
    server.url,
    series(10_000, (i) => ({ ...each(i), at: i / 3 })),
  );
  expectHonest(await log.reach(lastOf(stored)), stored);
});

test('10,000 events by 32 writers flat out: all, or one resync that says what is missing', async () => {
  const log = await watch(bursts.dir);
  const stored = await writeBurst(server.url, series(10_000, each));
  expectHonest(await log.reach(lastOf(stored)), stored);
});

// From here on the writers wait where a busy machine keeps the watch from following: how fast it can is for the bench.
test('5,000 events at 1,000 a second: all, once, in order', async () => {
  const log = await watch(bursts.dir);
  const stored = await writeBurst(
    server.url,
    series(5_000, (i) => ({ ...each(i), at: i })),
    { seen: () => log.events.length },
  );
  expectWhole(await log.reach(lastOf(stored)), stored);
});

test('one matching write in ten: all, once, in order', async () => {
  const log = await watch(`${bursts.dir}/seen`);
  const stored = await writeBurst(
    server.url,
    series(10_000, (i) => ({
      key: `${bursts.dir}/${i % 10 === 0 ? 'seen' : 'other'}/${String(i)}`,
      value: String(i),
    })),
    { seen: () => 10 * log.events.length },
  );
  const matching = stored.filter(({ key }) => key.startsWith(`${bursts.dir}/seen/`));
  expect(matching).toHaveLength(1_000);
  expectWhole(await log.reach(lastOf(matching)), matching);
});

test('one key, recursive or not, at 1,000 a second: all, once, in order', async () => {
  const key = `${bursts.dir}/key`;
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
  const log = new WatchLog(client, bursts.dir);
  server.afterwards(() => log.unsubscribe());
  await log.live();
  // For as long as it takes here, but for what such a chain would need: a request for each event, and 60 ms for each of them.
  const expectFewRequests = () => expect(requests).toBeLessThan(200 + log.events.length / 4);
  const seen = () => {
    expectFewRequests();
    return log.events.length;
  };
  // Who names no user is a guest, who may still write, and costs the server no bcrypt.
  const stored = await writeBurst(
    server.url,
    series(2_000, (i) => ({ ...each(i), at: i })),
    { seen },
  );
  expectWhole(await log.reach(lastOf(stored), { within: 60_000 }), stored);
  expectFewRequests();
}, 120_000);
