import { EtcdErrorCode, isInvalidOption, isNotDirectory, isNotFile, type EtcdClient } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { awkwardValues } from '../../support/values/awkward-values.js';
import { keysUnderTest } from '../../support/etcd/keys-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';

const keys = keysUnderTest();
const { get, set, gone } = keys;
let client: EtcdClient;
let key: string;

beforeEach(() => {
  ({ client, key } = keys);
});

describe('set$', () => {
  test('creates, then replaces and tells what was there', async () => {
    const first = await set(key, '1');
    expect(first).toMatchObject({ action: 'set', node: { key, value: '1' }, info: { status: 201 } });
    expect(first).not.toHaveProperty('prevNode');
    const second = await set(key, '2');
    expect(second).toMatchObject({
      action: 'set',
      node: { key, value: '2', createdIndex: second.info.etcdIndex },
      prevNode: first.node,
      info: { status: 200 },
    });
  });

  test.each(awkwardValues)('keeps a value with %s', async (_, value) => {
    expect((await set(key, value)).node.value).toBe(value);
    expect((await get()).node.value).toBe(value);
  });

  test('with ttl the key expires', async () => {
    const { node } = await firstValueFrom(client.set$(key, 'v', { ttl: 1 }));
    expect(node.ttl).toBe(1);
    expect(Date.parse(node.expiration ?? '')).toBeGreaterThan(Date.now() - 60_000);
    await gone(key);
  });

  test('without ttl an earlier one is removed', async () => {
    const { node } = await firstValueFrom(client.set$(key, 'v', { ttl: 100 }));
    expect(node.ttl).toBe(100);
    await set(key, 'w');
    const later = await get();
    expect(later.node).not.toHaveProperty('ttl');
    expect(later.node).not.toHaveProperty('expiration');
  });

  test('ttl: 0 expires the key at once', async () => {
    await set(key, 'v');
    await firstValueFrom(client.set$(key, 'v', { ttl: 0 }));
    await gone(key);
  });

  test('noValueOnSuccess spares the values and still tells the index', async () => {
    await set(key, 'before');
    const answer = await firstValueFrom(client.set$(key, 'after', { noValueOnSuccess: true }));
    const { node } = await get();
    expect(node.value).toBe('after');
    expect(answer).toEqual({
      action: 'set',
      node: { key, modifiedIndex: node.modifiedIndex, createdIndex: node.createdIndex },
      info: expect.objectContaining({ status: 200, etcdIndex: node.modifiedIndex }) as object,
    });
  });

  test('noValueOnSuccess of a new key, and of one with a TTL', async () => {
    const created = await firstValueFrom(client.set$(key, 'v', { noValueOnSuccess: true, ttl: 100 }));
    const { node } = await get();
    expect(node).toMatchObject({ value: 'v', ttl: 100 });
    expect(created.info.status).toBe(201);
    expect(created.node).toEqual({
      key,
      modifiedIndex: node.modifiedIndex,
      createdIndex: node.createdIndex,
    });
  });

  test('a form of exactly 10 MiB is stored, one byte more is refused unsent', async () => {
    const room = 10 * 1024 * 1024 - 'value=&noValueOnSuccess=true'.length;
    const largest = 'x'.repeat(room);
    const { node } = await firstValueFrom(client.set$(key, largest, { noValueOnSuccess: true }));
    const error = await rejectionOf(client.set$(key, `${largest}x`, { noValueOnSuccess: true }));
    expect(isInvalidOption(error)).toBe(true);
    expect(error).toMatchObject({ option: 'value', attempts: [] });
    const stored = await get();
    expect(stored.node.modifiedIndex).toBe(node.modifiedIndex);
    expect(stored.node.value === largest).toBe(true); // not toBe: it would print 20 MB
  });

  test('a directory is not overwritten', async () => {
    await set(`${key}/child`, 'v');
    const error = await rejectionOf(client.set$(key, 'v'));
    expect(isNotFile(error)).toBe(true);
    expect(error).toMatchObject({ errorCode: 102, reason: key, status: 403 });
    expect(await firstValueFrom(client.getValue$(`${key}/child`))).toBe('v');
  });

  test('a file in the path is an error', async () => {
    await set(key, 'v');
    expect(isNotDirectory(await rejectionOf(client.set$(`${key}/below`, 'v')))).toBe(true);
  });

  test('the root is read-only', async () => {
    const error = await rejectionOf(client.set$('/', 'v'));
    expect(error).toMatchObject({ errorCode: EtcdErrorCode.RootReadOnly, status: 400 });
  });
});
