import {
  EtcdApiError,
  EtcdClient,
  isAllNodesDown,
  type LeaderStats,
  type MemberStats,
  type SelfStats,
  type StoreStats,
} from 'rxetcd';
import { firstValueFrom, lastValueFrom, toArray, type Observable } from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import { headlineOf } from '../../support/jest/headline.js';
import { startLocalCluster, type LocalCluster } from '../../support/cluster/local-cluster.js';
import { afterEachTest } from '../../support/jest/clean-up.js';

const afterwards = afterEachTest();

let cluster: LocalCluster;
let client: EtcdClient;

beforeAll(async () => {
  // Slow to elect: a busy machine shall not change the leader.
  cluster = await firstValueFrom(startLocalCluster({ timing: { heartbeat: 50, election: 1_000 } }));
  // For up to a second after its election a leader's answer is empty.
  await eventually(async () => {
    const answers = await Promise.all(cluster.endpoints.map((url) => fetch(`${url}/v2/stats/self`)));
    return (await Promise.all(answers.map((answer) => answer.text()))).every((body) => body !== '');
  });
});
afterAll(() => lastValueFrom(cluster.down$()));
beforeEach(() => {
  client = new EtcdClient(cluster.endpoints);
});
afterEach(() => client.close());

const all = <T>(call$: Observable<T>) => lastValueFrom(call$.pipe(toArray()));
const names = ['etcd1', 'etcd2', 'etcd3'];
const leader = () => firstValueFrom(cluster.leader$());
const idOf = async (name: string) =>
  (await firstValueFrom(client.members.list$())).find((member) => member.name === name)!.id;

describe('leader$', () => {
  test("tells how the leader's followers answer", async () => {
    const answers = await all(client.stats.leader$());
    expect(answers).toHaveLength(1);
    const [{ leader: id, followers } = { leader: '', followers: {} }] = answers;
    const { name } = await leader();
    expect(id).toBe(await idOf(name));
    const others = await Promise.all(names.filter((other) => other !== name).map(idOf));
    expect(Object.keys(followers).sort()).toEqual(others.sort());
    for (const follower of Object.values(followers)) {
      expect(follower).toEqual({
        latency: {
          current: expect.any(Number) as number,
          average: expect.any(Number) as number,
          standardDeviation: expect.any(Number) as number,
          minimum: expect.any(Number) as number,
          maximum: expect.any(Number) as number,
        },
        counts: { fail: expect.any(Number) as number, success: expect.any(Number) as number },
      });
    }
  });

  test('each: all but the leader refuse', async () => {
    const answers: MemberStats<LeaderStats>[] = await all(client.stats.leader$({ each: true }));
    expect(answers.map(({ member }) => member.name).sort()).toEqual(names);
    const { name, clientUrl } = await leader();
    expect(answers.filter(({ stats }) => stats !== undefined)).toEqual([
      {
        member: expect.objectContaining({ name, isLeader: true }) as object,
        endpoint: clientUrl,
        stats: expect.objectContaining({ followers: expect.anything() as object }) as LeaderStats,
      },
    ]);
    const refusals = answers.flatMap(({ error, endpoint }) => (error ? [{ error, endpoint }] : []));
    expect(refusals).toHaveLength(2);
    for (const { error, endpoint } of refusals) {
      expect(error).toBeInstanceOf(EtcdApiError);
      expect(error).toMatchObject({ status: 403, errorCode: 0, endpoint });
      expect(headlineOf(error)).toBe(`stats.leader ${endpoint!}: not current leader [HTTP 403]`);
    }
  });

  test('asks the leader, though only a follower is configured', async () => {
    const { name, clientUrl } = await leader();
    const follower = cluster.members.find((member) => member.name !== name)!;
    const finder = new EtcdClient(follower.clientUrl);
    afterwards(() => finder.close());
    const { leader: id } = await firstValueFrom(finder.stats.leader$());
    expect(finder.endpoints).toContain(clientUrl);
    expect(id).toBe(await idOf(name));
  });

  test('asks whom it can, if that is a follower: its refusal is the error', async () => {
    const { name } = await leader();
    const follower = cluster.members.find((member) => member.name !== name)!;
    const alone = new EtcdClient(follower.clientUrl, { discover: false });
    afterwards(() => alone.close());
    const asked = firstValueFrom(alone.stats.leader$({ deadline: 2_000 }));
    const error: unknown = await asked.catch((e: unknown) => e);
    expect(headlineOf(error)).toBe('stats.leader: no member says that it leads');
  });
});

describe('self$', () => {
  test('tells of one member', async () => {
    const [stats, ...more] = await all(client.stats.self$());
    expect(more).toEqual([]);
    expect(names).toContain(stats?.name);
    expect(stats).toMatchObject({
      id: await idOf(stats!.name),
      state: stats!.name === (await leader()).name ? 'StateLeader' : 'StateFollower',
      leaderInfo: { leader: expect.any(String) as string, uptime: expect.any(String) as string },
      recvAppendRequestCnt: expect.any(Number) as number,
      sendAppendRequestCnt: expect.any(Number) as number,
    });
    expect(Date.parse(stats!.startTime)).toBeLessThan(Date.now() + 60_000);
  });

  test('each: one value for each member, from that member', async () => {
    const answers: MemberStats<SelfStats>[] = await all(client.stats.self$({ each: true }));
    expect(answers.map(({ stats }) => stats?.name).sort()).toEqual(names);
    for (const { member, endpoint, stats, error } of answers) {
      expect(error).toBeUndefined();
      expect(stats).toMatchObject({ id: member.id, name: member.name });
      expect(member.clientURLs).toEqual([endpoint]);
    }
    const leading = answers.filter(({ stats }) => stats?.state === 'StateLeader');
    expect(leading.map(({ member }) => member.name)).toEqual([(await leader()).name]);
  });
});

describe('store$', () => {
  const counts: (keyof StoreStats)[] = [
    'compareAndDeleteFail',
    'compareAndDeleteSuccess',
    'compareAndSwapFail',
    'compareAndSwapSuccess',
    'createFail',
    'createSuccess',
    'deleteFail',
    'deleteSuccess',
    'expireCount',
    'getsFail',
    'getsSuccess',
    'setsFail',
    'setsSuccess',
    'updateFail',
    'updateSuccess',
    'watchers',
  ];

  test('counts what was done', async () => {
    const [member] = cluster.members;
    const single = new EtcdClient(member!.clientUrl, { discover: false, watchOn: 'any' });
    afterwards(() => single.close());
    single.watch$('/stats').subscribe();
    const before = (await all(single.stats.store$()))[0]!;
    expect(Object.keys(before).sort()).toEqual(counts);
    await firstValueFrom(single.set$('/stats', '1'));
    await firstValueFrom(single.compareAndSwap$('/stats', '2', { prevValue: '1' }));
    await firstValueFrom(single.delete$('/stats'));
    const after = await firstValueFrom(single.stats.store$());
    for (const name of ['setsSuccess', 'compareAndSwapSuccess', 'deleteSuccess'] as const)
      expect(after[name]).toBeGreaterThan(before[name]);
    for (const value of Object.values(after)) expect(Number.isSafeInteger(value)).toBe(true);
  });

  test('each: one value for each member', async () => {
    const answers: MemberStats<StoreStats>[] = await all(client.stats.store$({ each: true }));
    expect(answers.map(({ member }) => member.name).sort()).toEqual(names);
    for (const { stats } of answers) expect(Object.keys(stats ?? {}).sort()).toEqual(counts);
    expect(new Set(answers.map(({ endpoint }) => endpoint))).toEqual(new Set(cluster.endpoints));
  });

  test('each: false is one member', async () => {
    const [stats, ...more] = await all(client.stats.store$({ each: false }));
    expect(more).toEqual([]);
    expect(stats?.watchers).toBeGreaterThanOrEqual(0);
  });
});

test('each: a dead member is told of by its error, the others by what they say', async () => {
  const dead = await firstValueFrom(cluster.kill$('follower'));
  const [leading, self, store] = await Promise.all([
    all(client.stats.leader$({ each: true })),
    all(client.stats.self$({ each: true })),
    all(client.stats.store$({ each: true })),
  ]);
  for (const answers of [leading, self, store]) {
    expect(answers.map(({ member }) => member.name).sort()).toEqual(names);
    const failed = answers.filter(({ member }) => member.name === dead.name);
    expect(failed).toEqual([
      {
        member: expect.objectContaining({ name: dead.name, status: 'down' }) as object,
        endpoint: dead.clientUrl,
        error: expect.anything() as Error,
      },
    ]);
    const [{ error } = {}] = failed;
    expect(isAllNodesDown(error)).toBe(true);
    expect(error?.message).toContain('ECONNREFUSED');
    expect(headlineOf(error)).toContain(dead.clientUrl);
  }
  expect(self.filter(({ stats }) => stats !== undefined)).toHaveLength(2);
  expect(store.filter(({ stats }) => stats !== undefined)).toHaveLength(2);
  expect(leading.filter(({ stats }) => stats !== undefined)).toHaveLength(1);
  // Those of whichever member come from one that lives.
  expect((await firstValueFrom(client.stats.self$())).name).not.toBe(dead.name);
});
