import { isInvalidOption, type EtcdClient } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { keysUnderTest } from '../../support/etcd/keys-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';

const keys = keysUnderTest();
const { server, set } = keys;
let client: EtcdClient;
let key: string;

beforeEach(() => {
  ({ client, key } = keys);
});

describe('calls are cold', () => {
  test('nothing is sent before a subscription', async () => {
    const proxy = await server.proxy();
    const cold = server.client({ endpoints: proxy.url });
    const calls = [
      cold.get$(key),
      cold.set$(key, 'v'),
      cold.createInOrder$(key, 'v'),
      cold.compareAndSwap$(key, 'w', { prevValue: 'v' }),
      cold.watch$(key),
      cold.watchOnce$(key),
    ];
    expect(calls).toHaveLength(6);
    expect(await firstValueFrom(client.exists$(key))).toBe(false);
    expect(proxy.accepted).toBe(0);
    await firstValueFrom(cold.set$(key, 'v'));
    expect(proxy.accepted).toBeGreaterThan(0);
  });

  test('each subscription sends again', async () => {
    const set$ = client.set$(key, 'v');
    const first = await firstValueFrom(set$);
    const second = await firstValueFrom(set$);
    expect(second.node.modifiedIndex).toBeGreaterThan(first.node.modifiedIndex!);
    expect(second.prevNode).toEqual(first.node);
    const get$ = client.get$(key);
    expect((await firstValueFrom(get$)).node.value).toBe('v');
    await set(key, 'w');
    expect((await firstValueFrom(get$)).node.value).toBe('w');
  });

  test('a write that is unsubscribed at once never goes out', async () => {
    const fresh = server.client();
    fresh.set$(key, 'while no leader is known yet').subscribe().unsubscribe();
    await firstValueFrom(fresh.set$(`${key}-other`, 'v'));
    fresh.set$(key, 'while one is').subscribe().unsubscribe();
    await firstValueFrom(fresh.set$(`${key}-other`, 'w'));
    expect(await firstValueFrom(client.exists$(key, { quorum: true }))).toBe(false);
  });

  test('a bad option is the error of each subscription', async () => {
    const observable = client.set$(key, 'v', { ttl: -1 });
    expect(isInvalidOption(await rejectionOf(observable))).toBe(true);
    expect(isInvalidOption(await rejectionOf(observable))).toBe(true);
  });
});
