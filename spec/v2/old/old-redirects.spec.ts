import { isAllNodesDown, isKeyNotFound, type ClientOptions, type EtcdClient, type EtcdError } from 'rxetcd';
import { firstValueFrom, type Observable } from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import type { OldEtcd, OldMember } from '../../support/old-etcd/old-etcd.js';
import type { OldRelease } from '../../support/old-etcd/old-etcd-release.js';
import { oldEtcdUnderTest } from '../../support/old-etcd/old-etcd-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { startScriptedServer } from '../../support/scripted/scripted-server.js';

const redirecting: OldRelease[] = ['0.2.0-rc1', '0.2.0', '0.4.9'];

const old = oldEtcdUnderTest();
let etcd: OldEtcd;
let client: EtcdClient;
let leader: OldMember;
let follower: OldMember;
let third: OldMember;

const value = <T>(source$: Observable<T>): Promise<T> => firstValueFrom(source$);
const named = () => client.clusterState$.value.leader?.name;
const requestsOf = (member: OldMember) => member.keyRequests;

/** Three members, and a client that knows who leads and will not ask again by itself. */
async function start(release: OldRelease, options: ClientOptions = {}): Promise<void> {
  etcd = await old.start(release, 3);
  [leader, follower, third] = etcd.members as [OldMember, OldMember, OldMember];
  client = old.client(etcd, { heartbeat: 60_000, ...options });
  await value(client.set$('/first', 'v'));
  expect(named()).toBe('node0');
}

const auth = { username: 'root', password: 'secret' };

describe.each(redirecting)('etcd %s', (release) => {
  test.each<[string, () => Observable<unknown>, RegExp]>([
    ['set$', () => client.set$('/a', 'v', { ttl: 5 }), /^PUT \/v2\/keys\/a value=v&ttl=5$/],
    ['delete$', () => client.delete$('/d', { recursive: true }), /^DELETE \/v2\/keys\/d\?recursive=true$/],
    [
      'compareAndSwap$',
      () => client.compareAndSwap$('/d/x', 'b & c', { prevValue: 'a' }),
      /^PUT \/v2\/keys\/d\/x value=b%20%26%20c&prevValue=a$/,
    ],
    [
      'raw$',
      () => client.raw$('PUT', '/v2/keys/a', { params: { prevExist: false }, data: 'value=v' }),
      /^PUT \/v2\/keys\/a value=v$/,
    ],
  ])('%s that meets a redirect arrives at the new leader as it was sent', async (_, call, expected) => {
    await start(release);
    etcd.set('/d/x', 'a');
    etcd.leader = follower;
    await value(call());
    expect(requestsOf(leader).at(-1)).toMatch(expected);
    // Some releases are asked for the TTL of the key first.
    const writes = requestsOf(follower).filter((request) => !request.startsWith('GET '));
    expect(writes).toEqual(requestsOf(leader).slice(-1));
    expect(requestsOf(third)).toEqual([]);
  });

  test('the known leader changes, and the next write goes straight there', async () => {
    await start(release);
    etcd.leader = follower;
    const { info } = await value(client.set$('/a', '1'));
    expect(info.endpoint).toBe(follower.url);
    await eventually(() => named() === 'node1');
    const before = requestsOf(leader).length;
    await value(client.set$('/a', '2'));
    expect(requestsOf(leader)).toHaveLength(before);
    expect(etcd.store.files['/a']).toBe('2');
  });

  test('a redirect to a host that is no member is not followed, and no credential goes there', async () => {
    const stranger = await firstValueFrom(startScriptedServer(() => ({ status: 200, body: {} })));
    try {
      await start(release, { auth });
      leader.pointsTo = stranger.url;
      const error = await rejectionOf(client.set$('/a', 'v', { retry: { max: 1 } }));
      const attempt = { endpoint: leader.url, status: 307, error: `redirected to ${stranger.url}` };
      expect((error as EtcdError).attempts).toMatchObject([attempt, attempt]);
      expect([stranger.accepted, etcd.store.files['/a']]).toEqual([0, undefined]);
    } finally {
      await firstValueFrom(stranger.close$());
    }
  });

  test('a redirect to a member that has died is no unknown outcome: the write waits for a leader', async () => {
    await start(release);
    // Measured: followers point to the dead leader until they miss it.
    await firstValueFrom(etcd.kill$(leader));
    const writing = value(client.set$('/a', 'v'));
    await eventually(() => client.clusterState$.value.leader === undefined);
    expect(etcd.store.files).not.toHaveProperty('/a');
    etcd.leader = follower;
    expect((await writing).info.endpoint).toBe(follower.url);
    expect(etcd.store.files['/a']).toBe('v');
  });

  test('a client of a follower alone that may discover writes to the leader', async () => {
    etcd = await old.start(release, 3);
    const one = etcd.members[1]!;
    client = old.client(etcd, { endpoints: one.url, auth });
    expect((await value(client.set$('/a', 'v'))).info.endpoint).toBe(etcd.first.url);
    expect([...client.endpoints].sort()).toEqual([...etcd.urls].sort());
  });

  test('one that may not discover does not go where it is redirected', async () => {
    etcd = await old.start(release, 3);
    const one = etcd.members[1]!;
    client = old.client(etcd, { endpoints: one.url, auth, discover: false, retry: { max: 1 } });
    const calls: [string, Observable<unknown>][] = [
      ['set /a', client.set$('/a', 'v')],
      ['delete /a', client.delete$('/a')],
      // The deadline passes while it waits for the next try.
      [
        'set /a',
        client.set$('/a', 'v', { deadline: 2_000, retry: { initialDelay: 9_000, maxDelay: 9_000 } }),
      ],
    ];
    for (const [operation, call$] of calls) {
      const error = await rejectionOf(call$);
      expect(isAllNodesDown(error) ? error.reason : error).toBe('unreachable');
      const why = `redirected to ${etcd.first.url}, a member that is not among the endpoints`;
      expect(String(error)).toBe(`AllNodesDownError: ${operation}: no member can be reached (${why})`);
    }
    expect(etcd.first.server.accepted).toBe(0);
  });
});

describe('redirects that lead nowhere', () => {
  test.each<[string, () => void]>([
    ['to and fro', () => ([leader.pointsTo, follower.pointsTo] = [follower.url, leader.url])],
    [
      'in a circle',
      () => ([leader.pointsTo, follower.pointsTo, third.pointsTo] = [follower.url, third.url, leader.url]),
    ],
    ['to itself', () => (leader.pointsTo = leader.url)],
    ['to itself, by a path', () => (leader.pointsTo = '')],
  ])('redirects %s are bounded, and wait as in an election', async (_, turn) => {
    await start('0.4.9', { retry: { initialDelay: 50, maxDelay: 50 } });
    turn();
    const before = etcd.keyRequests.length;
    const error = await rejectionOf(client.set$('/a', 'v', { retry: { max: 3 } }));
    expect(isAllNodesDown(error) ? error.reason : error).toBe('no-quorum');
    // Four tries, and at most four hops each.
    expect(etcd.keyRequests.length - before).toBeLessThanOrEqual(4 * 5);

    const waiting = value(client.set$('/a', 'v'));
    const sent = etcd.keyRequests.length;
    await eventually(() => etcd.keyRequests.length > sent);
    for (const member of etcd.members) member.pointsTo = undefined;
    expect((await waiting).node).toMatchObject({ key: '/a', value: 'v' });
    expect(etcd.store.files['/a']).toBe('v');
  });
});

describe('reads', () => {
  test.each(['0.2.0', '0.4.9'] as const)('etcd %s: a quorum read follows to the leader', async (release) => {
    await start(release);
    etcd.leader = follower;
    expect((await value(client.get$('/first', { quorum: true }))).info.endpoint).toBe(follower.url);
    expect(requestsOf(follower)).toEqual(['GET /v2/keys/first?consistent=true']);
    await eventually(() => named() === 'node1');
  });

  // Measured on 0.2.0-rc1: it redirects such a read to the leader's peer port, where clients have no business.
  test('etcd 0.2.0-rc1: a quorum read goes to the leader itself, never to a peer port', async () => {
    await start('0.2.0-rc1', { auth });
    etcd.leader = follower;
    // An answer that no leader stands behind has the members asked who leads.
    const read = await value(client.get$('/first', { quorum: true, deadline: 3_000 }));
    expect(read.info.endpoint).toBe(follower.url);
    expect(etcd.members.map(({ peer }) => peer.accepted)).toEqual([0, 0, 0]);
  });

  // Measured on 0.2.0 and 0.4.9: while there is no leader a member redirects such a read to itself.
  test.each(['0.2.0', '0.4.9'] as const)('etcd %s: a quorum read waits for a leader', async (release) => {
    await start(release);
    etcd.leader = undefined;
    const reading = value(client.get$('/first', { quorum: true, deadline: 5_000 }));
    // An answer that no leader stands behind has the members asked who leads.
    await eventually(() => named() === undefined, { within: 2_000 });
    etcd.leader = third;
    expect((await reading).info.endpoint).toBe(third.url);
  });

  test('plain reads are never redirected', async () => {
    await start('0.2.0');
    etcd.leader = undefined;
    expect(await value(client.getValue$('/first'))).toBe('v');
    expect(isKeyNotFound(await rejectionOf(client.get$('/none')))).toBe(true);
  });
});

describe('statistics of the leader', () => {
  test.each(redirecting)('etcd %s: come from the leader', async (release) => {
    await start(release);
    expect(await value(client.stats.leader$())).toMatchObject({
      leader: 'node0',
      followers: { node1: {}, node2: {} },
    });
    etcd.leader = follower;
    const stats = await value(client.stats.leader$({ deadline: 3_000 }));
    expect(stats).toMatchObject({ leader: 'node1', followers: { node0: {}, node2: {} } });
  });

  // Measured: 0.2 redirects the question to the leader, 0.4 refuses it with a text.
  test.each(redirecting)('etcd %s: each member answers for itself', async (release) => {
    await start(release);
    const answers: [string, boolean][] = [];
    await new Promise<void>((resolve, reject) =>
      client.stats.leader$({ each: true }).subscribe({
        next: ({ member, stats, error }) =>
          void answers.push([member.name, stats !== undefined && error === undefined]),
        error: reject,
        complete: resolve,
      }),
    );
    expect(answers.sort()).toEqual([
      ['node0', true],
      ['node1', false],
      ['node2', false],
    ]);
  });
});
