import {
  EtcdApiError,
  EtcdClient,
  isConflict,
  isGone,
  isNotFound,
  isOutcomeUnknown,
  type ClientOptions,
  type ClusterState,
  type MemberInfo,
} from 'rxetcd';
import { firstValueFrom, lastValueFrom, toArray, type Observable } from 'rxjs';
import { cleanUp } from '../../support/jest/clean-up.js';
import { EtcdProcess } from '../../support/etcd/etcd-process.js';
import { eventually } from '../../support/jest/eventually.js';
import { findEtcd } from '../../support/etcd/find-etcd.js';
import { freePorts } from '../../support/ports/free-port.js';
import { headlineOf } from '../../support/jest/headline.js';
import { startLocalCluster, type LocalCluster } from '../../support/cluster/local-cluster.js';
import { rejectionOf } from '../../support/jest/rejection.js';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  await cleanUp(cleanUps);
});

const all = <T>(call$: Observable<T>) => lastValueFrom(call$.pipe(toArray()));
const open = (endpoints: string | readonly string[], options?: ClientOptions): EtcdClient => {
  const client = new EtcdClient(endpoints, { heartbeat: 300, ...options });
  cleanUps.push(() => client.close());
  return client;
};
const listedBy = async (url: string): Promise<MemberInfo[]> =>
  ((await (await fetch(`${url}/v2/members`)).json()) as { members: MemberInfo[] }).members;
const byId = (members: readonly MemberInfo[]) => [...members].sort((a, b) => a.id.localeCompare(b.id));
/** A URL at which nobody listens. */
const nobody = async () => `http://127.0.0.1:${String((await firstValueFrom(freePorts(1)))[0])}`;
const hasUrl = (state: ClusterState, url: string) =>
  state.members.some((m) => m.clientURLs.includes(url) || m.peerURLs.includes(url));

describe('three members', () => {
  // Strict, a fresh cluster would refuse all changes for its first five seconds. In an election it refuses them, too: a
  // busy machine shall not cause one.
  const flags = ['--strict-reconfig-check=false'];
  const timing = { heartbeat: 50, election: 1_000 };
  let cluster: LocalCluster;
  let client: EtcdClient;

  beforeAll(async () => {
    cluster = await firstValueFrom(startLocalCluster({ flags, timing }));
  });
  afterAll(() => lastValueFrom(cluster.down$()));
  beforeEach(() => {
    client = open(cluster.endpoints);
  });

  /** A member that is added and not started; gone again behind the test. */
  const added = async (peerUrl?: string): Promise<MemberInfo> => {
    const member = await firstValueFrom(client.members.add$([peerUrl ?? (await nobody())]));
    cleanUps.push(() => fetch(`${cluster.endpoints[0]}/v2/members/${member.id}`, { method: 'DELETE' }));
    return member;
  };

  test('list$ and leader$ tell what etcd tells', async () => {
    const [list, ...more] = await all(client.members.list$());
    expect(more).toEqual([]);
    expect(byId(list ?? [])).toEqual(byId(await listedBy(cluster.endpoints[0]!)));
    expect(list?.map(({ name }) => name).sort()).toEqual(['etcd1', 'etcd2', 'etcd3']);
    expect(list?.flatMap(({ clientURLs }) => clientURLs).sort()).toEqual([...cluster.endpoints].sort());
    const leader = await firstValueFrom(cluster.leader$());
    expect(await all(client.members.leader$())).toEqual([list?.find(({ name }) => name === leader.name)]);
  });

  test('add$ tells the new id; the member has no name and no client URL before it starts', async () => {
    client.clusterState$.subscribe();
    const peerUrls = [await nobody(), await nobody()];
    const answers = await all(client.members.add$(peerUrls));
    expect(answers).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]+$/) as string,
        name: '',
        clientURLs: [],
        peerURLs: expect.any(Array) as string[],
      },
    ]);
    const [member] = answers;
    expect([...member!.peerURLs].sort()).toEqual([...peerUrls].sort());
    cleanUps.push(() => lastValueFrom(client.members.remove$(member!.id)));
    expect(await firstValueFrom(client.members.list$())).toContainEqual(member);
    await eventually(() => client.clusterState$.value.members.length === 4);
    const inState = client.clusterState$.value.members.find(({ id }) => id === member!.id);
    expect(inState).toMatchObject({ ...member, status: 'unknown', isLeader: false });
    expect(String(inState)).toBe(`Member ${member!.id} (unknown)`);
  });

  test('update$ gives a member other peer URLs, and the state follows', async () => {
    const member = await added();
    const other = await nobody();
    client.clusterState$.subscribe();
    expect(await all(client.members.update$(member.id, [other]))).toEqual([undefined]);
    const now = { ...member, peerURLs: [other] };
    expect(await firstValueFrom(client.members.list$())).toContainEqual(now);
    await eventually(() => hasUrl(client.clusterState$.value, other));
    expect(hasUrl(client.clusterState$.value, member.peerURLs[0]!)).toBe(false);
  });

  test('a peer URL belongs to one member', async () => {
    const [taken] = cluster.members;
    const member = await added();
    const peerUrl = taken!.peerUrl;
    for (const [call$, operation] of [
      [client.members.add$([peerUrl]), `members.add ${peerUrl}`],
      [client.members.update$(member.id, [peerUrl]), `members.update ${member.id}`],
    ] as const) {
      const error = await rejectionOf(call$);
      expect(isConflict(error)).toBe(true);
      expect(error).toBeInstanceOf(EtcdApiError);
      expect(error).toMatchObject({ status: 409, errorCode: 0 });
      expect(cluster.endpoints).toContain((error as EtcdApiError).endpoint);
      expect(headlineOf(error)).toMatch(new RegExp(`^${operation}: .* \\[HTTP 409\\]$`));
    }
    expect(await firstValueFrom(client.members.list$())).toHaveLength(4);
  });

  test('a member that never was is not found', async () => {
    for (const [call$, operation] of [
      [client.members.update$('1234', [await nobody()]), 'members.update'],
      [client.members.remove$('1234'), 'members.remove'],
    ] as const) {
      const error = await rejectionOf(call$);
      expect(isNotFound(error)).toBe(true);
      expect(isGone(error) || isConflict(error)).toBe(false);
      expect(error).toMatchObject({ status: 404, errorCode: 0 });
      expect(headlineOf(error)).toBe(`${operation} 1234: No such member: 1234 [HTTP 404]`);
    }
  });

  test('one that was removed is gone', async () => {
    const { id } = await added();
    expect(await all(client.members.remove$(id))).toEqual([undefined]);
    const error = await rejectionOf(client.members.remove$(id));
    expect(isGone(error)).toBe(true);
    expect(isNotFound(error)).toBe(false);
    expect(error).toMatchObject({ status: 410, errorCode: 0 });
    expect(headlineOf(error)).toBe(`members.remove ${id}: Member permanently removed: ${id} [HTTP 410]`);
  });

  test('a member joins, serves, and leaves', async () => {
    const [one] = cluster.members;
    const [clientPort = 0, peerPort = 0] = await firstValueFrom(freePorts(2));
    const member = new EtcdProcess({
      binary: await firstValueFrom(findEtcd()),
      index: 3,
      clientPort,
      peerPort,
      peerUrls: Object.fromEntries([
        ...cluster.members.map(({ name, peerUrl }) => [name, peerUrl]),
        ['etcd4', `http://127.0.0.1:${String(peerPort)}`],
      ]) as Record<string, string>,
      flags: [...flags, '--initial-cluster-state', 'existing'],
      timing,
    });
    cleanUps.push(() => lastValueFrom(member.terminate$()));
    // All but the first are found in the cluster.
    const finder = open(one!.clientUrl);
    const states: string[][] = [];
    finder.clusterState$.subscribe(({ members }) => states.push(members.map(({ name }) => name).sort()));
    const asked: string[] = [];
    finder.events$.subscribe((event) => {
      if (event.type === 'request') asked.push(event.endpoint);
    });

    const { id } = await added(member.peerUrl);
    await lastValueFrom(member.start$());
    await lastValueFrom(member.ready$());
    const running = () => finder.clusterState$.value.members.find((m) => m.id === id);
    await eventually(() => running()?.status === 'running');
    expect(running()).toMatchObject({ name: 'etcd4', clientURLs: [member.clientUrl] });
    expect(finder.endpoints).toContain(member.clientUrl);
    expect(finder.endpoints).toHaveLength(4);

    await firstValueFrom(finder.members.remove$(id));
    await eventually(() => finder.clusterState$.value.members.length === 3);
    expect(finder.endpoints).not.toContain(member.clientUrl);
    expect(running()).toBeUndefined();
    // etcd ends it.
    await eventually(() => member.state === 'down');
    asked.length = 0;
    for (let i = 0; i < 5; i++) {
      await firstValueFrom(finder.set$('/after', String(i)));
      await firstValueFrom(finder.get$('/after'));
    }
    await lastValueFrom(finder.health$());
    await firstValueFrom(finder.refreshCluster$());
    expect(asked.length).toBeGreaterThan(10);
    expect(asked).not.toContain(member.clientUrl);
    expect(states.at(-1)).toEqual(['etcd1', 'etcd2', 'etcd3']);
  });

  test('leader$ waits through an election', async () => {
    await firstValueFrom(client.members.leader$());
    const killed = await firstValueFrom(cluster.kill$('leader'));
    const { name } = await firstValueFrom(client.members.leader$());
    expect(name).not.toBe(killed.name);
    expect(name).toBe((await firstValueFrom(cluster.leader$())).name);
    // Without it the list still comes, all three of them.
    expect(await firstValueFrom(client.members.list$())).toHaveLength(3);
    await lastValueFrom(cluster.restart$(killed.index));
    await lastValueFrom(cluster.ready$());
  });

  // The last one: it leaves two.
  test('a configured endpoint whose member was removed serves nothing any more', async () => {
    const leader = await firstValueFrom(cluster.leader$());
    const removed = cluster.members.find(({ name }) => name !== leader.name)!;
    const others = cluster.endpoints.filter((url) => url !== removed.clientUrl);
    client.clusterState$.subscribe();
    const list = await firstValueFrom(client.members.list$());
    const answered: string[] = [];
    client.events$.subscribe((event) => {
      if (event.type === 'response' && event.status !== undefined && event.operation !== 'probe')
        answered.push(event.endpoint);
    });
    await firstValueFrom(client.members.remove$(list.find(({ name }) => name === removed.name)!.id));
    await eventually(() => removed.state === 'down');
    await eventually(() => client.clusterState$.value.members.length === 2);
    expect(client.clusterState$.value.members.map(({ name }) => name)).not.toContain(removed.name);
    answered.length = 0;
    for (let i = 0; i < 5; i++) {
      await firstValueFrom(client.set$('/after', String(i)));
      await firstValueFrom(client.get$('/after'));
    }
    expect(answered.length).toBeGreaterThanOrEqual(10);
    expect(answered.filter((url) => !others.includes(url))).toEqual([]);
    expect((await all(client.health$())).map(({ healthy }) => healthy)).toEqual([true, true]);
  });
});

test('a cluster with a dead member refuses a fourth: its outcome counts as unknown, and nothing changed', async () => {
  const cluster = await firstValueFrom(startLocalCluster());
  cleanUps.push(() => lastValueFrom(cluster.down$()));
  await firstValueFrom(cluster.kill$('follower'));
  const client = open(cluster.endpoints);
  const peerUrl = await nobody();
  const error = await rejectionOf(client.members.add$([peerUrl]));
  expect(isOutcomeUnknown(error)).toBe(true);
  expect(error).toMatchObject({ attempts: [{ status: 500 }] });
  expect(headlineOf(error)).toBe(
    `members.add ${peerUrl}: sent, but its outcome is unknown: 500 Internal Server Error`,
  );
  expect(await firstValueFrom(client.members.list$())).toHaveLength(3);
});

test('a cluster of one takes a change at once', async () => {
  const cluster = await firstValueFrom(startLocalCluster({ size: 1 }));
  cleanUps.push(() => lastValueFrom(cluster.down$()));
  const [member] = cluster.members;
  const client = open(cluster.endpoints);
  const { id } = await firstValueFrom(client.members.leader$());
  const other = await nobody();
  await firstValueFrom(client.members.update$(id, [member!.peerUrl, other]));
  const [listed] = await firstValueFrom(client.members.list$());
  expect([...(listed?.peerURLs ?? [])].sort()).toEqual([member!.peerUrl, other].sort());
});
