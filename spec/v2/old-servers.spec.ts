import {
  EtcdApiError,
  EtcdErrorCode,
  isCompareFailed,
  isDirectoryNotEmpty,
  isKeyExists,
  isKeyNotFound,
  isNotDirectory,
  isNotFile,
  isOutcomeUnknown,
  isUnsupportedByServer,
  type EtcdClient,
} from 'rxetcd';
import { firstValueFrom, lastValueFrom, toArray, type Observable } from 'rxjs';
import { eventually } from '../support/eventually.js';
import type { OldEtcd } from '../support/old-etcd.js';
import type { OldRelease } from '../support/old-etcd-release.js';
import { oldEtcdUnderTest } from '../support/old-etcd-under-test.js';
import { rejectionOf } from '../support/rejection.js';

/*
 * The one place where an imitation stands for the real thing: these releases can no longer be installed. What the
 * imitation does was measured on 0.2.0-rc1, 0.2.0, 0.4.9 and 2.3.8.
 */
const all: OldRelease[] = ['0.2.0-rc1', '0.2.0', '0.4.9', '2.0.3', '2.2.5', '2.3.8'];
const legacy: OldRelease[] = ['0.2.0-rc1', '0.2.0', '0.4.7', '0.4.9'];
const from = (first: OldRelease) => all.slice(all.indexOf(first));

const old = oldEtcdUnderTest();
let etcd: OldEtcd;
let client: EtcdClient;

async function start(release: OldRelease): Promise<void> {
  etcd = await old.start(release);
  client = old.client(etcd, { deadline: 5_000 });
}
const value = <T>(source$: Observable<T>): Promise<T> => firstValueFrom(source$);

describe.each(all)('keys on etcd %s', (release) => {
  const isFlat = release === '0.2.0-rc1';
  beforeEach(() => start(release));

  test('set$ and get$', async () => {
    const created = await value(client.set$('/a', '1'));
    expect(created.action).toBe('set');
    expect(created.node).toMatchObject({ key: '/a', value: '1', modifiedIndex: etcd.store.index });
    expect(created).not.toHaveProperty('prevNode');
    expect(created.info).toMatchObject({ endpoint: etcd.first.url, status: 201 });

    const changed = await value(client.set$('/a', '2'));
    expect(changed.node).toMatchObject({ key: '/a', value: '2', modifiedIndex: etcd.store.index });
    expect(changed.info.status).toBe(200);
    // Measured: 0.2.0 never tells of the node before; the release candidate tells its value.
    if (release === '0.2.0') expect(changed).not.toHaveProperty('prevNode');
    else expect(changed.prevNode).toMatchObject({ key: '/a', value: '1' });

    const { action, node, info } = await value(client.get$('/a'));
    expect({ action, node }).toEqual({ action: 'get', node: changed.node });
    expect(info.etcdIndex).toBe(etcd.store.index);
  });

  test('an index that is a pointer is no index', async () => {
    const { info } = await value(client.set$('/a', '1'));
    if (isFlat) expect(info).not.toHaveProperty('etcdIndex');
    else expect(info.etcdIndex).toBe(etcd.store.index);
  });

  test('create$ and update$', async () => {
    const created = await value(client.create$('/a', '1'));
    expect(created).toMatchObject({ action: 'create', node: { key: '/a', value: '1' } });
    expect(isKeyExists(await rejectionOf(client.create$('/a', 'x')))).toBe(true);

    const updated = await value(client.update$('/a', '2'));
    expect(updated).toMatchObject({ action: 'update', node: { key: '/a', value: '2' } });
    expect(updated.node.createdIndex).toBe(created.node.createdIndex);
    expect(isKeyNotFound(await rejectionOf(client.update$('/b', 'x')))).toBe(true);
    expect(etcd.store.files).toEqual({ '/a': '2' });
  });

  test('compareAndSwap$', async () => {
    const { node } = await value(client.set$('/a', '1'));
    const byValue = await value(client.compareAndSwap$('/a', '2', { prevValue: '1' }));
    expect(byValue).toMatchObject({ action: 'compareAndSwap', node: { key: '/a', value: '2' } });
    const index = node.modifiedIndex!;
    const stale = await rejectionOf(client.compareAndSwap$('/a', 'x', { prevIndex: index }));
    const differs = await rejectionOf(
      client.compareAndSwap$('/a', 'x', { prevValue: 'y', prevIndex: index + 1 }),
    );
    expect([stale, differs].map(isCompareFailed)).toEqual([true, true]);
    // By number, whatever the status.
    expect((stale as EtcdApiError).status).toBe(isFlat ? 400 : 412);
    await value(client.compareAndSwap$('/a', '3', { prevValue: '2', prevIndex: index + 1 }));
    expect(etcd.store.files).toEqual({ '/a': '3' });
  });

  test('delete$', async () => {
    await value(client.set$('/a', '1'));
    const { action, node, prevNode } = await value(client.delete$('/a'));
    expect(action).toBe('delete');
    expect(node).not.toHaveProperty('value');
    if (release !== '0.2.0') expect(prevNode).toMatchObject({ key: '/a', value: '1' });
    const error = await rejectionOf(client.delete$('/a'));
    expect(isKeyNotFound(error)).toBe(true);
    expect((error as EtcdApiError).status).toBe(isFlat ? 400 : 404);
    expect(await value(client.getValue$('/a'))).toBeUndefined();
    expect(await value(client.exists$('/a'))).toBe(false);
  });

  test('a TTL comes back, and ends the key', async () => {
    const { node } = await value(client.set$('/a', '1', { ttl: 100 }));
    expect(node.ttl).toBe(100);
    expect(Date.parse(node.expiration ?? '')).toBeGreaterThan(Date.now() + 90_000);
    await value(client.set$('/a', '2', { ttl: 0 }));
    await eventually(async () => !(await value(client.exists$('/a'))));
  });

  test('a directory lists its children, with theirs if asked', async () => {
    await value(client.set$('/d/b', '2'));
    await value(client.set$('/d/a', '1'));
    await value(client.set$('/d/e/f', '3'));
    await value(client.set$('/d/_h', 'hidden'));
    const flat = await value(client.get$('/d', { sorted: true }));
    expect(flat.node).toMatchObject({ key: '/d', dir: true });
    expect(flat.node).not.toHaveProperty('value');
    expect(flat.node.nodes?.map(({ key, value: v, dir }) => [key, v, dir])).toEqual([
      ['/d/a', '1', undefined],
      ['/d/b', '2', undefined],
      ['/d/e', undefined, true],
    ]);
    const deep = await value(client.get$('/d', { sorted: true, recursive: true }));
    expect(deep.node.nodes?.[2]?.nodes?.[0]).toMatchObject({ key: '/d/e/f', value: '3' });
    const root = await value(client.get$('/'));
    expect(root.node).toMatchObject({ key: '/', dir: true, nodes: [{ key: '/d', dir: true }] });
    expect(await value(client.getValue$('/d/_h'))).toBe('hidden');
  });

  test('directories are made, filled and deleted', async () => {
    const made = await value(client.createDir$('/d', { ttl: 100 }));
    expect(made.node).toMatchObject({ key: '/d', dir: true, ttl: 100 });
    expect(made.node).not.toHaveProperty('value');
    expect(isKeyExists(await rejectionOf(client.createDir$('/d')))).toBe(true);
    expect(isNotFile(await rejectionOf(client.setDir$('/d')))).toBe(true);
    expect(isNotFile(await rejectionOf(client.set$('/d', 'x')))).toBe(true);
    expect((await value(client.updateDir$('/d', { ttl: 50 }))).node).toMatchObject({ key: '/d', ttl: 50 });
    await value(client.set$('/d/a', '1'));
    expect(isNotDirectory(await rejectionOf(client.set$('/d/a/b', 'x')))).toBe(true);
    expect(isNotDirectory(await rejectionOf(client.deleteDir$('/d/a')))).toBe(true);
    expect(isNotFile(await rejectionOf(client.delete$('/d')))).toBe(true);
    // Measured on 0.2.0-rc1: only recursive deletes a directory at all.
    const full = await rejectionOf(client.deleteDir$('/d'));
    expect(isFlat ? isNotFile(full) : isDirectoryNotEmpty(full)).toBe(true);
    expect(etcd.store.files).toEqual({ '/d/a': '1' });
    const { node } = await value(client.deleteDir$('/d', { recursive: true }));
    expect(node).toMatchObject({ key: '/d', dir: true });
    expect(etcd.store.files).toEqual({});
  });

  test('quorum: true is sent as that release calls it', async () => {
    await value(client.set$('/a', '1'));
    expect((await value(client.get$('/a', { quorum: true, sorted: true }))).node.value).toBe('1');
    expect(etcd.keyRequests.at(-1)).toBe(
      release.startsWith('0.')
        ? 'GET /v2/keys/a?sorted=true&consistent=true'
        : 'GET /v2/keys/a?sorted=true&quorum=true',
    );
  });

  test('raw$ gives the answer as it came', async () => {
    const set = await value(client.raw$('PUT', '/v2/keys/a', { data: { value: 'v' } }));
    expect([set.status, set.headers['content-type']]).toEqual([
      201,
      isFlat ? 'text/plain; charset=utf-8' : 'application/json',
    ]);
    const body = isFlat ? { key: '/a', value: 'v' } : { node: { key: '/a', value: 'v' } };
    expect(set.data).toMatchObject({ action: 'set', ...body });
    const missing = await value(client.raw$('GET', '/v2/keys/none'));
    expect(missing.status).toBe(isFlat ? 400 : 404);
    expect(missing.data).toMatchObject({ errorCode: EtcdErrorCode.KeyNotFound });
    const version = await value(client.raw$('GET', '/version'));
    if (release.startsWith('0.')) expect(version.data).toMatch(/^etcd v?0\./);
    else expect(version.data).toEqual(expect.any(Object));
    const nothing = await value(client.raw$('GET', '/v2/nothing'));
    expect([nothing.status, nothing.data]).toEqual([404, '404 page not found\n']);
  });
});

describe('the first call of a client, which knows nothing yet', () => {
  test.each(all)('on etcd %s reads as all others do', async (release) => {
    await start(release);
    etcd.set('/a', 'v');
    if (release !== '0.2.0-rc1') etcd.set('/e', '');
    const { node } = await value(client.get$('/a'));
    expect(node).toMatchObject({ key: '/a', value: 'v', modifiedIndex: expect.any(Number) as number });
    const listing = await value(old.client(etcd).get$('/', { sorted: true }));
    expect(listing.node.nodes?.map(({ key, value: v }) => [key, v])).toEqual([
      ['/a', 'v'],
      ...(release === '0.2.0-rc1' ? [] : [['/e', '']]),
    ]);
    if (release !== '0.2.0-rc1') expect(await value(old.client(etcd).getValue$('/e'))).toBe('');
  });

  test('on etcd 0.2.0 is refused where it would destroy something', async () => {
    await start('0.2.0');
    etcd.set('/f', 'kept');
    const fresh = old.client(etcd, { heartbeat: false });
    const error = await rejectionOf(fresh.compareAndDelete$('/f', { prevValue: 'other' }));
    expect(isUnsupportedByServer(error)).toBe(true);
    expect(etcd.store.files).toEqual({ '/f': 'kept' });
  });
});

describe('an empty value', () => {
  // Measured on 0.2.0: it is left out of every answer.
  test.each(from('0.2.0'))('on etcd %s it is read as one', async (release) => {
    await start(release);
    expect((await value(client.set$('/e', ''))).node.value).toBe('');
    expect((await value(client.get$('/e'))).node.value).toBe('');
    expect(await value(client.getValue$('/e'))).toBe('');
    await value(client.create$('/d/e', ''));
    expect((await value(client.get$('/d'))).node.nodes?.[0]?.value).toBe('');
    await value(client.set$('/e', 'full'));
    expect((await value(client.compareAndSwap$('/e', '', { prevValue: 'full' }))).node.value).toBe('');
    expect((await value(client.delete$('/e'))).node).not.toHaveProperty('value');
  });

  // Measured before 2.0: an update with neither a value nor a TTL is an error; an empty value counts as none.
  test.each(['0.2.0', '0.4.9'] as const)('on etcd %s an update to it is refused', async (release) => {
    await start(release);
    etcd.set('/e', 'full');
    const error = await rejectionOf(client.update$('/e', ''));
    expect(error).toMatchObject({ code: 'API_ERROR', errorCode: EtcdErrorCode.ValueOrTtlRequired });
    expect(etcd.store.files).toEqual({ '/e': 'full' });
  });
});

describe('what a release cannot do, or would do wrong, is refused, and nothing is sent', () => {
  const compare: [string, () => Observable<unknown>] = [
    'compareAndDelete$',
    () => client.compareAndDelete$('/f', { prevValue: 'other' }),
  ];
  const refresh: [string, () => Observable<unknown>] = ['refresh$', () => client.refresh$('/f', 50)];
  const early: [string, () => Observable<unknown>][] = [
    ['set$ of nothing', () => client.set$('/f', '')],
    ['create$ of nothing', () => client.create$('/g', '')],
    ['update$ to nothing', () => client.update$('/f', '')],
    ['compareAndSwap$ to nothing', () => client.compareAndSwap$('/f', '', { prevValue: 'kept' })],
    ['set$ of /', () => client.set$('/', 'x')],
    ['setDir$ of /', () => client.setDir$('/')],
    ['delete$ of /', () => client.delete$('/', { recursive: true })],
    ['createInOrder$', () => client.createInOrder$('/f', 'x')],
    ['createDirInOrder$', () => client.createDirInOrder$('/f')],
  ];
  const refused: [OldRelease, string, () => Observable<unknown>][] = [
    ...early.map(([name, call]) => ['0.2.0-rc1', name, call] as [OldRelease, string, typeof call]),
    ...(['0.2.0-rc1', '0.2.0'] as const).map(
      (release) => [release, ...compare] as [OldRelease, string, (typeof compare)[1]],
    ),
    ...(['0.2.0-rc1', '0.2.0', '0.4.7', '0.4.9', '2.0.3', '2.2.5'] as const).map(
      (release) => [release, ...refresh] as [OldRelease, string, (typeof refresh)[1]],
    ),
  ];

  test.each(refused)('etcd %s: %s', async (release, _, call) => {
    await start(release);
    etcd.set('/f', 'kept');
    const error = await rejectionOf(call());
    expect(isUnsupportedByServer(error) ? error.message : error).toMatch(`etcd ${release} cannot`);
    expect(etcd.keyRequests).toEqual([]);
    expect(etcd.store.files).toEqual({ '/f': 'kept' });
  });

  test('deleteDir$ of / on etcd 0.2.0-rc1 looks, and writes nothing', async () => {
    await start('0.2.0-rc1');
    etcd.set('/f', 'kept');
    const error = await rejectionOf(client.deleteDir$('/', { recursive: true }));
    expect(isUnsupportedByServer(error)).toBe(true);
    expect(etcd.keyRequests.filter((request) => !request.startsWith('GET '))).toEqual([]);
    expect(etcd.store.files).toEqual({ '/f': 'kept' });
  });

  test.each(from('0.4.9'))('etcd %s compares before it deletes', async (release) => {
    await start(release);
    etcd.set('/f', 'v');
    expect(isCompareFailed(await rejectionOf(client.compareAndDelete$('/f', { prevValue: 'x' })))).toBe(true);
    expect(etcd.store.files).toEqual({ '/f': 'v' });
    expect((await value(client.compareAndDelete$('/f', { prevValue: 'v' }))).action).toBe('compareAndDelete');
    expect(etcd.store.files).toEqual({});
  });

  test('etcd 2.3.8 refreshes', async () => {
    await start('2.3.8');
    etcd.set('/f', 'v');
    expect((await value(client.refresh$('/f', 50))).node).toMatchObject({ key: '/f', value: 'v', ttl: 50 });
  });

  test.each(from('0.2.0'))('etcd %s keeps its root', async (release) => {
    await start(release);
    const error = await rejectionOf(client.set$('/', 'x'));
    expect(error).toMatchObject({ code: 'API_ERROR', errorCode: EtcdErrorCode.RootReadOnly });
  });

  test.each(from('0.2.0'))('etcd %s creates in order', async (release) => {
    await start(release);
    const keys: string[] = [];
    for (const v of ['a', 'b']) keys.push((await value(client.createInOrder$('/q', v))).node.key);
    const { node } = await value(client.createDirInOrder$('/q'));
    expect(node.dir).toBe(true);
    // Measured: plain decimals first, padded with zeros since 2.3.
    const digits = release === '2.3.8' ? /^\/q\/0\d{19}$/ : /^\/q\/[1-9]\d*$/;
    for (const key of [...keys, node.key]) expect(key).toMatch(digits);
    expect(etcd.store.files).toEqual({ [keys[0]!]: 'a', [keys[1]!]: 'b' });
  });
});

describe('what is not there', () => {
  test.each(legacy)('etcd %s has no members, no auth', async (release) => {
    await start(release);
    // The first call finds that out as well, though it need not know the release yet.
    expect(isUnsupportedByServer(await rejectionOf(client.members.list$()))).toBe(true);
    await value(client.refreshCluster$());
    const calls: Observable<unknown>[] = [
      client.members.list$(),
      client.members.leader$(),
      client.members.add$(['http://10.0.0.9:2380']),
      client.members.update$('a1', ['http://10.0.0.9:2380']),
      client.members.remove$('a1'),
      client.auth.status$(),
      client.auth.enable$(),
      client.auth.users$(),
      client.auth.createUser$('u', 'p'),
      client.auth.deleteRole$('r'),
    ];
    for (const call of calls) {
      const error = await rejectionOf(call);
      expect(isUnsupportedByServer(error) ? error.message : error).toMatch(
        `etcd ${release} has no such call`,
      );
    }
  });
});

describe('what the servers say of themselves', () => {
  test.each<[OldRelease, object]>([
    ['0.2.0-rc1', { etcdserver: '0.2.0-rc1' }],
    ['0.2.0', { etcdserver: '0.2.0' }],
    ['0.4.7', { etcdserver: '0.4.7' }],
    ['0.4.9', { etcdserver: '0.4.9' }],
    ['2.0.3', { etcdserver: '2.0.3' }],
    ['2.2.5', { etcdserver: '2.2.5', etcdcluster: '2.2.0' }],
    ['2.3.8', { etcdserver: '2.3.8', etcdcluster: '2.3.0' }],
  ])('etcd %s: version$, versions$, machines$', async (release, version) => {
    await start(release);
    expect(await value(client.version$())).toEqual(version);
    const versions = await lastValueFrom(client.versions$().pipe(toArray()));
    expect(versions).toMatchObject([{ endpoint: etcd.first.url, ...version }]);
    expect(await value(client.machines$())).toEqual([etcd.first.url]);
  });

  test.each([...legacy, ...from('2.0.3')])('etcd %s: health$ and stats', async (release) => {
    await start(release);
    const health = await lastValueFrom(client.health$().pipe(toArray()));
    expect(health).toMatchObject([{ healthy: true, endpoint: etcd.first.url }]);
    const isOld = legacy.includes(release);
    const path = isOld ? '/v2/leader' : '/health';
    expect(etcd.first.server.requests.some((r) => r.path === path)).toBe(true);
    // Measured before 2.0: a member that never joined another does not know its name.
    expect(await value(client.stats.self$())).toMatchObject({ name: isOld ? '' : 'node0' });
    expect(await value(client.stats.leader$())).toMatchObject({ followers: {} });
    expect(await value(client.stats.store$())).toMatchObject({ watchers: 0 });
  });
});

describe('answers without JSON', () => {
  // Measured on 0.2.0: a leader without a majority gives up with a text; the write is done when the others are back.
  test('raft: Command timeout leaves the outcome unknown, and nothing is sent again', async () => {
    await start('0.2.0');
    await value(client.set$('/a', '1'));
    etcd.quorum = false;
    const error = await rejectionOf(client.set$('/a', '2'));
    expect(isOutcomeUnknown(error) ? error.attempts : error).toMatchObject([
      { status: 500, body: 'raft: Command timeout\n' },
    ]);
    etcd.quorum = true;
    expect(await value(client.getValue$('/a'))).toBe('2');
    expect(etcd.keyRequests.filter((r) => r.startsWith('PUT'))).toHaveLength(2);
  });

  // Measured on 0.4.9: no byte is ever sent.
  test('silence ends by the time limit', async () => {
    await start('0.4.9');
    await value(client.set$('/a', '1'));
    etcd.quorum = false;
    expect(isOutcomeUnknown(await rejectionOf(client.set$('/a', '2', { timeout: 100 })))).toBe(true);
    expect(etcd.keyRequests.filter((r) => r.startsWith('PUT'))).toHaveLength(2);
  });

  test('404 page not found', async () => {
    await start('0.4.9');
    const error = await rejectionOf(client.members.list$());
    expect(error).toMatchObject({
      code: 'UNSUPPORTED_BY_SERVER',
      attempts: [{ status: 404, body: '404 page not found\n' }],
    });
  });

  // Measured before 2.0: without /_etcd the members have forgotten each other, and themselves.
  test.each(legacy)('etcd %s: a cluster that has lost its list of members still serves', async (release) => {
    await start(release);
    etcd.remove('/_etcd');
    await value(client.set$('/a', '1'));
    expect(await value(client.getValue$('/a', { quorum: true }))).toBe('1');
    expect(await value(client.machines$())).toEqual([]);
  });
});
