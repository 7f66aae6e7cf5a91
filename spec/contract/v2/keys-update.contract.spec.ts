import { isKeyNotFound, isNotFile, isUnsupportedByServer, type EtcdClient } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { keysUnderTest } from '../../support/etcd/keys-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { WatchLog } from '../../support/promises/watch-log.js';

const keys = keysUnderTest();
const { server, get, set, gone, makeDir } = keys;
let client: EtcdClient;
let key: string;

beforeEach(() => {
  ({ client, key } = keys);
});

describe('update$', () => {
  test('changes an existing key and keeps its createdIndex', async () => {
    const before = await set(key, '1');
    const { action, node, prevNode } = await firstValueFrom(client.update$(key, '2'));
    expect(action).toBe('update');
    expect(node).toMatchObject({ key, value: '2', createdIndex: before.node.createdIndex });
    expect(node.modifiedIndex).toBeGreaterThan(before.node.modifiedIndex!);
    expect(prevNode).toEqual(before.node);
  });

  test('gives a ttl, and without one removes it', async () => {
    await set(key, '1');
    expect((await firstValueFrom(client.update$(key, '2', { ttl: 60 }))).node.ttl).toBe(60);
    await firstValueFrom(client.update$(key, '3'));
    expect((await get()).node).not.toHaveProperty('ttl');
  });

  test('does not create', async () => {
    const error = await rejectionOf(client.update$(key, 'v'));
    expect(isKeyNotFound(error)).toBe(true);
    expect(error).toMatchObject({ reason: key, status: 404 });
    expect(await firstValueFrom(client.exists$(key))).toBe(false);
  });

  test('a directory is not updated with a value', async () => {
    await makeDir(key);
    expect(isNotFile(await rejectionOf(client.update$(key, 'v')))).toBe(true);
  });

  // etcd takes an empty value for none, and so for an update of the directory's ttl; 3.5 cannot do that.
  test('a directory is updated by an empty value before 3.5, and from 3.5 on that is an error', async () => {
    await makeDir(key);
    if (['3.3', '3.4'].includes(server.release)) {
      expect((await firstValueFrom(client.update$(key, ''))).node).toMatchObject({ key, dir: true });
    } else {
      const error = await rejectionOf(client.update$(key, ''));
      expect(isUnsupportedByServer(error)).toBe(true);
      expect(error).toMatchObject({ attempts: [{ status: 500 }] });
    }
  });
});

describe('refresh$', () => {
  test('keeps the value, gives a new ttl and is no event', async () => {
    await firstValueFrom(client.set$(key, 'kept', { ttl: 100 }));
    const log = await new WatchLog(client, key).live();
    const { action, node, prevNode } = await firstValueFrom(client.refresh$(key, 200));
    expect(action).toBe('update');
    expect(node).toMatchObject({ value: 'kept', ttl: 200 });
    expect(prevNode).toMatchObject({ value: 'kept', ttl: expect.any(Number) as number });
    expect((await get()).node).toMatchObject({ value: 'kept', modifiedIndex: node.modifiedIndex });
    await set(key, 'next');
    await log.count(1);
    expect(log.lines).toEqual([`set ${key}=next`]);
  });

  test('keeps a key alive beyond its first ttl', async () => {
    await firstValueFrom(client.set$(key, 'kept', { ttl: 1 }));
    await firstValueFrom(client.set$(`${key}-witness`, 'v', { ttl: 1 }));
    await firstValueFrom(client.refresh$(key, 100));
    await gone(`${key}-witness`);
    expect((await get()).node.value).toBe('kept');
  });

  test('a missing key is an error', async () => {
    expect(isKeyNotFound(await rejectionOf(client.refresh$(key, 5)))).toBe(true);
    expect(await firstValueFrom(client.exists$(key))).toBe(false);
  });

  // 3.5 answers 500 "Not a file" with errorCode 300: it cannot do that, and nothing was done.
  test('a directory gets the ttl before 3.5, and from 3.5 on an error', async () => {
    await makeDir(key);
    if (['3.3', '3.4'].includes(server.release)) {
      expect((await firstValueFrom(client.refresh$(key, 90))).node).toMatchObject({ dir: true, ttl: 90 });
    } else {
      const error = await rejectionOf(client.refresh$(key, 90));
      expect(isUnsupportedByServer(error)).toBe(true);
      expect(error).toMatchObject({ attempts: [{ status: 500 }] });
      expect((error as Error).message).toContain('Not a file');
      expect((await get()).node).not.toHaveProperty('ttl');
    }
  });
});
