import { isWatchHistoryLost, type EtcdClient } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { WatchLog } from '../../support/promises/watch-log.js';
import { fold, lineOf, watchesUnderTest } from '../../support/etcd/watches-under-test.js';

const watches = watchesUnderTest();
const { server, set, mark, watch, flood, startWriter, stored } = watches;
let client: EtcdClient;
let key: string;

beforeEach(() => {
  ({ client, key } = watches);
});

describe('when history is lost', () => {
  test('one resync carries the state and says what is lost', async () => {
    const from = await mark();
    await set(`${key}/kept`, '1');
    await set(`${key}/changed`, 'old');
    await flood();
    await set(`${key}/changed`, 'new');
    const log = watch(key, { fromIndex: from });
    const [resync] = await log.count(1);
    expect(resync).toMatchObject({
      action: 'resync',
      lost: { from, to: resync?.index },
      node: { key, dir: true },
      info: { etcdIndex: resync?.index },
    });
    expect(fold([{ ...resync!, action: 'sync' }])).toEqual({
      [`${key}/changed`]: 'new',
      [`${key}/kept`]: '1',
    });
    await set(`${key}/changed`, 'newer');
    await log.count(2);
    expect(log.lines).toEqual([`resync ${key}`, `set ${key}/changed=newer`]);
    expect(log.events[1]?.index).toBeGreaterThan(resync!.index);
  });

  test('a missing key is resynced by its name alone', async () => {
    const from = await mark();
    await flood();
    const [resync] = await watch(key, { fromIndex: from }).count(1);
    expect(resync?.action).toBe('resync');
    expect(resync?.node).toEqual({ key });
  });

  test('while the connection is down: from the event after the last one seen', async () => {
    const proxy = await server.proxy();
    const behind = server.client({ endpoints: proxy.url, discover: false });
    const log = new WatchLog(behind, key);
    server.afterwards(() => log.unsubscribe());
    await log.live();
    await set(key, 'seen');
    const [seen] = await log.count(1);
    proxy.refuse();
    proxy.reset();
    await set(key, 'missed');
    await flood();
    await firstValueFrom(proxy.accept$());
    const [, resync] = await log.count(2);
    expect(resync).toMatchObject({
      action: 'resync',
      node: { key, value: 'missed' },
      lost: { from: seen!.index + 1, to: resync?.index },
    });
    await set(key, 'next');
    await log.count(3);
    expect(log.lines).toEqual([`set ${key}=seen`, `resync ${key}=missed`, `set ${key}=next`]);
  });

  test('state and changes fit together while somebody writes', async () => {
    const from = await mark();
    await flood();
    const writer = startWriter(key);
    await writer.reached(20);
    const logs = Array.from({ length: 5 }, () => watch(key, { fromIndex: from }));
    await Promise.all(logs.map((log) => log.count(3)));
    const last = await writer.stop();
    const truth = await stored(key);
    for (const log of logs) {
      const [resync, ...changes] = await log.reach(last);
      expect(resync?.action).toBe('resync');
      const after = writer.written.filter(({ node }) => node.modifiedIndex! > resync!.index);
      expect(changes.map(lineOf)).toEqual(after.map(lineOf));
      expect(fold([{ ...resync!, action: 'sync' }, ...changes])).toEqual(truth);
    }
  });

  test("with onHistoryLost: 'error' the watch ends in WatchHistoryLostError", async () => {
    const from = await mark();
    await flood();
    const error = await rejectionOf(client.watch$(key, { fromIndex: from, onHistoryLost: 'error' }));
    expect(isWatchHistoryLost(error)).toBe(true);
    expect(error).toMatchObject({ name: 'WatchHistoryLostError', key, endpoint: server.url });
    const { lost } = error as { lost: { from: number; to: number } };
    expect(lost.from).toBe(from);
    expect(lost.to).toBeGreaterThanOrEqual(from + 1_100);
    await eventually(async () => expect(await server.watchers()).toBe(0));
  });
});
