import { isAllNodesDown, isOutcomeUnknown, type ClientOptions, type EtcdClient } from 'rxetcd';
import { filter, firstValueFrom, lastValueFrom, toArray, type Observable } from 'rxjs';
import type { OldEtcd, OldMember } from '../../support/old-etcd/old-etcd.js';
import type { OldRelease } from '../../support/old-etcd/old-etcd-release.js';
import { oldEtcdUnderTest } from '../../support/old-etcd/old-etcd-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';

const releases: OldRelease[] = ['0.2.0-rc1', '0.2.0', '0.4.9', '2.0.3', '2.2.5', '2.3.8'];
const legacy: OldRelease[] = ['0.2.0-rc1', '0.2.0', '0.4.9'];

const old = oldEtcdUnderTest();
let etcd: OldEtcd;
let client: EtcdClient;
let leader: OldMember;
let follower: OldMember;

const value = <T>(source$: Observable<T>): Promise<T> => firstValueFrom(source$);
const state = () => client.clusterState$.value;

async function start(release: OldRelease, options: ClientOptions = {}): Promise<void> {
  etcd = await old.start(release, 3);
  [leader, follower] = etcd.members as [OldMember, OldMember];
  client = old.client(etcd, { heartbeat: 100, ...options });
}

/** Follows the state until it is so. */
const until = (condition: (now: ReturnType<typeof state>) => boolean) =>
  firstValueFrom(client.clusterState$.pipe(filter(condition)));

describe.each(legacy)('three members of etcd %s', (release) => {
  test('are known by their names, the leader too', async () => {
    await start(release);
    const { members, hasQuorum } = await until(
      (now) => now.leader !== undefined && now.members.every((m) => m.status === 'running'),
    );
    expect(members.map((m) => [m.id, m.name, m.status, m.isLeader])).toEqual([
      ['node0', 'node0', 'running', true],
      ['node1', 'node1', 'running', false],
      ['node2', 'node2', 'running', false],
    ]);
    expect(members.map(({ clientURLs }) => clientURLs)).toEqual(etcd.urls.map((url) => [url]));
    expect(members.map(({ peerURLs }) => peerURLs)).toEqual(etcd.members.map(({ peer }) => [peer.url]));
    expect(hasQuorum).toBe(true);
    expect(members[0]?.toString()).toBe(`Member node0 (leader, running) ${leader.url}`);
  });

  test('are found by one of them', async () => {
    await start(release);
    const one = old.client(etcd, { endpoints: follower.url });
    await value(one.refreshCluster$());
    expect(one.clusterState$.value.members.map(({ name, status }) => [name, status])).toEqual([
      ['node0', 'running'],
      ['node1', 'running'],
      ['node2', 'running'],
    ]);
    expect(one.clusterState$.value.leader?.name).toBe('node0');
  });

  test('are seen through an election, and nobody asks a peer port', async () => {
    await start(release);
    await until((now) => now.leader?.name === 'node0');
    // Measured: a leader's URL, then 500 with errorCode 301, then another's.
    etcd.leader = undefined;
    const during = await until((now) => now.leader === undefined);
    expect(during.members.map(({ status }) => status)).toEqual(['running', 'running', 'running']);
    await until((now) => now.hasQuorum === false);
    expect(await lastValueFrom(client.health$().pipe(toArray()))).toMatchObject(
      Array(3).fill({ healthy: false, reason: 'no leader' }),
    );

    const writing = value(client.set$('/a', 'v'));
    const reading = await value(client.get$('/_etcd'));
    expect(reading.node.dir).toBe(true);
    expect(etcd.keyRequests.filter((r) => r.startsWith('PUT'))).toEqual([]);
    etcd.leader = follower;
    expect((await writing).info.endpoint).toBe(follower.url);
    await until((now) => now.leader?.name === 'node1' && now.hasQuorum === true);
    expect(etcd.keyRequests.filter((r) => r.startsWith('PUT'))).toEqual(['PUT /v2/keys/a value=v']);
    expect(etcd.members.map(({ peer }) => peer.accepted)).toEqual([0, 0, 0]);
  });

  test('a dead leader is believed no more, though all others still name it', async () => {
    await start(release);
    await until((now) => now.leader?.name === 'node0');
    await firstValueFrom(etcd.kill$(leader));
    const without = await until((now) => now.leader === undefined);
    expect(without.members.map(({ name, status }) => [name, status])).toContainEqual(['node0', 'down']);
    const writing = value(client.set$('/a', 'v'));
    etcd.leader = follower;
    expect((await writing).info.endpoint).toBe(follower.url);
    const after = await until((now) => now.leader?.name === 'node1');
    expect(after.members.map(({ name, status }) => [name, status])).toEqual([
      ['node0', 'down'],
      ['node1', 'running'],
      ['node2', 'running'],
    ]);
    expect(after.hasQuorum).toBe(true);
    // Measured: a list of machines keeps the dead.
    expect((await value(client.machines$())).sort()).toEqual([...etcd.urls].sort());
  });

  test('without a majority nothing is written, plain reads go on', async () => {
    await start(release, { deadline: 300 });
    await value(client.set$('/a', 'v', { deadline: 30_000 }));
    etcd.leader = undefined;
    await Promise.all([etcd.first, follower].map((member) => firstValueFrom(etcd.kill$(member))));
    await until((now) => now.hasQuorum === false && now.leader === undefined);
    const errors = await Promise.all([
      rejectionOf(client.set$('/a', 'x')),
      rejectionOf(client.get$('/a', { quorum: true })),
    ]);
    expect(errors.map((error) => (isAllNodesDown(error) ? error.reason : error))).toEqual([
      'no-quorum',
      'no-quorum',
    ]);
    expect(await value(client.getValue$('/a'))).toBe('v');
    expect(etcd.store.files).toEqual({ '/a': 'v' });
  });

  test('a write that an election refuses has an unknown outcome', async () => {
    await start(release, { heartbeat: 60_000 });
    await value(client.set$('/a', 'v'));
    // Measured: 500 with errorCode 300 at once.
    etcd.leader = undefined;
    const error = await rejectionOf(client.set$('/a', 'x'));
    expect(isOutcomeUnknown(error) ? error.attempts : error).toMatchObject([
      { status: 500, error: '500 Raft Internal Error' },
    ]);
    expect(etcd.keyRequests.filter((r) => r.startsWith('PUT'))).toHaveLength(2);
  });

  test('machines$ gives them all, the leader first', async () => {
    await start(release);
    etcd.leader = follower;
    const machines = await value(client.machines$());
    expect(machines[0]).toBe(follower.url);
    expect(machines.sort()).toEqual([...etcd.urls].sort());
  });
});

describe.each(releases)('each of three members of etcd %s', (release) => {
  test('tells its version and its health, a dead one that it is dead', async () => {
    await start(release);
    await until((now) => now.members.length === 3 && now.members.every((m) => m.status === 'running'));
    const dead = etcd.members[2]!;
    await firstValueFrom(etcd.kill$(dead));
    const health = await lastValueFrom(client.health$().pipe(toArray()));
    expect(health.map((h) => [h.member.name, h.healthy, h.error === undefined]).sort()).toEqual([
      ['node0', true, true],
      ['node1', true, true],
      ['node2', false, false],
    ]);
    const versions = await lastValueFrom(client.versions$().pipe(toArray()));
    expect(versions.map((v) => [v.member.name, v.etcdserver, v.error === undefined]).sort()).toEqual([
      ['node0', release, true],
      ['node1', release, true],
      ['node2', undefined, false],
    ]);
  });
});

describe('from 2.0 on', () => {
  test.each(['2.2.5', '2.3.8'] as const)('etcd %s is asked as today', async (release) => {
    await start(release);
    const { members, hasQuorum } = await until((now) => now.leader?.name === 'node0');
    expect(members.map(({ id, name }) => [id, name])).toEqual(etcd.members.map((m) => [m.id, m.name]));
    expect(hasQuorum).toBe(true);
    etcd.leader = undefined;
    await until((now) => now.leader === undefined && now.hasQuorum === false);
    etcd.leader = follower;
    await until((now) => now.leader?.name === 'node1');
    expect(await value(client.members.list$())).toHaveLength(3);
  });

  test('etcd 2.0.3 names no leader: any member takes a write', async () => {
    await start('2.0.3');
    await value(client.set$('/a', 'v'));
    expect(await value(client.getValue$('/a', { quorum: true }))).toBe('v');
    await firstValueFrom(etcd.kill$(leader));
    await value(client.set$('/a', 'w', { deadline: 5_000 }));
    expect(etcd.store.files).toEqual({ '/a': 'w' });
    expect(state().members.map(({ name }) => name)).toEqual(['node0', 'node1', 'node2']);
    expect(state().leader).toBeUndefined();
  });
});
