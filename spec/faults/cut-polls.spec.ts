import { EtcdClient } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { cleanUp } from '../support/jest/clean-up.js';
import { startFaultProxy } from '../support/proxies/fault-proxy.js';
import { startHeaderStripper } from '../support/proxies/header-stripper.js';
import { runSeed, seededRandom } from '../support/values/random.js';
import { serverUnderTest } from '../support/etcd/server-under-test.js';
import { StoreWitness } from '../support/promises/store-witness.js';
import { ordered, reliable, unique, type Change } from '../support/promises/validators.js';
import { WatchLog } from '../support/promises/watch-log.js';

/* Answers that are cut behind their headers; side by side, and what is open is ended behind all. */
const undos: (() => unknown)[] = [];
afterAll(() => cleanUp(undos));
const server = serverUnderTest();

/** Writes while the watch follows, until so many polls went through the proxy; what it missed. */
async function missed(isBlind: boolean, polls: number): Promise<string[]> {
  const random = seededRandom(runSeed);
  const root = server.key();
  let target = server.url;
  if (isBlind) {
    const stripper = await firstValueFrom(startHeaderStripper(server.url));
    undos.push(() => firstValueFrom(stripper.close$()));
    target = stripper.url;
  }
  const proxy = await firstValueFrom(startFaultProxy(target, { random, probability: { cut: 0.3 } }));
  undos.push(() => firstValueFrom(proxy.close$()));
  const client = new EtcdClient({
    endpoints: proxy.url,
    discover: false,
    retry: { initialDelay: 1, maxDelay: 5 },
  });
  undos.push(() => client.close());
  const log = await new WatchLog(client, root).live();
  undos.push(() => log.unsubscribe());
  const changes: Change[] = [];
  const witness = new StoreWitness([server.url], root, 1, 20_000);
  while (proxy.polls < polls) {
    // Far from the end of etcd's history.
    await log.until(() => changes.length - log.events.length < 100);
    const written = Array.from({ length: 1 + random.int(20) }, (_, i) =>
      witness.write('PUT', `/${i}`, { value: `${changes.length}` }),
    );
    for (const change of await Promise.all(written)) if (change !== undefined) changes.push(change);
  }
  changes.sort((a, b) => a.index - b.index);
  await log.reach(changes.at(-1)!.index);
  expect(proxy.made.get('cut')).toBeGreaterThan(polls / 10);
  return [...ordered(log.events), ...unique(log.events), ...reliable(log.events, changes)];
}

test.concurrent.each([
  ['one poll after the other', true],
  ['the polls that fill a gap', false],
])(
  '1,000 polls, nothing missed: %s',
  async (_, isBlind) => {
    expect(await missed(isBlind, 1_000)).toEqual([]);
  },
  180_000,
);
