import type { ClientEvent, EtcdClient, OpenWatch } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { writeBurst } from '../../support/promises/burst-writer.js';
import { eventually } from '../../support/jest/eventually.js';
import { startHeaderStripper } from '../../support/proxies/header-stripper.js';
import { runSeed, seededRandom } from '../../support/values/random.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';
import { ordered, reliable, unique, type Stored } from '../../support/promises/validators.js';
import { WatchLog } from '../../support/promises/watch-log.js';

/*
 * More watches than a browser, which hides etcd's headers, has connections for: they take turns. A browser opens six to
 * one host and port, and commands need some of them.
 */
const server = serverUnderTest();
const mostPolls = 4;
const watches = 10;
let client: EtcdClient;
let key: string;
let stages: ClientEvent[];

beforeEach(async () => {
  const stripper = await firstValueFrom(startHeaderStripper(server.url));
  server.afterwards(() => firstValueFrom(stripper.close$()));
  client = server.client({ endpoints: stripper.url, discover: false, heartbeat: 500 });
  key = server.key();
  stages = [];
  const subscription = client.events$.subscribe((event) => {
    if (event.type.startsWith('watch-')) stages.push(event);
  });
  server.afterwards(() => subscription.unsubscribe());
  // An endpoint shows by its first answer that its headers cannot be read.
  expect((await firstValueFrom(client.get$('/'))).info).not.toHaveProperty('etcdIndex');
});

const nameOf = (i: number) => `${key}/${String(i)}`;
const openAll = async () => {
  const logs = Array.from({ length: watches }, (_, i) => new WatchLog(client, nameOf(i)));
  server.afterwards(() => logs.forEach((log) => log.unsubscribe()));
  // Each has had a turn, which fixes its start.
  await Promise.all(logs.map((log) => log.live()));
  return logs;
};
/** Asks the server again and again how many polls it holds, until stopped. */
const startCounting = () => {
  const counts: number[] = [];
  const stopping = new AbortController();
  const running = (async () => {
    while (!stopping.signal.aborted) counts.push(await server.watchers());
  })();
  const stop = async () => {
    stopping.abort();
    await running;
    return counts;
  };
  server.afterwards(stop);
  return stop;
};
/**
 * Four. The server may hear of a new poll before it hears of the end of the one in whose place it comes, and counts both
 * until then: how often depends on the machine, but it is the exception. (Turns' own spec counts at the client: exactly.)
 */
const expectFew = (counts: readonly number[]) => {
  const usual = counts.filter((polls) => polls === mostPolls).length;
  expect(usual).toBeGreaterThan(0);
  expect(usual).toBeGreaterThan(counts.filter((polls) => polls > mostPolls).length);
};
const findings = (log: WatchLog, stored: readonly Stored[]) => [
  ...ordered(log.events),
  ...unique(log.events),
  ...reliable(log.events, stored),
];

test('ten watches hold four polls at the most, and who waits says so', async () => {
  const stop = startCounting();
  const lists: (readonly OpenWatch[])[] = [];
  const subscription = client.watches$.subscribe((list) => lists.push(list));
  server.afterwards(() => subscription.unsubscribe());
  const logs = await openAll();
  const stored = await writeBurst(
    server.url,
    Array.from({ length: watches }, (_, i) => ({ key: nameOf(i), value: String(i) })),
  );
  await Promise.all(logs.map((log) => log.count(1)));
  for (const [i, log] of logs.entries())
    expect(
      findings(
        log,
        stored.filter(({ key: name }) => name === nameOf(i)),
      ),
    ).toEqual([]);
  expectFew(await stop());
  const waiting = stages.filter(({ type }) => type === 'watch-waiting');
  expect(waiting.length).toBeGreaterThanOrEqual(watches - mostPolls);
  for (const event of waiting) expect(event).toMatchObject({ endpoint: client.endpoints[0] });
  expect(
    lists.some((list) => list.filter(({ state }) => state === 'waiting').length >= watches - mostPolls),
  ).toBe(true);
  logs.forEach((log) => log.unsubscribe());
  await eventually(async () => expect(await server.watchers()).toBe(0));
});

test(`ten watches miss nothing while they take turns and somebody writes (seed ${String(runSeed)})`, async () => {
  const random = seededRandom(runSeed);
  const logs = await openAll();
  const stop = startCounting();
  // Over several rounds of turns, and never so many in one that etcd's history forgets them.
  const stored = await writeBurst(
    server.url,
    Array.from({ length: 1_000 }, (_, i) => ({
      key: `${nameOf(random.int(watches))}/${String(i)}`,
      value: String(i),
      at: i * 5,
    })),
  );
  const own = logs.map((_, i) => stored.filter((write) => write.key.startsWith(`${nameOf(i)}/`)));
  // How fast four turns are is a matter of the machine: each event costs a request.
  const within = 60_000;
  await Promise.all(logs.map((log, i) => log.reach(own[i]!.at(-1)!.index, { within })));
  expect(logs.map((log, i) => findings(log, own[i]!))).toEqual(logs.map(() => []));
  expectFew(await stop());
}, 120_000);

test('a backlog of 100 events does not cost as many turns, though nine others are quiet', async () => {
  const logs = await openAll();
  const stored = await writeBurst(
    server.url,
    Array.from({ length: 100 }, (_, i) => ({ key: `${nameOf(7)}/${String(i)}`, value: String(i) })),
  );
  await logs[7]!.reach(stored.at(-1)!.index);
  expect(findings(logs[7]!, stored)).toEqual([]);
});

test('a command does not wait for the polls of ten watches', async () => {
  await openAll();
  const startedAt = performance.now();
  for (let i = 0; i < 5; i += 1) await firstValueFrom(client.set$(`${key}-other`, String(i)));
  // A turn takes a second: who had to wait for one would need five.
  expect(performance.now() - startedAt).toBeLessThan(2_500);
});
