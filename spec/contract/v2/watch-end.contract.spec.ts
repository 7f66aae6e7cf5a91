import { isClientClosed, type EtcdClient } from 'rxetcd';
import { eventually } from '../../support/jest/eventually.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { watchesUnderTest } from '../../support/etcd/watches-under-test.js';

const watches = watchesUnderTest();
const { server, watch } = watches;
let client: EtcdClient;
let key: string;

beforeEach(() => {
  ({ client, key } = watches);
});

describe('the end of a watch', () => {
  test('unsubscribing frees the watchers of the server', async () => {
    const logs = Array.from({ length: 10 }, (_, i) => watch(`${key}/${i}`));
    await Promise.all(logs.map((log) => log.live()));
    await eventually(async () => expect(await server.watchers()).toBe(10));
    logs.slice(0, 4).forEach((log) => log.unsubscribe());
    await eventually(async () => expect(await server.watchers()).toBe(6));
    logs.forEach((log) => log.unsubscribe());
    await eventually(async () => expect(await server.watchers()).toBe(0));
  });

  test('close completes open watches, fails what waits and all that comes later', async () => {
    const log = await watch(key).live();
    const once = rejectionOf(client.watchOnce$(key));
    // Two watches of one key are one.
    await eventually(async () => expect(await server.watchers()).toBe(1));
    client.close();
    expect(log.completed).toBe(true);
    expect(log.error).toBeUndefined();
    expect(isClientClosed(await once)).toBe(true);
    await eventually(async () => expect(await server.watchers()).toBe(0));
    for (const call$ of [
      client.watch$(key),
      client.watchOnce$(key),
      client.get$(key),
      client.set$(key, 'v'),
      client.leader$(),
    ])
      expect(isClientClosed(await rejectionOf(call$))).toBe(true);
    expect((await server.fetch(`/keys${key}`)).status).toBe(404);
  });

  test('close fails a call in flight', async () => {
    const proxy = await server.proxy();
    const behind = server.client({ endpoints: proxy.url, discover: false });
    await rejectionOf(behind.get$(key));
    proxy.pause();
    const read = rejectionOf(behind.get$(key));
    const write = rejectionOf(behind.set$(key, 'v'));
    behind.close();
    for (const error of [await read, await write]) expect(isClientClosed(error)).toBe(true);
  });
});
