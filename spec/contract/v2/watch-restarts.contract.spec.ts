import type { ClientOptions, EtcdClient } from 'rxetcd';
import { concatMap, firstValueFrom, lastValueFrom, mergeMap, range, take, timer } from 'rxjs';
import { WatchLog } from '../../support/promises/watch-log.js';
import { watchesUnderTest } from '../../support/etcd/watches-under-test.js';

const watches = watchesUnderTest();
const { server, set, mark, watch, flood, restart, rebuild } = watches;
let key: string;

beforeEach(() => {
  ({ key } = watches);
});

describe('through restarts of the server', () => {
  const again = (options: ClientOptions = {}) => server.client({ heartbeat: 500, ...options });
  const follow = (watcher: EtcdClient, ...rest: [options?: ConstructorParameters<typeof WatchLog>[2]]) => {
    const log = new WatchLog(watcher, key, ...rest);
    server.afterwards(() => log.unsubscribe());
    return log;
  };
  beforeEach(() => {
    server.afterwards(() => (server.member.state === 'running' ? undefined : restart()));
  });

  test('what is written before the watch is back is seen, also by one that had seen nothing yet', async () => {
    const log = await follow(again()).live();
    await restart();
    watches.client = again();
    for (const value of ['1', '2', '3']) await set(key, value);
    await log.count(3);
    await restart();
    watches.client = again();
    for (const value of ['4', '5']) await set(key, value);
    await log.count(5);
    expect(log.lines).toEqual(['1', '2', '3', '4', '5'].map((value) => `set ${key}=${value}`));
  });

  test('a watch subscribed while the server is down begins when it is back', async () => {
    await set(key, 'before');
    await firstValueFrom(server.member.kill$());
    const log = follow(again(), { initial: true });
    await restart();
    await log.count(1);
    watches.client = again();
    await set(key, 'after');
    await log.count(2);
    expect(log.lines).toEqual([`sync ${key}=before`, `set ${key}=after`]);
  });

  test('1,400 foreign writes do not cost a quiet watch its place', async () => {
    const log = await follow(again()).live();
    const from = await mark();
    await lastValueFrom(
      timer(0, 50).pipe(
        take(140),
        concatMap(() => range(0, 10).pipe(mergeMap((i) => watches.client.set$(`${key}-foreign/${i}`, '')))),
      ),
    );
    expect(await mark()).toBeGreaterThan(from + 1_400);
    await firstValueFrom(server.member.kill$());
    await restart();
    watches.client = again();
    await set(key, 'seen');
    await log.count(1);
    expect(log.lines).toEqual([`set ${key}=seen`]);
  });

  test('without a heartbeat they do, and a resync says so', async () => {
    const log = await follow(again({ heartbeat: false })).live();
    await flood();
    await firstValueFrom(server.member.kill$());
    await restart();
    watches.client = again();
    await set(key, 'there');
    await log.count(1);
    expect(log.lines[0]).toMatch(/^resync/);
    await log.until(() => log.events.some(({ node }) => node.value === 'there'));
  });
});

// Last, for it takes the server's data away.
test('a cluster rebuilt from the same flags is one resync, for a watch that goes on and for one resumed later', async () => {
  await flood(20);
  const log = await watch(key).live();
  await set(key, 'seen');
  const [seen] = await log.count(1);
  await rebuild();
  await set(key, 'rebuilt');
  await log.until(() => log.events.some(({ node }) => node.value === 'rebuilt'));
  const resumed = watch(key, { fromIndex: seen!.index + 1 });
  const [first] = await resumed.count(1);
  expect(first).toMatchObject({ action: 'resync', node: { key, value: 'rebuilt' } });
  await set(key, 'next');
  await log.until(() => log.lines.at(-1) === `set ${key}=next`);
  await resumed.count(2);
  expect(resumed.lines).toEqual([`resync ${key}=rebuilt`, `set ${key}=next`]);
  expect(log.events[1]?.action).toBe('resync');
  expect(log.events.filter(({ action }) => action === 'resync')).toHaveLength(1);
});
