import { isOutcomeUnknown, isUnsupportedByServer, type EtcdClient } from 'rxetcd';
import { firstValueFrom, lastValueFrom, toArray, type Observable } from 'rxjs';
import type { OldEtcd } from '../../support/old-etcd/old-etcd.js';
import type { OldRelease } from '../../support/old-etcd/old-etcd-release.js';
import { oldEtcdUnderTest } from '../../support/old-etcd/old-etcd-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { all, from, legacy } from './old-releases.js';

const old = oldEtcdUnderTest();
let etcd: OldEtcd;
let client: EtcdClient;

async function start(release: OldRelease): Promise<void> {
  etcd = await old.start(release);
  client = old.client(etcd, { deadline: 5_000 });
}
const value = <T>(source$: Observable<T>): Promise<T> => firstValueFrom(source$);

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
