import type { ClientOptions, EtcdClient, OpenWatch, WatchOptions } from 'rxetcd';
import { EtcdClient as Client, isWatchHistoryLost } from 'rxetcd';
import { EmbeddedEtcd } from 'rxetcd/testing';
import { rmSync } from 'node:fs';
import { firstValueFrom } from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import { freePorts } from '../../support/ports/free-port.js';
import { startLocalCluster } from '../../support/cluster/local-cluster.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';
import { WatchLog } from '../../support/promises/watch-log.js';

/*
 * A cluster that was killed and comes back with nothing in it counts its indexes anew, under the same id. Whoever watches
 * is told once, and then of every change: also who began with the state, joined late, or came while nobody was there.
 */
const server = serverUnderTest();
let embedded: EmbeddedEtcd | undefined;
let port: number;

/** A server that can go away and come back empty. */
interface Site {
  url(): string;
  begin(): Promise<void>;
  go(): Promise<void>;
  /** The same by its flags, with nothing in it. */
  comeBack(): Promise<void>;
}
const etcd: Site = {
  url: () => server.url,
  begin: () => Promise.resolve(),
  go: () => firstValueFrom(server.member.kill$()),
  comeBack: async () => {
    rmSync(server.member.dataDir, { recursive: true });
    await firstValueFrom(server.member.restart$());
    await firstValueFrom(server.member.ready$());
  },
};
const startEmbedded = async () => {
  embedded = await firstValueFrom(EmbeddedEtcd.start$({ port }));
};
const inProcess: Site = {
  url: () => `http://127.0.0.1:${String(port)}`,
  begin: async () => {
    [port] = (await firstValueFrom(freePorts(1))) as [number];
    await startEmbedded();
  },
  go: () => firstValueFrom(embedded!.stop$()),
  comeBack: startEmbedded,
};

let key: string;
let site: Site;
beforeEach(() => {
  key = server.key();
});
afterEach(async () => {
  if (embedded !== undefined) await firstValueFrom(embedded.stop$());
  embedded = undefined;
});

const open = (options: ClientOptions = {}): EtcdClient => {
  const client = new Client({ endpoints: site.url(), heartbeat: 500, ...options });
  server.afterwards(() => client.close());
  return client;
};
const watch = (client: EtcdClient, options?: WatchOptions) => {
  const log = new WatchLog(client, key, options);
  server.afterwards(() => log.unsubscribe());
  return log;
};
/** Written by a client of its own, which knows nothing of what was before. */
const write = async (...values: string[]) => {
  const writer = open();
  for (const value of values) await firstValueFrom(writer.set$(key, value));
};
/** An index that the store does not soon have again. */
const age = () => write(...Array.from({ length: 40 }, (_, i) => `old ${String(i)}`));
const rebuild = async () => {
  await site.go();
  await site.comeBack();
};
const latest = (log: WatchLog, value: string) => log.until(() => log.lines.at(-1) === `set ${key}=${value}`);
/** Since the store began anew: one resync, and whatever it does not hold. */
const sinceRebuilt = (log: WatchLog) => {
  const from = log.events.findIndex(({ action }) => action === 'resync');
  return from < 0 ? log.lines : log.lines.slice(from);
};
const resyncs = (log: WatchLog) => log.events.filter(({ action }) => action === 'resync');

describe.each([
  ['a cluster rebuilt from the same flags', etcd],
  ['an embedded server started again at the same port', inProcess],
])('%s', (_, here) => {
  beforeEach(async () => {
    site = here;
    await site.begin();
    await age();
  });

  test.each<[string, ClientOptions]>([
    ['', {}],
    [' (no heartbeat)', { heartbeat: false }],
  ])('each watch gets one resync, then every change, with `initial` or without%s', async (_, options) => {
    const client = open(options);
    const logs = [watch(client), watch(client, { initial: true })];
    await logs[0]!.live();
    await logs[1]!.count(1);
    await write('seen');
    await logs[1]!.count(2);
    // Who comes later has seen another part of what was.
    logs.push(watch(client, { initial: true }));
    await logs[2]!.count(1);
    // The same on a connection of its own.
    logs.push(watch(open(options), { initial: true }));
    await logs[3]!.count(1);
    await rebuild();
    await Promise.all(logs.map((log) => log.until(() => resyncs(log).length > 0)));
    await write('1', '2', '3');
    for (const log of logs) {
      await latest(log, '3');
      expect(sinceRebuilt(log)).toEqual([`resync ${key}`, ...['1', '2', '3'].map((v) => `set ${key}=${v}`)]);
      expect(resyncs(log)).toMatchObject([{ node: { key }, lost: { reason: 'rebuilt' } }]);
    }
    // A store below everything that was seen before, again.
    await rebuild();
    await Promise.all(logs.map((log) => log.until(() => resyncs(log).length > 1)));
    await write('4');
    for (const log of logs) {
      await latest(log, '4');
      expect(log.lines.slice(-2)).toEqual([`resync ${key}`, `set ${key}=4`]);
      expect(resyncs(log)).toHaveLength(2);
    }
  });

  test('what was written before the watch is back is in its resync, or comes behind it', async () => {
    const log = watch(open(), { initial: true });
    await log.count(1);
    await rebuild();
    await write('1', '2', '3');
    await log.until(() => log.events.at(-1)?.node.value === '3');
    expect(resyncs(log)).toHaveLength(1);
    await write('4');
    await latest(log, '4');
    expect(resyncs(log)).toHaveLength(1);
  });

  test('who joins with `initial` while it is away gets the new state, and goes on', async () => {
    const client = open();
    const [first] = [watch(client, { initial: true }), watch(client)];
    await first.count(1);
    const list: (readonly OpenWatch[])[] = [];
    const subscription = client.watches$.subscribe((watches) => list.push(watches));
    server.afterwards(() => subscription.unsubscribe());
    await site.go();
    await eventually(() => expect(list.at(-1)).toMatchObject([{ state: 'lost' }]));
    const late = [watch(client, { initial: true }), watch(client, { initial: true, onHistoryLost: 'error' })];
    await site.comeBack();
    for (const log of late) await log.count(1);
    await write('1', '2');
    for (const log of [first, ...late]) await latest(log, '2');
    for (const log of late) expect(log.lines).toEqual([`sync ${key}`, `set ${key}=1`, `set ${key}=2`]);
    expect(sinceRebuilt(first)).toEqual([`resync ${key}`, `set ${key}=1`, `set ${key}=2`]);
    expect(await firstValueFrom(client.watches$)).toMatchObject([{ subscribers: 4 }]);
  });

  test('`until` and `onHistoryLost` are asked of what comes then', async () => {
    const client = open();
    const ends = watch(client, { initial: true, until: ({ node }) => node.value === 'enough' });
    const strict = [
      watch(client, { initial: true, onHistoryLost: 'error' }),
      watch(client, { onHistoryLost: 'error' }),
    ];
    const patient = watch(client, { until: ({ action }) => action === 'resync' });
    await Promise.all([ends.count(1), strict[0]!.count(1), patient.live()]);
    await rebuild();
    for (const log of strict) {
      await eventually(() => expect(isWatchHistoryLost(log.error)).toBe(true));
      expect(log.error).toMatchObject({ key, lost: { reason: 'rebuilt' } });
      expect(resyncs(log)).toEqual([]);
    }
    await patient.until(() => patient.completed);
    await ends.until(() => resyncs(ends).length > 0);
    await write('1', 'enough', 'more');
    await ends.until(() => ends.completed);
    expect(sinceRebuilt(ends)).toEqual([`resync ${key}`, `set ${key}=1`, `set ${key}=enough`]);
  });
});

describe('another cluster at the same address', () => {
  test.each([
    ['below', 0],
    ['above', 60],
  ])('one resync for each watch, then every change: its store stands %s what was seen', async (_, writes) => {
    const other = await firstValueFrom(startLocalCluster({ size: 1 }));
    server.afterwards(() => firstValueFrom(other.down$()));
    const proxy = await server.proxy();
    site = { ...etcd, url: () => server.url };
    await age();
    const client = open({ endpoints: proxy.url, discover: false });
    const logs = [watch(client), watch(client, { initial: true })];
    await logs[0]!.live();
    await logs[1]!.count(1);
    site = { ...etcd, url: () => other.endpoints[0]! };
    await write(...Array.from({ length: writes }, (_, i) => `other ${String(i)}`));
    // So far above that it is another part of its history.
    if (writes > 0) await age();
    proxy.retarget(other.endpoints[0]!);
    proxy.reset();
    await Promise.all(logs.map((log) => log.until(() => resyncs(log).length > 0)));
    logs.push(watch(client, { initial: true }));
    await logs[2]!.count(1);
    // Two more legs: the move is made up for once.
    for (const value of ['1', '2']) {
      await write(value);
      for (const log of logs) await latest(log, value);
      proxy.reset();
    }
    await write('3');
    for (const log of logs) await latest(log, '3');
    for (const log of logs.slice(0, 2)) {
      expect(resyncs(log)).toMatchObject([{ lost: { reason: 'another-cluster' } }]);
      expect(sinceRebuilt(log).slice(1)).toEqual(['1', '2', '3'].map((v) => `set ${key}=${v}`));
    }
    expect(logs[2]!.lines.slice(1)).toEqual(['1', '2', '3'].map((v) => `set ${key}=${v}`));
  });
});
