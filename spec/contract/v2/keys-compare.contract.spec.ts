import { EtcdErrorCode, isCompareFailed, isKeyNotFound, isNotFile, type EtcdClient } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { awkwardValues } from '../../support/values/awkward-values.js';
import { keysUnderTest } from '../../support/etcd/keys-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';

const keys = keysUnderTest();
const { server, get, set, makeDir } = keys;
let client: EtcdClient;
let key: string;

beforeEach(() => {
  ({ client, key } = keys);
});

describe('compareAndSwap$', () => {
  test('swaps when the value is the expected one', async () => {
    const before = await set(key, 'one');
    const { action, node, prevNode } = await firstValueFrom(
      client.compareAndSwap$(key, 'two', { prevValue: 'one' }),
    );
    expect(action).toBe('compareAndSwap');
    expect(node).toMatchObject({ key, value: 'two', createdIndex: before.node.createdIndex });
    expect(prevNode).toEqual(before.node);
  });

  test('leaves the key alone when the value is another one', async () => {
    const { node } = await set(key, 'one');
    const error = await rejectionOf(client.compareAndSwap$(key, 'two', { prevValue: 'other' }));
    expect(isCompareFailed(error)).toBe(true);
    expect(error).toMatchObject({
      errorCode: EtcdErrorCode.CompareFailed,
      reason: '[other != one]',
      index: node.modifiedIndex,
      status: 412,
      endpoint: server.url,
    });
    expect((await get()).node).toEqual(node);
  });

  test('by index: swaps, or leaves the key alone', async () => {
    const { node } = await set(key, 'one');
    const old = node.modifiedIndex!;
    await firstValueFrom(client.compareAndSwap$(key, 'two', { prevIndex: old }));
    const error = await rejectionOf(client.compareAndSwap$(key, 'three', { prevIndex: old }));
    expect(isCompareFailed(error)).toBe(true);
    expect(error).toMatchObject({ reason: expect.stringContaining(`[${old} != `) as string });
    expect((await get()).node.value).toBe('two');
  });

  test('both conditions must hold', async () => {
    const { node } = await set(key, 'one');
    const prevIndex = node.modifiedIndex!;
    for (const wrong of [
      { prevValue: 'one', prevIndex: prevIndex + 1 },
      { prevValue: 'other', prevIndex },
    ])
      expect(isCompareFailed(await rejectionOf(client.compareAndSwap$(key, 'two', wrong)))).toBe(true);
    expect((await get()).node.value).toBe('one');
    await firstValueFrom(client.compareAndSwap$(key, 'two', { prevValue: 'one', prevIndex }));
    expect((await get()).node.value).toBe('two');
  });

  test('an empty value is compared by index', async () => {
    const { node } = await set(key, '');
    await firstValueFrom(client.compareAndSwap$(key, 'two', { prevIndex: node.modifiedIndex! }));
    expect((await get()).node.value).toBe('two');
  });

  test.each(awkwardValues.filter(([, value]) => value !== ''))(
    'compares a value with %s',
    async (_, value) => {
      await set(key, value);
      expect(isCompareFailed(await rejectionOf(client.compareAndSwap$(key, 'x', { prevValue: 'a' })))).toBe(
        true,
      );
      await firstValueFrom(client.compareAndSwap$(key, 'swapped', { prevValue: value }));
      expect((await get()).node.value).toBe('swapped');
    },
  );

  test('compares a value that no query could hold', async () => {
    const long = 'ü'.repeat(100_000);
    await set(key, long);
    await firstValueFrom(client.compareAndSwap$(key, 'short', { prevValue: long }));
    expect((await get()).node.value).toBe('short');
  });

  test('gives a ttl, and without one removes it', async () => {
    await set(key, '1');
    const { node } = await firstValueFrom(client.compareAndSwap$(key, '2', { prevValue: '1', ttl: 70 }));
    expect(node.ttl).toBe(70);
    await firstValueFrom(client.compareAndSwap$(key, '3', { prevIndex: node.modifiedIndex! }));
    expect((await get()).node).not.toHaveProperty('ttl');
  });

  test('a missing key and a directory are errors', async () => {
    expect(isKeyNotFound(await rejectionOf(client.compareAndSwap$(key, 'v', { prevValue: 'x' })))).toBe(true);
    await makeDir(key);
    expect(isNotFile(await rejectionOf(client.compareAndSwap$(key, 'v', { prevValue: 'x' })))).toBe(true);
  });

  test('of many at the same index exactly one succeeds', async () => {
    const { node } = await set(key, '0');
    const answers = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) =>
        firstValueFrom(client.compareAndSwap$(key, String(i + 1), { prevIndex: node.modifiedIndex! })),
      ),
    );
    const failures = answers.flatMap((answer) =>
      answer.status === 'rejected' ? [answer.reason as unknown] : [],
    );
    expect(failures).toHaveLength(9);
    expect(failures.every(isCompareFailed)).toBe(true);
  });
});

describe('compareAndDelete$', () => {
  test('deletes when the value is the expected one', async () => {
    const before = await set(key, 'one');
    const { action, node, prevNode } = await firstValueFrom(
      client.compareAndDelete$(key, { prevValue: 'one' }),
    );
    expect(action).toBe('compareAndDelete');
    expect(node).toMatchObject({ key });
    expect(node).not.toHaveProperty('value');
    expect(prevNode).toEqual(before.node);
    expect(await firstValueFrom(client.exists$(key))).toBe(false);
  });

  test('leaves the key alone when the value is another one', async () => {
    const { node } = await set(key, 'one');
    const error = await rejectionOf(client.compareAndDelete$(key, { prevValue: 'other' }));
    expect(isCompareFailed(error)).toBe(true);
    expect(error).toMatchObject({ errorCode: 101, reason: '[other != one]', status: 412 });
    expect((await get()).node).toEqual(node);
  });

  test('by index: leaves the key alone, or deletes it', async () => {
    const { node } = await set(key, 'one');
    const prevIndex = node.modifiedIndex!;
    const error = await rejectionOf(client.compareAndDelete$(key, { prevIndex: prevIndex + 1 }));
    expect(isCompareFailed(error)).toBe(true);
    expect(await firstValueFrom(client.exists$(key))).toBe(true);
    await firstValueFrom(client.compareAndDelete$(key, { prevIndex }));
    expect(await firstValueFrom(client.exists$(key))).toBe(false);
  });

  test('both conditions must hold', async () => {
    const { node } = await set(key, 'one');
    const prevIndex = node.modifiedIndex!;
    for (const wrong of [
      { prevValue: 'one', prevIndex: prevIndex + 1 },
      { prevValue: 'other', prevIndex },
    ])
      expect(isCompareFailed(await rejectionOf(client.compareAndDelete$(key, wrong)))).toBe(true);
    expect(await firstValueFrom(client.exists$(key))).toBe(true);
    await firstValueFrom(client.compareAndDelete$(key, { prevValue: 'one', prevIndex }));
    expect(await firstValueFrom(client.exists$(key))).toBe(false);
  });

  test.each(awkwardValues.filter(([, value]) => value !== ''))(
    'compares a value with %s',
    async (_, value) => {
      await set(key, `${value}!`);
      const error = await rejectionOf(client.compareAndDelete$(key, { prevValue: value }));
      expect(isCompareFailed(error)).toBe(true);
      await set(key, value);
      await firstValueFrom(client.compareAndDelete$(key, { prevValue: value }));
      expect(await firstValueFrom(client.exists$(key))).toBe(false);
    },
  );

  test('a missing key and a directory are errors', async () => {
    expect(isKeyNotFound(await rejectionOf(client.compareAndDelete$(key, { prevValue: 'x' })))).toBe(true);
    await makeDir(key);
    expect(isNotFile(await rejectionOf(client.compareAndDelete$(key, { prevIndex: 1 })))).toBe(true);
    expect(await firstValueFrom(client.exists$(key))).toBe(true);
  });
});
