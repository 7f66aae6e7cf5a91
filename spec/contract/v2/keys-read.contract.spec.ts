import { isKeyNotFound, isNotDirectory, type EtcdClient } from 'rxetcd';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { keysUnderTest } from '../../support/etcd/keys-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';

const keys = keysUnderTest();
const { server, get, set, makeDir } = keys;
let client: EtcdClient;
let key: string;

beforeEach(() => {
  ({ client, key } = keys);
});

describe('get$', () => {
  test('emits the node and completes', async () => {
    const written = await set(key, 'v');
    const { modifiedIndex } = written.node;
    const answers = await lastValueFrom(client.get$(key).pipe(toArray()));
    expect(answers).toEqual([
      {
        action: 'get',
        node: { key, value: 'v', createdIndex: modifiedIndex, modifiedIndex },
        info: { ...written.info, status: 200, raftIndex: expect.any(Number) as number },
      },
    ]);
  });

  test('tells what the server said beside the data', async () => {
    const created = await set(key, 'v');
    expect(created.info).toEqual({
      etcdIndex: created.node.modifiedIndex,
      raftIndex: expect.any(Number) as number,
      raftTerm: expect.any(Number) as number,
      clusterId: expect.stringMatching(/^[0-9a-f]+$/) as string,
      endpoint: server.url,
      status: 201,
    });
    const { info } = await get();
    expect(info.raftIndex).toBeGreaterThanOrEqual(created.info.raftIndex!);
    expect(info.raftTerm).toBeGreaterThan(0);
  });

  test('lists the children of a directory; with recursive everything below it', async () => {
    await set(`${key}/file`, '1');
    await set(`${key}/dir/deep/file`, '2');
    const flat = await get();
    expect(flat.node).toMatchObject({ key, dir: true });
    expect(flat.node.nodes?.map((node) => [node.key, node.dir, node.nodes]).sort()).toEqual([
      [`${key}/dir`, true, undefined],
      [`${key}/file`, undefined, undefined],
    ]);
    const tree = await firstValueFrom(client.get$(key, { recursive: true }));
    expect(tree.node.nodes).toContainEqual(
      expect.objectContaining({
        key: `${key}/dir`,
        nodes: [
          expect.objectContaining({
            key: `${key}/dir/deep`,
            nodes: [expect.objectContaining({ key: `${key}/dir/deep/file`, value: '2' })],
          }),
        ],
      }),
    );
  });

  test('sorted lists by key on every level', async () => {
    const names = Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + ((i * 7) % 20)));
    await Promise.all(names.map((name) => set(`${key}/sub/${name}`, name)));
    const { node } = await firstValueFrom(client.get$(key, { recursive: true, sorted: true }));
    const listed = node.nodes?.[0]?.nodes?.map(({ value }) => value);
    expect(listed).toEqual([...names].sort());
  });

  test('quorum goes through raft', async () => {
    await set(key, 'v');
    const { info } = await get();
    const through = await firstValueFrom(client.get$(key, { quorum: true }));
    expect(through.node.value).toBe('v');
    expect(through.info.raftIndex).toBeGreaterThan(info.raftIndex!);
    const missing = await rejectionOf(client.get$(`${key}-missing`, { quorum: true }));
    expect(isKeyNotFound(missing)).toBe(true);
  });

  test('the root has a key, and holds the others', async () => {
    await set(key, 'v');
    for (const name of ['/', '']) {
      const { node } = await get(name);
      expect(node).toMatchObject({ key: '/', dir: true });
      expect(node.nodes?.map((child) => child.key)).toContain(key);
    }
  });

  test('hidden keys are read by name and not listed', async () => {
    await set(`${key}/_hidden`, 'secret');
    await set(`${key}/seen`, 'v');
    const { node } = await firstValueFrom(client.get$(key, { recursive: true }));
    expect(node.nodes?.map((child) => child.key)).toEqual([`${key}/seen`]);
    expect((await get(`${key}/_hidden`)).node.value).toBe('secret');
  });

  test('an empty directory has no nodes', async () => {
    await makeDir(key);
    const { node } = await get();
    expect(node).toMatchObject({ key, dir: true });
    expect(node).not.toHaveProperty('nodes');
    expect(node).not.toHaveProperty('value');
  });

  test('a file in the path is an error of its own', async () => {
    await set(key, 'v');
    const error = await rejectionOf(client.get$(`${key}/below`));
    expect(isNotDirectory(error)).toBe(true);
    expect(error).toMatchObject({ errorCode: 104, reason: key, status: 400 });
  });
});

describe('getValue$ and exists$', () => {
  test('a file', async () => {
    await set(key, 'v');
    expect(await firstValueFrom(client.getValue$(key))).toBe('v');
    expect(await firstValueFrom(client.exists$(key))).toBe(true);
  });

  test('an empty value is a value', async () => {
    await set(key, '');
    expect(await firstValueFrom(client.getValue$(key))).toBe('');
    expect(await firstValueFrom(client.exists$(key))).toBe(true);
  });

  test('a missing key, also with quorum and below a file', async () => {
    await set(`${key}/file`, 'v');
    for (const name of [`${key}/missing`, `${key}/missing/too`, `${key}/file/below`]) {
      expect(await firstValueFrom(client.getValue$(name, { quorum: true }))).toBeUndefined();
      expect(await firstValueFrom(client.exists$(name))).toBe(false);
    }
  });

  test('a directory exists and has no value', async () => {
    await makeDir(key);
    expect(await firstValueFrom(client.getValue$(key))).toBeUndefined();
    expect(await firstValueFrom(client.exists$(key))).toBe(true);
  });
});
