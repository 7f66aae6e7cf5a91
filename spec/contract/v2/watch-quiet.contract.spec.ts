import { firstValueFrom } from 'rxjs';
import { writeBurst } from '../../support/promises/burst-writer.js';
import { startHeaderStripper } from '../../support/proxies/header-stripper.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';
import { WatchLog } from '../../support/promises/watch-log.js';

const server = serverUnderTest();

/**
 * When a write is due, ms. A pulse every 3 s sees the first ones, of which history holds twice as many; from then on the
 * store moves fast, and pulses come each 1.1 s.
 */
const dueAt = (i: number): number => (i < 500 ? i * 6 : 3_000 + (i - 500) * 2.5);

test('5,000 foreign writes do not cost a quiet watch its place in a history of 1,000', async () => {
  const key = server.key();
  const stripper = await firstValueFrom(startHeaderStripper(server.url));
  server.afterwards(() => firstValueFrom(stripper.close$()));
  const clients = [
    server.client(),
    // What a browser has.
    server.client({ endpoints: stripper.url, discover: false }),
  ];
  const logs = clients.map((client) => new WatchLog(client, key));
  server.afterwards(() => logs.forEach((log) => log.unsubscribe()));
  await Promise.all(logs.map((log) => log.live()));

  await writeBurst(
    server.url,
    Array.from({ length: 5_000 }, (_, i) => ({
      key: `${key}-other/${String(i % 50)}`,
      value: String(i),
      at: dueAt(i),
    })),
  );
  await firstValueFrom(server.member.kill$());
  await firstValueFrom(server.member.restart$());
  await firstValueFrom(server.member.ready$());
  await writeBurst(server.url, [{ key, value: 'seen' }]);

  for (const log of logs) await log.until(() => log.lines.at(-1) === `set ${key}=seen`);
  const [plain, blind] = logs.map(({ lines }) => lines);
  const seen = [`set ${key}=seen`];
  expect({ plain, blind }).toEqual({ plain: seen, blind: seen });
});
