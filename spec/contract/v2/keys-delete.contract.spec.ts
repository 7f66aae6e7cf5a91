import { EtcdErrorCode, isKeyNotFound, isNotFile, type EtcdClient } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { keysUnderTest } from '../../support/etcd/keys-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';

const keys = keysUnderTest();
const { set, makeDir } = keys;
let client: EtcdClient;
let key: string;

beforeEach(() => {
  ({ client, key } = keys);
});

describe('delete$', () => {
  test('deletes a key and tells what was there', async () => {
    const { node: before } = await set(key, 'v');
    const { action, node, prevNode, info } = await firstValueFrom(client.delete$(key));
    expect(action).toBe('delete');
    expect(node).toEqual({ key, createdIndex: before.createdIndex, modifiedIndex: info.etcdIndex });
    expect(prevNode).toEqual(before);
    expect(await firstValueFrom(client.exists$(key))).toBe(false);
  });

  test('a missing key is an error', async () => {
    expect(isKeyNotFound(await rejectionOf(client.delete$(key)))).toBe(true);
  });

  test('a directory is deleted with recursive only', async () => {
    await set(`${key}/a/b`, 'v');
    const error = await rejectionOf(client.delete$(key));
    expect(isNotFile(error)).toBe(true);
    expect(error).toMatchObject({ errorCode: 102, reason: key, status: 403 });
    expect(await firstValueFrom(client.exists$(`${key}/a/b`))).toBe(true);
    const { action, node, prevNode } = await firstValueFrom(client.delete$(key, { recursive: true }));
    expect(action).toBe('delete');
    expect(node).toMatchObject({ key, dir: true });
    expect(prevNode).toMatchObject({ key, dir: true });
    expect(await firstValueFrom(client.exists$(key))).toBe(false);
  });

  test('an empty directory too', async () => {
    await makeDir(key);
    expect(isNotFile(await rejectionOf(client.delete$(key)))).toBe(true);
    expect(await firstValueFrom(client.exists$(key))).toBe(true);
  });

  test('recursive deletes a file as well', async () => {
    await set(key, 'v');
    await firstValueFrom(client.delete$(key, { recursive: true }));
    expect(await firstValueFrom(client.exists$(key))).toBe(false);
  });

  test('the root stays', async () => {
    await set(key, 'v');
    const error = await rejectionOf(client.delete$('/', { recursive: true }));
    expect(error).toMatchObject({ errorCode: EtcdErrorCode.RootReadOnly });
    expect(await firstValueFrom(client.exists$(key))).toBe(true);
  });
});
