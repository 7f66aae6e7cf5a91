import {
  isClientClosed,
  isRequestTimeout,
  isWatchHistoryLost,
  type ClientOptions,
  type EtcdClient,
  type KeyResponse,
  type WatchEvent,
} from 'rxetcd';
import { rmSync } from 'node:fs';
import {
  concatMap,
  filter,
  firstValueFrom,
  lastValueFrom,
  mergeMap,
  range,
  take,
  timer,
  toArray,
} from 'rxjs';
import { eventually } from '../support/eventually.js';
import { startHeaderStripper } from '../support/header-stripper.js';
import { runSeed, seededRandom } from '../support/random.js';
import { rejectionOf } from '../support/rejection.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { ordered } from '../support/validators.js';
import { WatchLog } from '../support/watch-log.js';

const server = serverUnderTest();
let client: EtcdClient;
let key: string;

beforeEach(() => {
  client = server.client();
  key = server.key();
});

const set = (name: string, value: string, ttl?: number) =>
  firstValueFrom(client.set$(name, value, ttl === undefined ? {} : { ttl }));
const remove = (name: string) => firstValueFrom(client.delete$(name, { recursive: true }));
/** The index of the latest change to a key of this test that nobody watches. */
const mark = async () => (await set(`${key}-mark`, '')).node.modifiedIndex!;
const watch = (name: string, options?: ConstructorParameters<typeof WatchLog>[2]) => {
  const log = new WatchLog(client, name, options);
  server.afterwards(() => log.unsubscribe());
  return log;
};
/** What a plain watch of etcd's answers at once. */
const rawHistory = async (name: string, waitIndex: number) => {
  const query = `wait=true&recursive=true&waitIndex=${waitIndex}`;
  const { action, node } = (await (await server.fetch(`/keys${name}?${query}`)).json()) as KeyResponse;
  return `${action} ${node.key}`;
};
/** Changes enough, elsewhere, to push all that was before out of etcd's history of 1,000 events. */
const flood = (writes = 1_100) =>
  lastValueFrom(range(0, writes).pipe(mergeMap((i) => client.set$(`${key}-flood`, String(i)), 32)));
const restart = async () => {
  await firstValueFrom(server.member.restart$());
  await firstValueFrom(server.member.ready$());
};
const put = (name: string, form: Record<string, string>) =>
  server.fetch(`/keys${name}`, { method: 'PUT', body: new URLSearchParams(form) });

/** Writes at random until told to stop, and keeps what should have been seen of it. */
function startWriter(dir: string) {
  const random = seededRandom(runSeed);
  const written: KeyResponse[] = [];
  const stopping = new AbortController();
  const running = (async () => {
    for (let i = 0; !stopping.signal.aborted; i += 1) {
      const name = `${dir}/${random.int(10)}`;
      const exists = await firstValueFrom(client.exists$(name));
      const write$ = exists && random.int(4) === 0 ? client.delete$(name) : client.set$(name, String(i));
      written.push(await firstValueFrom(write$));
    }
  })();
  const stop = async () => {
    stopping.abort();
    await running;
    return written.at(-1)!.node.modifiedIndex!;
  };
  server.afterwards(stop);
  return { written, stop, reached: (count: number) => eventually(() => written.length >= count) };
}

const lineOf = ({ action, node }: KeyResponse | WatchEvent) =>
  `${node.modifiedIndex!} ${action} ${node.key}=${node.value ?? ''}`;

/** What stands below a directory after these events. */
function fold(events: readonly WatchEvent[]): Record<string, string> {
  const state = new Map<string, string>();
  for (const { action, node } of events) {
    if (action === 'sync') for (const child of node.nodes ?? []) state.set(child.key, child.value!);
    else if (node.value === undefined) state.delete(node.key);
    else state.set(node.key, node.value);
  }
  return Object.fromEntries([...state].sort());
}

async function stored(dir: string): Promise<Record<string, string>> {
  const { node } = await firstValueFrom(client.get$(dir, { sorted: true }));
  return Object.fromEntries((node.nodes ?? []).map((child) => [child.key, child.value!]));
}

describe('a watch from now on', () => {
  test('emits what happens once it stands, and not what was before', async () => {
    const before = await set(key, 'before');
    const log = await watch(key).live();
    const { node } = await set(key, 'after');
    const [event] = await log.count(1);
    expect(event).toEqual({
      action: 'set',
      node,
      prevNode: before.node,
      index: node.modifiedIndex,
      info: {
        etcdIndex: expect.any(Number) as number,
        raftIndex: expect.any(Number) as number,
        raftTerm: expect.any(Number) as number,
        clusterId: before.info.clusterId,
        endpoint: server.url,
        status: 200,
      },
    });
    expect(log.completed).toBe(false);
  });

  test('shows every action of etcd', async () => {
    const log = await watch(key).live();
    await set(key, '1');
    await firstValueFrom(client.compareAndSwap$(key, '2', { prevValue: '1' }));
    await firstValueFrom(client.update$(key, '3'));
    await firstValueFrom(client.delete$(key));
    await firstValueFrom(client.create$(key, '4'));
    await firstValueFrom(client.compareAndDelete$(key, { prevValue: '4' }));
    const last = await set(key, '5', 1);
    const events = await log.count(8);
    expect(log.lines).toEqual([
      `set ${key}=1`,
      `compareAndSwap ${key}=2`,
      `update ${key}=3`,
      `delete ${key}`,
      `create ${key}=4`,
      `compareAndDelete ${key}`,
      `set ${key}=5`,
      `expire ${key}`,
    ]);
    expect(events[7]).toMatchObject({ prevNode: { value: '5' } });
    expect(events[7]?.index).toBeGreaterThan(last.node.modifiedIndex!);
    expect(events.map(({ index }) => index)).toEqual(events.map(({ node }) => node.modifiedIndex));
  });

  test('sees everything below its key', async () => {
    const log = await watch(key).live();
    await set(`${key}/a`, '1');
    await set(`${key}/b/c`, '2');
    const { node } = await firstValueFrom(client.createInOrder$(`${key}/queue`, '3'));
    await remove(`${key}/b`);
    await remove(key);
    await log.count(5);
    expect(log.lines).toEqual([
      `set ${key}/a=1`,
      `set ${key}/b/c=2`,
      `create ${node.key}=3`,
      `delete ${key}/b`,
      `delete ${key}`,
    ]);
  });

  test('without recursive sees its own key only', async () => {
    const log = await watch(key, { recursive: false }).live();
    await set(`${key}/a`, '1');
    await remove(key);
    await set(key, '2');
    await log.count(2);
    expect(log.lines).toEqual([`delete ${key}`, `set ${key}=2`]);
  });

  test('sees no neighbour whose name begins alike', async () => {
    const log = await watch(key).live();
    await set(`${key}x`, '1');
    await set(`${key}x/y`, '1').catch(() => undefined);
    await remove(`${key}x`);
    await set(key, '2');
    await log.count(1);
    expect(log.lines).toEqual([`set ${key}=2`]);
  });

  test('sees hidden keys only when they are named', async () => {
    const [above, named] = [watch(key), watch(`${key}/_hidden`)];
    await Promise.all([above.live(), named.live()]);
    await set(`${key}/_hidden/a`, '1');
    await set(`${key}/seen`, '2');
    await Promise.all([above.count(1), named.count(1)]);
    expect(above.lines).toEqual([`set ${key}/seen=2`]);
    expect(named.lines).toEqual([`set ${key}/_hidden/a=1`]);
  });

  test('of the root sees all keys', async () => {
    const log = await watch('/').live();
    await set(`${key}/a`, '1');
    await set(key.replace('/', '/_'), 'hidden');
    await set(`${key}-b`, '2');
    await log.count(2);
    expect(log.lines).toEqual([`set ${key}/a=1`, `set ${key}-b=2`]);
  });

  test.each([true, false])('sees a deleted directory above its key, recursive: %p', async (recursive) => {
    await set(`${key}/dir/file`, '1');
    const log = await watch(`${key}/dir/file`, { recursive }).live();
    const { node } = await remove(key);
    const [event] = await log.count(1);
    expect(event).toMatchObject({ action: 'delete', node: { key, dir: true }, index: node.modifiedIndex });
  });

  test('sees an expired directory above its key', async () => {
    await put(key, { dir: 'true', ttl: '1' });
    await set(`${key}/file`, '1');
    const log = await watch(`${key}/file`).live();
    await log.count(1);
    expect(log.lines).toEqual([`expire ${key}`]);
  });
});

describe('initial', () => {
  test('begins with the key as it is', async () => {
    const { node } = await set(key, 'now');
    const index = await mark();
    const log = watch(key, { initial: true });
    const [sync] = await log.count(1);
    expect(sync).toMatchObject({ action: 'sync', node, info: { endpoint: server.url, status: 200 } });
    expect(sync).not.toHaveProperty('prevNode');
    expect(sync?.index).toBeGreaterThanOrEqual(index);
    await set(key, 'later');
    await log.count(2);
    expect(log.lines).toEqual([`sync ${key}=now`, `set ${key}=later`]);
  });

  test('of a missing key begins with its name alone', async () => {
    const index = await mark();
    const log = watch(key, { initial: true });
    const [sync] = await log.count(1);
    expect(sync).toMatchObject({ action: 'sync', info: { status: 404 } });
    expect(sync?.node).toEqual({ key });
    expect(sync?.index).toBeGreaterThanOrEqual(index);
    await set(key, '1');
    await log.count(2);
    expect(log.lines).toEqual([`sync ${key}`, `set ${key}=1`]);
  });

  test('of a key below a file begins with its name alone', async () => {
    await set(key, 'file');
    const [sync] = await watch(`${key}/below`, { initial: true }).count(1);
    expect(sync).toMatchObject({ action: 'sync', node: { key: `${key}/below` } });
    expect(sync?.node).toEqual({ key: `${key}/below` });
  });

  test('of a directory begins with all that is in it', async () => {
    await set(`${key}/a/b`, '1');
    await set(`${key}/_hidden`, '2');
    const [sync] = await watch(key, { initial: true }).count(1);
    expect(sync?.node).toMatchObject({
      key,
      dir: true,
      nodes: [{ key: `${key}/a`, dir: true, nodes: [{ key: `${key}/a/b`, value: '1' }] }],
    });
    expect(sync?.node.nodes).toHaveLength(1);
  });

  test('of a directory without recursive begins with its children', async () => {
    await set(`${key}/a/b`, '1');
    const [sync] = await watch(key, { initial: true, recursive: false }).count(1);
    expect(sync?.node).toMatchObject({ key, dir: true, nodes: [{ key: `${key}/a`, dir: true }] });
    expect(sync?.node.nodes?.[0]).not.toHaveProperty('nodes');
  });

  test('of the root begins with the root', async () => {
    const [sync] = await watch('/', { initial: true }).count(1);
    expect(sync?.node).toMatchObject({ key: '/', dir: true });
  });

  test('state and changes fit together while somebody writes', async () => {
    const writer = startWriter(key);
    await writer.reached(20);
    const logs: WatchLog[] = [];
    for (let i = 0; i < 10; i += 1) {
      logs.push(watch(key, { initial: true }));
      await logs[i]!.count(3);
    }
    const last = await writer.stop();
    const truth = await stored(key);
    for (const log of logs) {
      const [sync, ...changes] = await log.reach(last);
      const after = writer.written.filter(({ node }) => node.modifiedIndex! > sync!.index);
      expect(changes.map(lineOf)).toEqual(after.map(lineOf));
      expect(fold(log.events)).toEqual(truth);
    }
  });
});

describe('fromIndex', () => {
  test('begins in history and goes on live', async () => {
    const from = (await set(key, '1')).node.modifiedIndex!;
    await set(`${key}-other`, 'x');
    await set(key, '2', 1);
    await eventually(async () => !(await firstValueFrom(client.exists$(key))));
    const log = watch(key, { fromIndex: from });
    await log.count(3);
    await set(key, '3');
    await log.count(4);
    expect(log.lines).toEqual([`set ${key}=1`, `set ${key}=2`, `expire ${key}`, `set ${key}=3`]);
    expect(ordered(log.events)).toEqual([]);
  });

  test('one above an event leaves that event out', async () => {
    const first = await set(key, '1');
    await set(key, '2');
    const log = watch(key, { fromIndex: first.node.modifiedIndex! + 1 });
    await log.count(1);
    expect(log.lines).toEqual([`set ${key}=2`]);
  });

  test('one above the latest change waits for the next', async () => {
    const index = await mark();
    const log = await watch(key, { fromIndex: index + 1 }).live();
    await set(key, '1');
    await log.count(1);
    expect(log.lines).toEqual([`set ${key}=1`]);
  });

  test('any event can be resumed from', async () => {
    const from = await mark();
    for (let i = 0; i < 20; i += 1) await set(`${key}/${i % 3}`, String(i));
    const whole = await watch(key, { fromIndex: from }).count(20);
    for (const [i, { index }] of whole.entries()) {
      if (i === 19) break;
      const rest = await watch(key, { fromIndex: index + 1 }).count(19 - i);
      expect(rest.map(lineOf)).toEqual(whole.slice(i + 1).map(lineOf));
    }
  });

  test('leaves hidden keys out, which etcd puts into history', async () => {
    const from = await mark();
    await set(`${key}/_hidden`, '1');
    await set(`${key}/a/_b/c`, '2');
    await remove(`${key}/_hidden`);
    await set(`${key}/seen`, '3');
    expect(await rawHistory(key, from)).toBe(`set ${key}/_hidden`);
    const log = watch(key, { fromIndex: from });
    await log.count(1);
    await set(`${key}/seen`, '4');
    await log.count(2);
    expect(log.lines).toEqual([`set ${key}/seen=3`, `set ${key}/seen=4`]);
  });

  test('leaves out the delete of a directory whose name begins alike, which etcd confuses', async () => {
    await set(`${key}/pre/a`, '1');
    const from = await mark();
    await remove(`${key}/pre`);
    await set(`${key}/prefix/b`, '2');
    expect(await rawHistory(`${key}/prefix`, from)).toBe(`delete ${key}/pre`);
    for (const recursive of [true, false]) {
      const log = watch(`${key}/prefix/b`, { fromIndex: from, recursive });
      await log.count(1);
      expect(log.lines).toEqual([`set ${key}/prefix/b=2`]);
    }
    const log = watch(`${key}/prefix`, { fromIndex: from });
    await log.count(1);
    expect(log.lines).toEqual([`set ${key}/prefix/b=2`]);
  });

  test('shows a deleted directory above its key', async () => {
    await set(`${key}/dir/file`, '1');
    const from = await mark();
    await remove(key);
    await set(`${key}/dir/file`, '2');
    for (const recursive of [true, false]) {
      const log = watch(`${key}/dir/file`, { fromIndex: from, recursive });
      await log.count(2);
      expect(log.lines).toEqual([`delete ${key}`, `set ${key}/dir/file=2`]);
    }
  });

  test('shows no refresh, which is no change', async () => {
    const from = await mark();
    await set(key, '1', 100);
    await firstValueFrom(client.refresh$(key, 200));
    await set(key, '2');
    const log = watch(key, { fromIndex: from });
    await log.count(2);
    expect(log.lines).toEqual([`set ${key}=1`, `set ${key}=2`]);
  });
});

describe('until', () => {
  test('is asked after its event was emitted, so that it can count what it has', async () => {
    const got: string[] = [];
    let over = false;
    client.watch$(key, { initial: true, until: () => got.length >= 2 }).subscribe({
      next: ({ node }) => got.push(node.value ?? ''),
      complete: () => (over = true),
    });
    await eventually(() => got.length === 1);
    await set(key, 'second');
    await set(key, 'third');
    await eventually(() => over);
    expect(got).toEqual(['', 'second']);
  });

  test('the accepted event is the last, and the server is rid of the watch', async () => {
    const log = await watch(key, { until: ({ node }) => node.value === 'stop' }).live();
    for (const value of ['1', 'stop', '2']) await set(key, value);
    await log.until(() => log.completed);
    expect(log.lines).toEqual([`set ${key}=1`, `set ${key}=stop`]);
    await eventually(async () => expect(await server.watchers()).toBe(0));
  });

  test('is asked of the state as well', async () => {
    await set(key, 'ready');
    const events = await lastValueFrom(
      client
        .watch$(key, { initial: true, until: ({ node }) => node.value === 'ready' })
        .pipe(toArray<WatchEvent>()),
    );
    expect(events.map(({ action }) => action)).toEqual(['sync']);
  });
});

describe('watchOnce$', () => {
  test('emits the next change and completes', async () => {
    const live = firstValueFrom(client.events$.pipe(filter(({ type }) => type === 'watch-live')));
    const events = lastValueFrom(client.watchOnce$(key).pipe(toArray()));
    await live;
    await set(`${key}/a`, '1');
    await set(`${key}/b`, '2');
    expect((await events).map(lineOf)).toEqual([expect.stringMatching(`set ${key}/a=1$`)]);
    await eventually(async () => expect(await server.watchers()).toBe(0));
  });

  test('with fromIndex answers from history', async () => {
    const from = await mark();
    await set(`${key}/below`, '1');
    await set(key.concat('/below'), '2');
    const event = await firstValueFrom(client.watchOnce$(key, { fromIndex: from }));
    expect(lineOf(event)).toMatch(`set ${key}/below=1`);
  });

  test('without recursive waits for its own key', async () => {
    const from = await mark();
    await set(`${key}/below`, '1');
    await remove(key);
    const event = await firstValueFrom(client.watchOnce$(key, { fromIndex: from, recursive: false }));
    expect(lineOf(event)).toMatch(`delete ${key}=`);
  });

  test('ends in RequestTimeoutError when nothing comes in time, and the server is rid of it', async () => {
    const error = await rejectionOf(client.watchOnce$(key, { timeout: 50 }));
    expect(isRequestTimeout(error)).toBe(true);
    expect(error).toMatchObject({ name: 'RequestTimeoutError', timeoutMs: 50 });
    await eventually(async () => expect(await server.watchers()).toBe(0));
  });
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

describe('under load', () => {
  test('500 sets in a row: all, in order, none twice', async () => {
    const [tree, single] = [watch(key), watch(`${key}/3`, { recursive: false })];
    await Promise.all([tree.live(), single.live()]);
    const written = await lastValueFrom(
      range(0, 500).pipe(
        concatMap((i) => client.set$(`${key}/${i % 7}`, String(i))),
        toArray(),
      ),
    );
    const last = written.at(-1)!.node.modifiedIndex;
    await tree.reach(last);
    expect(tree.events.map(lineOf)).toEqual(written.map(lineOf));
    const own = written.filter(({ node }) => node.key === `${key}/3`);
    await single.reach(own.at(-1)!.node.modifiedIndex);
    expect(single.events.map(lineOf)).toEqual(own.map(lineOf));
  });

  test('500 sets side by side: all, in order, none twice', async () => {
    const log = await watch(key).live();
    const written = await lastValueFrom(
      range(0, 500).pipe(
        mergeMap((i) => client.set$(`${key}/${i}`, String(i)), 16),
        toArray(),
      ),
    );
    const byIndex = [...written].sort((a, b) => a.node.modifiedIndex! - b.node.modifiedIndex!);
    await log.reach(byIndex.at(-1)!.node.modifiedIndex);
    expect(log.events.map(lineOf)).toEqual(byIndex.map(lineOf));
  });

  test('200 keys that expire in the same moment: all', async () => {
    const log = await watch(key).live();
    await lastValueFrom(range(0, 200).pipe(mergeMap((i) => client.set$(`${key}/${i}`, '', { ttl: 1 }), 16)));
    await log.count(400);
    const expired = log.events.filter(({ action }) => action === 'expire').map(({ node }) => node.key);
    expect(new Set(expired).size).toBe(200);
    expect(log.events).toHaveLength(400);
    expect(ordered(log.events)).toEqual([]);
  });
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

describe('through restarts of the server', () => {
  const again = (options: ClientOptions = {}) => server.client({ heartbeat: 500, ...options });
  const follow = (watcher: EtcdClient, ...rest: [options?: ConstructorParameters<typeof WatchLog>[2]]) => {
    const log = new WatchLog(watcher, key, ...rest);
    server.afterwards(() => log.unsubscribe());
    return log;
  };
  beforeEach(() => {
    server.afterwards(() => (server.member.state === 'running' ? undefined : restart()));
  });

  test('what is written before the watch is back is seen, also by one that had seen nothing yet', async () => {
    const log = await follow(again()).live();
    await restart();
    client = again();
    for (const value of ['1', '2', '3']) await set(key, value);
    await log.count(3);
    await restart();
    client = again();
    for (const value of ['4', '5']) await set(key, value);
    await log.count(5);
    expect(log.lines).toEqual(['1', '2', '3', '4', '5'].map((value) => `set ${key}=${value}`));
  });

  test('a watch subscribed while the server is down begins when it is back', async () => {
    await set(key, 'before');
    await firstValueFrom(server.member.kill$());
    const log = follow(again(), { initial: true });
    await restart();
    await log.count(1);
    client = again();
    await set(key, 'after');
    await log.count(2);
    expect(log.lines).toEqual([`sync ${key}=before`, `set ${key}=after`]);
  });

  test('1,400 foreign writes do not cost a quiet watch its place', async () => {
    const log = await follow(again()).live();
    const from = await mark();
    await lastValueFrom(
      timer(0, 50).pipe(
        take(140),
        concatMap(() => range(0, 10).pipe(mergeMap((i) => client.set$(`${key}-foreign/${i}`, '')))),
      ),
    );
    expect(await mark()).toBeGreaterThan(from + 1_400);
    await firstValueFrom(server.member.kill$());
    await restart();
    client = again();
    await set(key, 'seen');
    await log.count(1);
    expect(log.lines).toEqual([`set ${key}=seen`]);
  });

  test('without a heartbeat they do, and a resync says so', async () => {
    const log = await follow(again({ heartbeat: false })).live();
    await flood();
    await firstValueFrom(server.member.kill$());
    await restart();
    client = again();
    await set(key, 'there');
    await log.count(1);
    expect(log.lines[0]).toMatch(/^resync/);
    await log.until(() => log.events.some(({ node }) => node.value === 'there'));
  });
});

describe('where etcd’s own headers cannot be read', () => {
  let blind: EtcdClient;
  const follow = (options?: ConstructorParameters<typeof WatchLog>[2]) => {
    const log = new WatchLog(blind, key, options);
    server.afterwards(() => log.unsubscribe());
    return log;
  };

  beforeEach(async () => {
    const stripper = await firstValueFrom(startHeaderStripper(server.url));
    server.afterwards(() => firstValueFrom(stripper.close$()));
    blind = server.client({ endpoints: stripper.url, discover: false, heartbeat: 500 });
    const { info } = await firstValueFrom(blind.get$('/'));
    expect(info).toEqual({ endpoint: stripper.url, status: 200 });
    expect(stripper.stripped).toBeGreaterThan(0);
  });

  test('a watch from now on sees all that happens once it stands', async () => {
    await set(key, 'before');
    const log = await follow().live();
    for (let i = 0; i < 50; i += 1) await set(`${key}/${i % 2}`, String(i)).catch(() => set(key, String(i)));
    await log.count(50);
    expect(log.events.map(({ node }) => node.value)).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
    expect(ordered(log.events)).toEqual([]);
  });

  test('while somebody writes: from the first event on none is missed, none comes twice', async () => {
    const writer = startWriter(key);
    await writer.reached(20);
    const logs: WatchLog[] = [];
    for (let i = 0; i < 5; i += 1) {
      logs.push(await follow().live());
      await writer.reached(writer.written.length + 20);
    }
    const last = await writer.stop();
    for (const log of logs) {
      const [first] = await log.reach(last);
      const after = writer.written.filter(({ node }) => node.modifiedIndex! >= first!.index);
      expect(log.events.map(lineOf)).toEqual(after.map(lineOf));
      expect(after.length).toBeGreaterThanOrEqual(20);
    }
  });

  test('initial: no change between state and events is missed', async () => {
    const writer = startWriter(key);
    await writer.reached(20);
    const logs: WatchLog[] = [];
    for (let i = 0; i < 5; i += 1) {
      logs.push(follow({ initial: true }));
      await logs[i]!.count(3);
    }
    const last = await writer.stop();
    const truth = await stored(key);
    for (const log of logs) {
      const [sync, ...changes] = await log.reach(last);
      expect(sync?.action).toBe('sync');
      expect(fold(log.events)).toEqual(truth);
      const after = writer.written.filter(({ node }) => node.modifiedIndex! > sync!.index);
      expect(changes.map(lineOf)).toEqual(after.map(lineOf));
    }
  });

  test('initial of a missing key', async () => {
    const index = await mark();
    const log = follow({ initial: true });
    const [sync] = await log.count(1);
    expect(sync?.node).toEqual({ key });
    expect(sync?.index).toBeGreaterThanOrEqual(index);
    await set(key, '1');
    await log.count(2);
    expect(log.lines).toEqual([`sync ${key}`, `set ${key}=1`]);
  });

  test('fromIndex begins in history and goes on live', async () => {
    const from = await mark();
    const written = [];
    for (let i = 0; i < 30; i += 1) written.push(await set(`${key}/${i % 4}`, String(i)));
    const log = follow({ fromIndex: from });
    await log.count(30);
    for (let i = 30; i < 40; i += 1) written.push(await set(`${key}/${i % 4}`, String(i)));
    await log.count(40);
    expect(log.events.map(lineOf)).toEqual(written.map(lineOf));
  });

  test('a lost history is one resync', async () => {
    const from = await mark();
    await flood();
    const { node } = await set(key, 'state');
    const log = follow({ fromIndex: from });
    const [resync] = await log.count(1);
    expect(resync).toMatchObject({ action: 'resync', node, lost: { from, to: resync?.index } });
    expect(resync?.index).toBeGreaterThanOrEqual(node.modifiedIndex!);
    await set(key, 'next');
    await log.count(2);
    expect(log.lines).toEqual([`resync ${key}=state`, `set ${key}=next`]);
  });

  test('a quiet watch that foreign writes pushed out of history says so', async () => {
    const log = await follow().live();
    server.afterwards(() => (server.member.state === 'running' ? undefined : restart()));
    await flood();
    await restart();
    client = server.client();
    await set(key, 'there');
    await log.until(() => log.events.some(({ node }) => node.value === 'there'));
    expect(log.events.filter(({ action }) => action === 'resync')).toHaveLength(1);
  });

  test('after a restart nothing that was written meanwhile is missing', async () => {
    const log = await follow().live();
    server.afterwards(() => (server.member.state === 'running' ? undefined : restart()));
    await restart();
    client = server.client();
    for (const value of ['1', '2', '3']) await set(key, value);
    await log.count(3);
    expect(log.lines).toEqual(['1', '2', '3'].map((value) => `set ${key}=${value}`));
  });
});

// Last, for it takes the server's data away.
test('a cluster rebuilt from the same flags is one resync, for a watch that goes on and for one resumed later', async () => {
  await flood(20);
  const log = await watch(key).live();
  await set(key, 'seen');
  const [seen] = await log.count(1);
  await firstValueFrom(server.member.kill$());
  rmSync(server.member.dataDir, { recursive: true });
  await restart();
  client = server.client();
  await set(key, 'rebuilt');
  await log.until(() => log.events.some(({ node }) => node.value === 'rebuilt'));
  const resumed = watch(key, { fromIndex: seen!.index + 1 });
  const [first] = await resumed.count(1);
  expect(first).toMatchObject({ action: 'resync', node: { key, value: 'rebuilt' } });
  await set(key, 'next');
  await log.until(() => log.lines.at(-1) === `set ${key}=next`);
  await resumed.count(2);
  expect(resumed.lines).toEqual([`resync ${key}=rebuilt`, `set ${key}=next`]);
  expect(log.events[1]?.action).toBe('resync');
  expect(log.events.filter(({ action }) => action === 'resync')).toHaveLength(1);
});
