import {
  EtcdApiError,
  EtcdErrorCode,
  isCompareFailed,
  isEtcdApiError,
  isInvalidOption,
  isKeyExists,
  isKeyNotFound,
  isNotDirectory,
  isNotFile,
  isUnsupportedByServer,
  type EtcdClient,
} from 'rxetcd';
import { firstValueFrom, forkJoin, lastValueFrom, toArray } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { rejectionOf } from '../support/rejection.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { WatchLog } from '../support/watch-log.js';

const server = serverUnderTest();
let client: EtcdClient;
let key: string;

beforeEach(() => {
  client = server.client();
  key = server.key();
});

const get = (name = key) => firstValueFrom(client.get$(name));
const set = (name: string, value: string) => firstValueFrom(client.set$(name, value));
const gone = (name: string) =>
  eventually(async () => expect(await firstValueFrom(client.exists$(name))).toBe(false));
const makeDir = async (name: string) => {
  const { status } = await server.fetch(`/keys${name}`, {
    method: 'PUT',
    body: new URLSearchParams({ dir: 'true' }),
  });
  expect(status).toBe(201);
};

/** Values that a form or a query would change if they were not encoded. */
const awkwardValues = [
  ['nothing', ''],
  ['a semicolon', 'a;b=c;'],
  ['an ampersand', 'a&b=c&'],
  ['a plus', '1+1 = 2'],
  ['a percent sign', '100%, %41, %zz'],
  ['line ends', 'one\ntwo\r\nthree\n'],
  ['unicode', 'Zürich, 東京, 🦊, \u2028, \u0000'],
  ['HTML', '<a href="x">&amp;</a>'],
  ['JSON', '{"a":["\\"",1]}'],
] as const;

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

  test('a missing key is an error that says all that etcd says', async () => {
    const { node } = await set(`${key}/sibling`, 'v');
    const error = await rejectionOf(client.get$(`${key}/missing`));
    expect(isKeyNotFound(error)).toBe(true);
    expect(error).toBeInstanceOf(EtcdApiError);
    expect(error).toMatchObject({
      name: 'EtcdApiError',
      code: 'API_ERROR',
      errorCode: EtcdErrorCode.KeyNotFound,
      reason: `${key}/missing`,
      index: node.modifiedIndex,
      status: 404,
      endpoint: server.url,
    });
  });

  test('an error holds its try with the answer', async () => {
    const before = Date.now();
    const error = (await rejectionOf(client.get$(key))) as EtcdApiError;
    expect(error.attempts).toEqual([
      {
        endpoint: server.url,
        error: expect.stringContaining('Key not found') as string,
        status: 404,
        body: expect.stringContaining('"errorCode":100') as string,
        at: expect.any(Date) as Date,
        durationMs: expect.any(Number) as number,
      },
    ]);
    const [{ at, durationMs } = { at: new Date(0), durationMs: -1 }] = error.attempts;
    expect(at.getTime()).toBeGreaterThanOrEqual(before - 1);
    expect(durationMs).toBeGreaterThan(0);
    expect(error.message.split('\n')).toHaveLength(2);
    expect(error.message).toContain(key);
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

describe('create$', () => {
  test('creates a key that does not exist, with ttl if asked', async () => {
    const { action, node, info } = await firstValueFrom(client.create$(key, 'v;&', { ttl: 50 }));
    expect(action).toBe('create');
    expect(node).toMatchObject({ key, value: 'v;&', ttl: 50 });
    expect(info.status).toBe(201);
  });

  test('leaves an existing key as it is', async () => {
    const { node } = await set(key, 'first');
    const error = await rejectionOf(client.create$(key, 'second'));
    expect(isKeyExists(error)).toBe(true);
    expect(error).toMatchObject({
      errorCode: EtcdErrorCode.KeyExists,
      reason: key,
      index: node.modifiedIndex,
      status: 412,
    });
    expect((await get()).node).toEqual(node);
  });

  test('of many at once exactly one succeeds', async () => {
    const answers = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) => firstValueFrom(client.create$(key, String(i)))),
    );
    const winners = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const losers = answers.flatMap((answer) =>
      answer.status === 'rejected' ? [answer.reason as unknown] : [],
    );
    expect(winners).toHaveLength(1);
    expect(losers.every(isKeyExists)).toBe(true);
    expect((await get()).node.value).toBe(winners[0]?.node.value);
  });
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

describe('createInOrder$', () => {
  test('makes ascending names below the directory', async () => {
    const answers = [];
    for (const value of ['a', 'b', 'c'])
      answers.push(await firstValueFrom(client.createInOrder$(key, value)));
    const keys = answers.map(({ node }) => node.key);
    expect(answers[0]).toMatchObject({ action: 'create', node: { value: 'a' }, info: { status: 201 } });
    expect(keys.every((name) => new RegExp(`^${key}/\\d{20}$`).test(name))).toBe(true);
    expect([...keys].sort()).toEqual(keys);
    const { node } = await firstValueFrom(client.get$(key, { sorted: true }));
    expect(node.nodes?.map(({ value }) => value)).toEqual(['a', 'b', 'c']);
  });

  test('many at once: each has its own name, in the order of their indexes', async () => {
    const answers = await firstValueFrom(
      forkJoin(Array.from({ length: 30 }, (_, i) => client.createInOrder$(key, String(i)))),
    );
    const byIndex = answers
      .map(({ node }) => node)
      .sort((a, b) => a.modifiedIndex! - b.modifiedIndex!)
      .map((node) => node.key);
    expect(new Set(byIndex).size).toBe(30);
    expect([...byIndex].sort()).toEqual(byIndex);
  });

  test('with ttl the entry expires', async () => {
    const { node } = await firstValueFrom(client.createInOrder$(key, 'v', { ttl: 1 }));
    expect(node.ttl).toBe(1);
    await gone(node.key);
  });

  test('not below a file', async () => {
    await set(key, 'v');
    expect(isNotDirectory(await rejectionOf(client.createInOrder$(key, 'v')))).toBe(true);
  });
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

describe('keys', () => {
  test.each([
    'with space',
    ' around ',
    'Zürich 東京 🦊',
    '100%',
    '%41%2F',
    'a?b=c',
    'a#b',
    'a+b',
    'a&b;c=d',
    "it's (fine)!*",
    'a:b@c',
    '<tag>"quoted"\\',
    '...',
    'line\nend',
  ])('%j names one key, for every operation', async (name) => {
    const awkward = `${key}/${name}`;
    const log = await new WatchLog(client, awkward).live();
    expect((await set(awkward, '1')).node.key).toBe(awkward);
    expect((await get(awkward)).node).toMatchObject({ key: awkward, value: '1' });
    expect((await get()).node.nodes?.map((node) => node.key)).toEqual([awkward]);
    await firstValueFrom(client.compareAndSwap$(awkward, '2', { prevValue: '1' }));
    await firstValueFrom(client.delete$(awkward));
    await log.count(3);
    expect(log.lines).toEqual([`set ${awkward}=1`, `compareAndSwap ${awkward}=2`, `delete ${awkward}`]);
  });

  test('slashes around a key make no difference', async () => {
    const { node } = await set(`${key}/a/b`, 'v');
    for (const name of [`${key}/a/b/`, `${key.slice(1)}/a/b`, `//${key}/a/b//`])
      expect((await get(name)).node).toEqual(node);
  });

  test('a key as long as any call on it may send is served, one character more is refused unsent', async () => {
    // The longest lines: a delete's, and those of a watch and its question for the index.
    const rest = '/_rxetcd?wait=true&recursive=true&sorted=true&quorum=true&waitIndex=9007199254740991';
    const room = 4096 - `DELETE /v2/keys${rest} HTTP/1.1\r\n`.length;
    const longest = `${key}/`.padEnd(room, 'x');
    const fresh = server.client({ discover: false });
    await firstValueFrom(fresh.set$(longest, 'v'));
    expect(await firstValueFrom(fresh.getValue$(longest, { quorum: true }))).toBe('v');
    await firstValueFrom(fresh.delete$(longest, { recursive: true }));
    expect(isKeyNotFound(await rejectionOf(fresh.get$(longest)))).toBe(true);
    for (const refused$ of [
      fresh.get$(`${longest}x`),
      fresh.set$(`${longest}x`, 'v'),
      fresh.watch$(`${longest}x`),
    ]) {
      const error = await rejectionOf(refused$);
      expect(isInvalidOption(error)).toBe(true);
      expect(error).toMatchObject({ option: 'key', value: `${longest}x`, attempts: [] });
    }
  });
});

test.each(awkwardValues.filter(([, value]) => value !== ''))(
  'every call that writes a value keeps one with %s',
  async (_, value) => {
    await firstValueFrom(client.create$(key, value));
    expect((await get()).node.value).toBe(value);
    await firstValueFrom(client.update$(key, `${value}${value}`));
    expect((await get()).node.value).toBe(`${value}${value}`);
    await firstValueFrom(client.compareAndSwap$(key, value, { prevValue: `${value}${value}` }));
    expect((await get()).node.value).toBe(value);
    const { node } = await firstValueFrom(client.createInOrder$(`${key}-queue`, value));
    expect((await get(node.key)).node.value).toBe(value);
  },
);

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

test('an error of etcd is told from all others', async () => {
  const missing = await rejectionOf(client.get$(key));
  const refused = await rejectionOf(client.set$(key, 'v', { ttl: -1 }));
  expect([missing, refused].map(isEtcdApiError)).toEqual([true, false]);
  expect([missing, refused].map(isInvalidOption)).toEqual([false, true]);
});
