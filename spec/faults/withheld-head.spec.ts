import { firstValueFrom, tap } from 'rxjs';
import { startEtcdProxy } from '../support/middlebox/etcd-fronts.js';
import { startMiddlebox } from '../support/middlebox/middlebox.js';
import { EtcdClient } from 'rxetcd';
import { cleanUp } from '../support/jest/clean-up.js';
import { serverUnderTest } from '../support/etcd/server-under-test.js';
import { eventually } from '../support/jest/eventually.js';
import { WatchLog } from '../support/promises/watch-log.js';
import { watchThrough } from '../support/proxies/withheld-head.js';

/* What holds heads back: a watch needs no more of it than a bare long poll does. nginx is asked in spec/middlebox. */
const undos: (() => unknown)[] = [];
afterAll(() => cleanUp(undos));
const server = serverUnderTest();

/** As nginx: the head comes with the body. As an etcd proxy: and both in lumps. */
const buffering = (lump: number) =>
  startMiddlebox(server.url).pipe(tap(({ relay }) => (relay.manner = { holdsHeads: true, lump })));

/** A watch of a key, through a box that holds heads back; ended behind all tests, as these wait long, side by side. */
async function watchHeldBack() {
  const box = await firstValueFrom(buffering(0));
  undos.push(() => firstValueFrom(box.close$()));
  const client = new EtcdClient({ endpoints: box.url, discover: false });
  undos.push(() => client.close());
  const key = server.key();
  const log = await new WatchLog(client, key).live();
  undos.push(() => log.unsubscribe());
  return { box, client, key, log };
}

describe.each([
  ['etcd as a proxy', () => startEtcdProxy([server.member])],
  ['a proxy that holds heads back', () => buffering(0)],
  ['a proxy that flushes at 4 KB', () => buffering(4_096)],
])('%s', (_, start) => {
  let log: WatchLog;
  beforeEach(async () => {
    log = await watchThrough(server, start());
  });

  it('a watch through it tells what a bare long poll tells', () => {
    expect(log.events.map(({ node }) => node.value)).toEqual(['there']);
  });
});

test.concurrent('a poll whose connection has died unseen is made anew', async () => {
  const { box, client, key, log } = await watchHeldBack();
  // It is parked, and what comes of it passes.
  await eventually(() => box.links.some(({ asked }) => asked.includes('waitIndex=')));
  await firstValueFrom(client.set$(key, 'before'));
  await log.count(1);
  await eventually(() => box.links.some(({ asked }) => asked.includes('waitIndex=')));
  for (const link of box.links) link.forget();
  // Past the client: what tells it that the store has moved is its own reading.
  await server.fetch(`/keys${key}`, { method: 'PUT', body: new URLSearchParams({ value: 'behind' }) });
  await log.until(() => log.events.length === 2, { within: 40_000 });
  expect(log.events.map(({ node }) => node.value)).toEqual(['before', 'behind']);
});

test.concurrent(
  'an endpoint that has held heads back for a while gets its streams back',
  async () => {
    const { box, client, key, log } = await watchHeldBack();
    const isStreamed = () => box.links.some(({ asked }) => asked.includes('stream=true'));
    await eventually(() => !isStreamed() && box.links.some(({ asked }) => asked.includes('waitIndex=')));
    box.heal();
    // A busy key: each event ends its poll, and the next leg may be a stream.
    await eventually(
      async () => {
        await firstValueFrom(client.set$(key, 'again'));
        return isStreamed();
      },
      { within: 90_000, every: 500 },
    );
    const { length } = log.events;
    await firstValueFrom(client.set$(key, 'last'));
    await log.until(() => log.events.at(-1)?.node.value === 'last' && log.events.length > length);
    expect(isStreamed()).toBe(true);
  },
  120_000,
);
