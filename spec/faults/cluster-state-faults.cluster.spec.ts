import { EtcdClient, type ClusterState } from 'rxetcd';
import { concat, firstValueFrom, forkJoin, lastValueFrom, type Observable } from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';

type Node = LocalCluster['members'][number];

const options = { heartbeat: 500, probeTimeout: 500, timeout: 3_000 };
/** A member that has gone is noticed by then, ms. */
const promised = options.heartbeat + options.probeTimeout;

describe('clusterState$', () => {
  let cluster: LocalCluster;
  let client: EtcdClient;
  let states: ClusterState[];

  beforeAll(async () => {
    cluster = await firstValueFrom(startLocalCluster({ partitions: true }));
  });
  beforeEach(async () => {
    client = new EtcdClient(cluster.endpoints, options);
    states = [];
    client.clusterState$.subscribe((state) => states.push(state));
    const leader = await firstValueFrom(cluster.leader$());
    await reaches((state) => state.leader?.name === leader.name && allRun(state));
  });
  afterEach(async () => {
    client.close();
    const mend = (member: Node): Observable<void>[] => [
      member.heal$(),
      ...(member.state === 'stopped' ? [member.resume$()] : []),
      ...(member.state === 'down' ? [member.restart$()] : []),
    ];
    await lastValueFrom(concat(...cluster.members.flatMap(mend), cluster.ready$()));
  });
  afterAll(() => lastValueFrom(cluster.down$()));

  const allRun = ({ members }: ClusterState) => members.every(({ status }) => status === 'running');
  const reaches = (condition: (state: ClusterState) => boolean) =>
    eventually(() => {
      const state = client.clusterState$.value;
      if (!condition(state)) throw new Error(state.toString());
    });
  /** Nothing but the state is followed: no call tells of a failure. */
  const quiet = (act$: Observable<unknown>) => lastValueFrom(act$);
  /** The states from the first on that does not name this member as leader. */
  const afterFall = (name: string) => states.slice(states.findIndex((state) => state.leader?.name !== name));

  it('names the new leader, and the old one no more, while the old one is cut off and still answers', async () => {
    states = states.slice(-1);
    const old = await firstValueFrom(cluster.partition$('leader'));
    const leader = await firstValueFrom(cluster.leader$());
    expect(leader.name).not.toBe(old.name);
    await reaches((state) => state.leader?.name === leader.name);
    expect(client.clusterState$.value.hasQuorum).toBe(true);
    expect(client.clusterState$.value.members.find(({ name }) => name === old.name)).toMatchObject({
      status: 'running',
      isLeader: false,
    });
    // Who comes only now does not believe it either.
    const late = new EtcdClient([old.clientUrl], options);
    const seen: (string | undefined)[] = [];
    late.clusterState$.subscribe((state) => seen.push(state.leader?.name));
    await eventually(() => late.clusterState$.value.leader !== undefined);
    late.close();
    expect(new Set(seen)).toEqual(new Set([undefined, leader.name]));

    await lastValueFrom(concat(old.heal$(), cluster.ready$()));
    await firstValueFrom(client.refreshCluster$());
    await reaches(allRun);
    expect(afterFall(old.name).filter((state) => state.leader?.name === old.name)).toEqual([]);
  });

  it('keeps its leader when a follower is cut off', async () => {
    states = states.slice(-1);
    const leader = await firstValueFrom(cluster.leader$());
    const follower = await firstValueFrom(cluster.partition$('follower'));
    // It says itself that it knows no leader.
    await eventually(async () => (await fetch(`${follower.clientUrl}/v2/members/leader`)).status === 503);
    for (let i = 0; i < 3; i += 1) await firstValueFrom(client.refreshCluster$());
    expect(states.filter((state) => state.leader?.name !== leader.name || !state.hasQuorum)).toEqual([]);
    expect(allRun(client.clusterState$.value)).toBe(true);
  });

  it.each([
    ['killed', (member: Node) => member.kill$()],
    ['frozen', (member: Node) => member.stop$()],
  ])('says that there is no quorum soon after a majority was %s, and that it is back', async (_, act$) => {
    const leader = await firstValueFrom(cluster.leader$());
    const gone = [leader, cluster.members.find((member) => member !== leader)!];
    await quiet(forkJoin(gone.map(act$)));
    const from = performance.now();
    await eventually(() => client.clusterState$.value.hasQuorum === false);
    // Generously: the machine may be busy.
    expect(performance.now() - from).toBeLessThan(3 * promised);
    await reaches(({ members }) =>
      gone.every(({ name }) => members.find((m) => m.name === name)?.status === 'down'),
    );
    expect(client.clusterState$.value.leader).toBeUndefined();
    const left = cluster.members.find((member) => !gone.includes(member))!;
    await reaches(({ members }) => members.find((m) => m.name === left.name)?.status === 'running');

    for (const member of gone)
      await firstValueFrom(member.state === 'stopped' ? member.resume$() : member.restart$());
    await reaches((state) => state.hasQuorum === true && state.leader !== undefined && allRun(state));
  });

  it('says that there is no quorum when each member is cut off, though all of them answer', async () => {
    await quiet(forkJoin(cluster.members.map((member) => member.partition$())));
    await reaches((state) => state.hasQuorum === false && state.leader === undefined);
    expect(allRun(client.clusterState$.value)).toBe(true);
    const { members } = await firstValueFrom(client.refreshCluster$());
    expect(members.map(({ isLeader }) => isLeader)).toEqual([false, false, false]);

    await quiet(forkJoin(cluster.members.map((member) => member.heal$())));
    const leader = await firstValueFrom(cluster.leader$());
    await reaches((state) => state.hasQuorum === true && state.leader?.name === leader.name);
  });
});
