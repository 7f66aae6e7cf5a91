import { EtcdErrorCode, isCompareFailed, isUnsupportedByServer, type EtcdClient } from 'rxetcd';
import { firstValueFrom, type Observable } from 'rxjs';
import type { OldEtcd } from '../../support/old-etcd/old-etcd.js';
import type { OldRelease } from '../../support/old-etcd/old-etcd-release.js';
import { oldEtcdUnderTest } from '../../support/old-etcd/old-etcd-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { from, legacy } from './old-releases.js';

const old = oldEtcdUnderTest();
let etcd: OldEtcd;
let client: EtcdClient;

async function start(release: OldRelease): Promise<void> {
  etcd = await old.start(release);
  client = old.client(etcd, { deadline: 5_000 });
}
const value = <T>(source$: Observable<T>): Promise<T> => firstValueFrom(source$);

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

describe('an update without a ttl where the key has one', () => {
  const calls: [string, () => Observable<unknown>][] = [
    ['update$', () => client.update$('/f', 'new')],
    ['compareAndSwap$', () => client.compareAndSwap$('/f', 'new', { prevValue: 'old' })],
  ];
  const keeping = (['0.2.0-rc1', '0.2.0'] as const).flatMap((release) =>
    calls.map(([name, call]) => [release, name, call] as [OldRelease, string, typeof call]),
  );

  test.each(keeping)(
    'etcd %s would keep it: %s is refused, and nothing is written',
    async (release, _, call) => {
      await start(release);
      await value(client.set$('/f', 'old', { ttl: 100 }));
      await value(client.refreshCluster$());
      const before = etcd.keyRequests.length;
      const error = await rejectionOf(call());
      expect(isUnsupportedByServer(error) ? error.message : error).toMatch(
        `etcd ${release} cannot do this (it would keep the TTL that the key has): pass ttl, or use set$`,
      );
      expect(etcd.keyRequests.slice(before)).toEqual(['GET /v2/keys/f']);
      expect(etcd.store.files).toEqual({ '/f': 'old' });
    },
  );

  test.each(keeping)('etcd %s: %s goes through where there is none', async (release, _, call) => {
    await start(release);
    etcd.set('/f', 'old');
    await value(client.refreshCluster$());
    await value(call());
    expect(etcd.store.files).toEqual({ '/f': 'new' });
  });

  test('etcd 0.2.0: by a follower, too, which asks the leader', async () => {
    etcd = await old.start('0.2.0', 3);
    client = old.client(etcd, { deadline: 5_000 });
    await value(client.refreshCluster$());
    await value(client.set$('/f', 'old', { ttl: 100 }));
    expect(isUnsupportedByServer(await rejectionOf(client.update$('/f', 'new')))).toBe(true);
    expect(etcd.store.files).toEqual({ '/f': 'old' });
    await value(client.update$('/f', 'new', { ttl: 50 }));
    expect(etcd.store.files).toEqual({ '/f': 'new' });
  });

  test.each(from('0.4.9'))('etcd %s removes it, and is not asked before', async (release) => {
    await start(release);
    await value(client.set$('/f', 'old', { ttl: 100 }));
    await value(client.refreshCluster$());
    const before = etcd.keyRequests.length;
    expect((await value(client.update$('/f', 'new'))).node).not.toHaveProperty('expiration');
    expect(etcd.keyRequests.slice(before)).toHaveLength(1);
  });

  test.each(legacy)('etcd %s demands one for a directory: updateDir$ says so', async (release) => {
    await start(release);
    await value(client.createDir$('/d', { ttl: 100 }));
    await value(client.refreshCluster$());
    const before = etcd.keyRequests.length;
    const error = await rejectionOf(client.updateDir$('/d'));
    expect(isUnsupportedByServer(error) ? error.message : error).toMatch(
      `etcd ${release} cannot do this (it demands a ttl); etcd 2.0.0 and later can`,
    );
    expect(etcd.keyRequests.slice(before).filter((request) => !request.startsWith('GET '))).toEqual([]);
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
