import { firstValueFrom } from 'rxjs';
import { writeBurst } from '../../support/promises/burst-writer.js';
import { burstsUnderTest, expectWhole, leaves, series } from '../../support/etcd/bursts-under-test.js';
import { eventually } from '../../support/jest/eventually.js';
import { ordered, unique } from '../../support/promises/validators.js';

/* Keys that expire in the same tick: a burst that etcd makes itself. */
const bursts = burstsUnderTest();
const { server, watch, each } = bursts;

// etcd deletes what has expired twice a second: what is written in a moment goes in one tick.
test.each([150, 300])('%p keys that expire in the same tick: all expire once', async (count) => {
  const log = await watch(bursts.dir);
  const stored = await writeBurst(
    server.url,
    series(count, (i) => ({ ...each(i), ttl: 2 })),
  );
  await log.until(() => log.events.filter(({ action }) => action !== 'set').length >= count);
  // What came twice would come before what is written now.
  const [mark] = await writeBurst(server.url, [{ key: `${bursts.dir}/mark`, value: '' }]);
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
  const log = await watch(bursts.dir, { initial: true }, { heartbeat: false });
  const [first] = await writeBurst(server.url, [{ key: `${bursts.dir}/mark`, value: '' }]);
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
  const [last] = await writeBurst(server.url, [{ key: `${bursts.dir}/mark`, value: '' }]);
  const events = (await log.reach(last!.index)).slice(2, -1);
  expect([...ordered(events), ...unique(events)]).toEqual([]);
  expect(log.lines.slice(2, -1).sort()).toEqual(stored.map(({ key }) => `expire ${key}`).sort());
}, 120_000);
