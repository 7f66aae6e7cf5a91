import {
  EtcdErrorCode,
  isDirectoryNotEmpty,
  isKeyExists,
  isKeyNotFound,
  isNotDirectory,
  isNotFile,
  isNotFound,
  isUnsupportedByServer,
  type ClientEvent,
  type EtcdClient,
} from 'rxetcd';
import { firstValueFrom, forkJoin, lastValueFrom, toArray, type Observable } from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import { headlineOf } from '../../support/jest/headline.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';
import { WatchLog } from '../../support/promises/watch-log.js';

const server = serverUnderTest();
let client: EtcdClient;
let key: string;

beforeEach(() => {
  client = server.client();
  key = server.key();
});

const node = async (name = key) => (await firstValueFrom(client.get$(name, { recursive: true }))).node;
const set = (name: string, value: string) => firstValueFrom(client.set$(name, value));
const makeDir = (name = key, ttl?: number) => firstValueFrom(client.createDir$(name, { ttl }));
const exists = (name: string) => firstValueFrom(client.exists$(name));
const gone = (name: string) => eventually(async () => !(await exists(name)));
/** What a call writes; a look at the directory before that does not count. */
const writesOf = async (call$: Observable<unknown>): Promise<{ error: unknown; writes: string[] }> => {
  const writes: string[] = [];
  const listening = client.events$.subscribe((event: ClientEvent) => {
    if (event.type === 'request' && event.method !== 'GET') writes.push(`${event.method} ${event.path}`);
  });
  const error = await rejectionOf(call$);
  listening.unsubscribe();
  return { error, writes };
};

describe('setDir$', () => {
  test('makes a directory, emits it once and completes', async () => {
    const answers = await lastValueFrom(client.setDir$(key).pipe(toArray()));
    expect(answers).toEqual([
      {
        action: 'set',
        node: {
          key,
          dir: true,
          createdIndex: expect.any(Number) as number,
          modifiedIndex: expect.any(Number) as number,
        },
        info: expect.objectContaining({ status: 201, endpoint: server.url }) as object,
      },
    ]);
    expect(answers[0]?.info.etcdIndex).toBe(answers[0]?.node.modifiedIndex);
    expect(await node()).toEqual(answers[0]?.node);
  });

  test('makes those above it, too', async () => {
    await firstValueFrom(client.setDir$(`${key}/a/b`));
    expect(await node(`${key}/a`)).toMatchObject({ dir: true, nodes: [{ key: `${key}/a/b`, dir: true }] });
  });

  test('leaves a directory as it is', async () => {
    await set(`${key}/child`, 'v');
    const error = await rejectionOf(client.setDir$(key, { ttl: 100 }));
    expect(isNotFile(error)).toBe(true);
    expect(error).toMatchObject({ errorCode: EtcdErrorCode.NotFile, reason: key, status: 403 });
    expect(error).toMatchObject({ endpoint: server.url });
    expect(headlineOf(error)).toBe(`setDir ${key}: Not a file (${key}) [102]`);
    expect(await node()).toMatchObject({ nodes: [{ value: 'v' }] });
    expect(await node()).not.toHaveProperty('ttl');
  });

  test('replaces a file, and tells what it held', async () => {
    const { node: file } = await set(key, 'v');
    const { node: dir, prevNode, info } = await firstValueFrom(client.setDir$(key));
    expect(dir).toMatchObject({ key, dir: true });
    expect(dir).not.toHaveProperty('value');
    expect(prevNode).toEqual(file);
    expect(info.status).toBe(200);
  });

  test('not below a file, and not the root', async () => {
    await set(key, 'v');
    const below = await rejectionOf(client.setDir$(`${key}/below`));
    expect(isNotDirectory(below)).toBe(true);
    expect(below).toMatchObject({ status: 400, reason: key });
    const root = await rejectionOf(client.setDir$('/'));
    expect(root).toMatchObject({ errorCode: EtcdErrorCode.RootReadOnly, status: 400 });
    expect(headlineOf(root)).toBe('setDir /: Root is read only (/) [107]');
  });
});

describe('createDir$', () => {
  test('makes a directory where nothing is', async () => {
    const { action, node: dir, info } = await firstValueFrom(client.createDir$(`${key}/`, { ttl: 100 }));
    expect(action).toBe('create');
    expect(dir).toMatchObject({ key, dir: true, ttl: 100 });
    expect(info.status).toBe(201);
  });

  test('leaves alone what is there: a directory', async () => {
    await set(`${key}/child`, 'v');
    const error = await rejectionOf(client.createDir$(key));
    expect(isKeyExists(error)).toBe(true);
    expect(error).toMatchObject({ errorCode: 105, status: 412, reason: key, endpoint: server.url });
    expect(headlineOf(error)).toBe(`createDir ${key}: Key already exists (${key}) [105]`);
    expect(await node()).toMatchObject({ nodes: [{ value: 'v' }] });
  });

  test('leaves alone what is there: a file', async () => {
    const { node: file } = await set(key, 'v');
    expect(isKeyExists(await rejectionOf(client.createDir$(key)))).toBe(true);
    expect(await node()).toEqual(file);
  });

  test('of many at once exactly one succeeds', async () => {
    const answers = await Promise.allSettled(Array.from({ length: 8 }, () => makeDir()));
    const failures = answers.flatMap((a) => (a.status === 'rejected' ? [a.reason as unknown] : []));
    expect(failures).toHaveLength(7);
    expect(failures.every(isKeyExists)).toBe(true);
  });
});

describe('updateDir$', () => {
  // Before 3.5; see the next test.
  const canUpdate = () => ['3.3', '3.4'].includes(server.release);

  test('gives a directory a TTL, another one, and none; 3.5 cannot, and the old TTL stays', async () => {
    await makeDir(key, 100);
    await set(`${key}/child`, 'v');
    if (canUpdate()) {
      const { action, node: dir } = await firstValueFrom(client.updateDir$(key, { ttl: 500 }));
      expect(action).toBe('update');
      expect(dir).toMatchObject({ key, dir: true, ttl: 500 });
      expect((await node()).ttl).toBeGreaterThan(400);
      await firstValueFrom(client.updateDir$(key));
      expect(await node()).not.toHaveProperty('ttl');
      expect(await node()).not.toHaveProperty('expiration');
    } else {
      const { expiration } = await node();
      for (const options of [{ ttl: 500 }, {}]) {
        const error = await rejectionOf(client.updateDir$(key, options));
        expect(isUnsupportedByServer(error)).toBe(true);
        expect(headlineOf(error)).toMatch(
          new RegExp(`^updateDir ${key}: etcd 3\\.5\\.\\d+ cannot update a directory, nor its TTL$`),
        );
        expect(error).toMatchObject({ endpoint: server.url });
      }
      expect((await node()).expiration).toBe(expiration);
    }
    expect((await node()).nodes).toMatchObject([{ key: `${key}/child`, value: 'v' }]);
  });

  test('leaves a file untouched: etcd alone would empty it', async () => {
    const { node: file } = await firstValueFrom(client.set$(key, 'precious', { ttl: 1_000 }));
    for (const options of [{}, { ttl: 500 }]) {
      const { error, writes } = await writesOf(client.updateDir$(key, options));
      expect(isNotDirectory(error)).toBe(true);
      expect(error).toMatchObject({ errorCode: 104, status: 400, reason: key, endpoint: server.url });
      expect(headlineOf(error)).toBe(`updateDir ${key}: Not a directory (${key}) [104]`);
      expect(writes).toEqual([]);
    }
    const { value, modifiedIndex, expiration } = await node();
    expect({ value, modifiedIndex, expiration }).toEqual({
      value: 'precious',
      modifiedIndex: file.modifiedIndex,
      expiration: file.expiration,
    });
  });

  test('makes nothing', async () => {
    const { error, writes } = await writesOf(client.updateDir$(key));
    expect(isKeyNotFound(error) && isNotFound(error)).toBe(true);
    expect(headlineOf(error)).toBe(`updateDir ${key}: Key not found (${key}) [100]`);
    expect(writes).toEqual([]);
    expect(await exists(key)).toBe(false);
  });

  test('not the root', async () => {
    const error = await rejectionOf(client.updateDir$('/', { ttl: 5 }));
    expect(error).toMatchObject({ errorCode: EtcdErrorCode.RootReadOnly });
  });
});

describe('createDirInOrder$', () => {
  test('makes ascending directories, which a sorted listing keeps in order', async () => {
    const made = [];
    for (let i = 0; i < 3; i++) made.push(await firstValueFrom(client.createDirInOrder$(key)));
    expect(made[0]).toMatchObject({ action: 'create', node: { dir: true }, info: { status: 201 } });
    const keys = made.map((answer) => answer.node.key);
    expect(keys.every((name) => new RegExp(`^${key}/\\d{20}$`).test(name))).toBe(true);
    expect([...keys].sort()).toEqual(keys);
    for (const name of keys) await set(`${name}/of`, name);
    const { node: listed } = await firstValueFrom(client.get$(key, { sorted: true, recursive: true }));
    expect(listed.nodes?.map((dir) => [dir.key, dir.nodes?.[0]?.value])).toEqual(keys.map((k) => [k, k]));
  });

  test('many at once: each has its own, in the order of their indexes', async () => {
    const made = await firstValueFrom(
      forkJoin(Array.from({ length: 20 }, () => client.createDirInOrder$(key))),
    );
    const byIndex = made
      .map((answer) => answer.node)
      .sort((a, b) => a.modifiedIndex! - b.modifiedIndex!)
      .map((dir) => dir.key);
    expect(new Set(byIndex).size).toBe(20);
    expect([...byIndex].sort()).toEqual(byIndex);
  });

  test('not below a file, which stays', async () => {
    await set(key, 'v');
    expect(isNotDirectory(await rejectionOf(client.createDirInOrder$(key)))).toBe(true);
    expect((await node()).value).toBe('v');
  });
});

describe('deleteDir$', () => {
  test('deletes an empty directory', async () => {
    const { node: dir } = await makeDir();
    const { action, node: deleted, prevNode } = await firstValueFrom(client.deleteDir$(key));
    expect(action).toBe('delete');
    expect(deleted).toMatchObject({ key, dir: true, createdIndex: dir.createdIndex });
    expect(prevNode).toMatchObject({ key, dir: true });
    expect(await exists(key)).toBe(false);
  });

  test('one that is not empty stays, unless recursive', async () => {
    await set(`${key}/a/b`, 'v');
    const error = await rejectionOf(client.deleteDir$(key));
    expect(isDirectoryNotEmpty(error)).toBe(true);
    expect(error).toMatchObject({ errorCode: 108, status: 403, reason: key, endpoint: server.url });
    expect(headlineOf(error)).toBe(`deleteDir ${key}: Directory not empty (${key}) [108]`);
    expect(await exists(`${key}/a/b`)).toBe(true);
    await firstValueFrom(client.deleteDir$(key, { recursive: true }));
    expect(await exists(key)).toBe(false);
  });

  test('hidden children count, too', async () => {
    await set(`${key}/_hidden`, 'v');
    expect(isDirectoryNotEmpty(await rejectionOf(client.deleteDir$(key)))).toBe(true);
    expect(await exists(`${key}/_hidden`)).toBe(true);
  });

  test('leaves a file untouched, recursive or not: etcd alone would delete it', async () => {
    const { node: file } = await set(key, 'precious');
    for (const recursive of [undefined, false, true]) {
      const { error, writes } = await writesOf(client.deleteDir$(key, { recursive }));
      expect(isNotDirectory(error)).toBe(true);
      expect(headlineOf(error)).toBe(`deleteDir ${key}: Not a directory (${key}) [104]`);
      expect(writes).toEqual([]);
    }
    expect(await node()).toEqual(file);
  });

  test('a missing one is an error, and the root stays', async () => {
    expect(isKeyNotFound(await rejectionOf(client.deleteDir$(key)))).toBe(true);
    const error = await rejectionOf(client.deleteDir$('/', { recursive: true }));
    expect(error).toMatchObject({ errorCode: EtcdErrorCode.RootReadOnly });
  });
});

describe('a directory with a TTL', () => {
  test('expires with all that is in it, and that is one event', async () => {
    const log = await new WatchLog(client, key).live();
    const within = await new WatchLog(client, `${key}/set/deep/file`).live();
    await firstValueFrom(client.setDir$(`${key}/set`, { ttl: 2 }));
    await firstValueFrom(client.createDir$(`${key}/create`, { ttl: 2 }));
    const { node: inOrder } = await firstValueFrom(client.createDirInOrder$(key, { ttl: 2 }));
    expect(inOrder.ttl).toBe(2);
    expect((await node(`${key}/set`)).ttl).toBeLessThanOrEqual(2);
    await set(`${key}/set/deep/file`, 'v');
    await Promise.all([`${key}/set`, `${key}/create`, inOrder.key].map(gone));
    expect(await exists(`${key}/set/deep/file`)).toBe(false);
    await log.count(7);
    await within.count(2);
    const expired = log.lines.filter((line) => line.startsWith('expire'));
    expect([...expired].sort()).toEqual(
      [`${key}/set`, `${key}/create`, inOrder.key].map((name) => `expire ${name}`).sort(),
    );
    expect(within.lines).toEqual([`set ${key}/set/deep/file=v`, `expire ${key}/set`]);
  });

  test('ttl: 0 expires at once', async () => {
    await firstValueFrom(client.createDir$(key, { ttl: 0 }));
    await gone(key);
  });

  test('a child may expire before it', async () => {
    await makeDir(key, 1_000);
    await firstValueFrom(client.set$(`${key}/child`, 'v', { ttl: 1 }));
    await gone(`${key}/child`);
    expect(await node()).toMatchObject({ dir: true });
  });
});

test.each(['with space', 'Zürich 東京', '100%', 'a?b=c;d&e', '...'])('%j names a directory', async (name) => {
  const awkward = `${key}/${name}`;
  expect((await firstValueFrom(client.setDir$(awkward))).node.key).toBe(awkward);
  const { node: child } = await firstValueFrom(client.createDirInOrder$(awkward));
  expect(child.key.startsWith(`${awkward}/`)).toBe(true);
  await firstValueFrom(client.deleteDir$(awkward, { recursive: true }));
  expect(await exists(awkward)).toBe(false);
});
