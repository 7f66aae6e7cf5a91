import type { EtcdClient } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { startHeaderStripper } from '../../support/proxies/header-stripper.js';
import { ordered } from '../../support/promises/validators.js';
import { WatchLog } from '../../support/promises/watch-log.js';
import { fold, lineOf, watchesUnderTest } from '../../support/etcd/watches-under-test.js';

const watches = watchesUnderTest();
const { server, set, mark, flood, restart, rebuild, startWriter, stored } = watches;
let key: string;

beforeEach(() => {
  ({ key } = watches);
});

describe('where etcd’s own headers cannot be read', () => {
  let blind: EtcdClient;
  const follow = (options?: ConstructorParameters<typeof WatchLog>[2]) => {
    const log = new WatchLog(blind, key, options);
    server.afterwards(() => log.unsubscribe());
    return log;
  };

  beforeEach(async () => {
    const stripper = await firstValueFrom(startHeaderStripper(server.url));
    server.afterwards(() => firstValueFrom(stripper.close$()));
    blind = server.client({ endpoints: stripper.url, discover: false, heartbeat: 500 });
    const { info } = await firstValueFrom(blind.get$('/'));
    expect(info).toEqual({ endpoint: stripper.url, status: 200 });
    expect(stripper.stripped).toBeGreaterThan(0);
  });

  test('a watch from now on sees all that happens once it stands', async () => {
    await set(key, 'before');
    const log = await follow().live();
    for (let i = 0; i < 50; i += 1) await set(`${key}/${i % 2}`, String(i)).catch(() => set(key, String(i)));
    await log.count(50);
    expect(log.events.map(({ node }) => node.value)).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
    expect(ordered(log.events)).toEqual([]);
  });

  test('while somebody writes: from the first event on none is missed, none comes twice', async () => {
    const writer = startWriter(key);
    await writer.reached(20);
    const logs: WatchLog[] = [];
    for (let i = 0; i < 5; i += 1) {
      logs.push(await follow().live());
      await writer.reached(writer.written.length + 20);
    }
    const last = await writer.stop();
    for (const log of logs) {
      const [first] = await log.reach(last);
      const after = writer.written.filter(({ node }) => node.modifiedIndex! >= first!.index);
      expect(log.events.map(lineOf)).toEqual(after.map(lineOf));
      expect(after.length).toBeGreaterThanOrEqual(20);
    }
  });

  test('initial: no change between state and events is missed', async () => {
    const writer = startWriter(key);
    await writer.reached(20);
    const logs: WatchLog[] = [];
    for (let i = 0; i < 5; i += 1) {
      logs.push(follow({ initial: true }));
      await logs[i]!.count(3);
    }
    const last = await writer.stop();
    const truth = await stored(key);
    for (const log of logs) {
      const [sync, ...changes] = await log.reach(last);
      expect(sync?.action).toBe('sync');
      expect(fold(log.events)).toEqual(truth);
      const after = writer.written.filter(({ node }) => node.modifiedIndex! > sync!.index);
      expect(changes.map(lineOf)).toEqual(after.map(lineOf));
    }
  });

  test('initial of a missing key', async () => {
    const index = await mark();
    const log = follow({ initial: true });
    const [sync] = await log.count(1);
    expect(sync?.node).toEqual({ key });
    expect(sync?.index).toBeGreaterThanOrEqual(index);
    await set(key, '1');
    await log.count(2);
    expect(log.lines).toEqual([`sync ${key}`, `set ${key}=1`]);
  });

  test('fromIndex begins in history and goes on live', async () => {
    const from = await mark();
    const written = [];
    for (let i = 0; i < 30; i += 1) written.push(await set(`${key}/${i % 4}`, String(i)));
    const log = follow({ fromIndex: from });
    await log.count(30);
    for (let i = 30; i < 40; i += 1) written.push(await set(`${key}/${i % 4}`, String(i)));
    await log.count(40);
    expect(log.events.map(lineOf)).toEqual(written.map(lineOf));
  });

  test('a lost history is one resync', async () => {
    const from = await mark();
    await flood();
    const { node } = await set(key, 'state');
    const log = follow({ fromIndex: from });
    const [resync] = await log.count(1);
    expect(resync).toMatchObject({ action: 'resync', node, lost: { from, to: resync?.index } });
    expect(resync?.index).toBeGreaterThanOrEqual(node.modifiedIndex!);
    await set(key, 'next');
    await log.count(2);
    expect(log.lines).toEqual([`resync ${key}=state`, `set ${key}=next`]);
  });

  test('a quiet watch that foreign writes pushed out of history says so', async () => {
    // Without pulses: with them it keeps its place where the writes are slow enough.
    blind = server.client({ endpoints: blind.endpoints, discover: false, heartbeat: false });
    const log = await follow().live();
    server.afterwards(() => (server.member.state === 'running' ? undefined : restart()));
    await flood();
    await restart();
    watches.client = server.client();
    await set(key, 'there');
    await log.until(() => log.events.some(({ node }) => node.value === 'there'));
    expect(log.events.filter(({ action }) => action === 'resync')).toHaveLength(1);
  });

  test('after a restart nothing that was written meanwhile is missing', async () => {
    const log = await follow().live();
    server.afterwards(() => (server.member.state === 'running' ? undefined : restart()));
    await restart();
    watches.client = server.client();
    for (const value of ['1', '2', '3']) await set(key, value);
    await log.count(3);
    expect(log.lines).toEqual(['1', '2', '3'].map((value) => `set ${key}=${value}`));
  });

  // Last, for it takes the server's data away.
  test('a cluster rebuilt from the same flags is one resync', async () => {
    await flood(20);
    const log = await follow().live();
    await set(key, 'seen');
    await log.count(1);
    await rebuild();
    await set(key, 'rebuilt');
    await log.until(() => log.events.some(({ node }) => node.value === 'rebuilt'));
    await set(key, 'next');
    await log.until(() => log.lines.at(-1) === `set ${key}=next`);
    expect(log.events.filter(({ action }) => action === 'resync')).toHaveLength(1);
  });
});
