import { EtcdClient, isAllNodesDown, isOutcomeUnknown } from 'rxetcd';
import { concat, firstValueFrom, forkJoin, lastValueFrom } from 'rxjs';
import { cleanUp } from '../support/jest/clean-up.js';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { rejectionOf } from '../support/jest/rejection.js';
import { WatchLog } from '../support/promises/watch-log.js';

type Node = LocalCluster['members'][number];

const options = { heartbeat: 300, probeTimeout: 500, timeout: 2_500, deadline: 20_000 };
const deadline = 1_200;
const noQuorum = { code: 'ALL_NODES_DOWN', reason: 'no-quorum' };

describe('without a quorum', () => {
  const undos: (() => unknown)[] = [];
  let cluster: LocalCluster;
  let client: EtcdClient;
  let leader: Node;
  let followers: Node[];
  let key: string;
  let keys = 0;

  beforeAll(async () => {
    cluster = await firstValueFrom(startLocalCluster({ partitions: true }));
  });
  beforeEach(async () => {
    leader = await firstValueFrom(cluster.leader$());
    followers = cluster.members.filter((member) => member !== leader);
    client = new EtcdClient(cluster.endpoints, options);
    key = `/quorum-${(keys += 1)}`;
    await firstValueFrom(client.set$(key, 'before'));
    // On every member, so that any of them can tell.
    await Promise.all(
      cluster.endpoints.map((url) =>
        eventually(async () => (await fetch(`${url}/v2/keys${key}`)).status === 200),
      ),
    );
  });
  afterEach(async () => {
    client.close();
    await cleanUp(undos);
    const stopped = cluster.members.filter(({ state }) => state === 'stopped');
    const healed = cluster.members.map((member) => member.heal$());
    await lastValueFrom(concat(...stopped.map((m) => m.resume$()), ...healed, cluster.ready$()));
  });
  afterAll(() => lastValueFrom(cluster.down$()));

  /** The record of a watch of the key, until the test ends. */
  async function logOf(one: EtcdClient): Promise<WatchLog> {
    const log = await new WatchLog(one, key).live();
    undos.push(() => {});
    return log;
  }

  /** Nothing that needs a majority is done: it ends at the deadline, and not before. */
  async function expectNothingDone(one = client): Promise<void> {
    const from = performance.now();
    const [read, write] = await Promise.all([
      rejectionOf(one.get$(key, { quorum: true, deadline })),
      rejectionOf(one.set$(`${key}-never`, 'never', { deadline })),
    ]);
    expect(performance.now() - from).toBeGreaterThanOrEqual(deadline - 5);
    expect(read).toMatchObject(noQuorum);
    expect(write).toMatchObject(noQuorum);
  }

  it('plain reads answer, nothing else is done, and the same client goes on when it is back: frozen', async () => {
    const log = await logOf(client);
    // One is on its way to the leader when it freezes: nobody knows what becomes of it.
    await firstValueFrom(forkJoin([leader.stop$(), followers[0]!.stop$()]));
    const onItsWay = await rejectionOf(client.set$(key, 'perhaps'));
    expect(isOutcomeUnknown(onItsWay)).toBe(true);
    await eventually(() => client.clusterState$.value.hasQuorum === false);

    const { node, info } = await firstValueFrom(client.get$(key));
    expect([node.value, info.endpoint]).toEqual(['before', followers[1]!.clientUrl]);
    await expectNothingDone();
    // Waiting all the while, and done as soon as it can be.
    const waiting = firstValueFrom(client.set$(`${key}-waiting`, 'done'));
    await firstValueFrom(forkJoin([leader.resume$(), followers[0]!.resume$()]));
    await expect(waiting).resolves.toMatchObject({ action: 'set', node: { value: 'done' } });
    await expect(firstValueFrom(client.exists$(`${key}-never`, { quorum: true }))).resolves.toBe(false);
    expect(client.clusterState$.value.hasQuorum).toBe(true);

    const { node: after } = await firstValueFrom(client.set$(key, 'after'));
    await log.reach(after.modifiedIndex);
    expect(log.lines.filter((line) => !line.endsWith('=perhaps'))).toEqual([`set ${key}=after`]);
  });

  it('the same when all members live, but none reaches another', async () => {
    const log = await logOf(client);
    await firstValueFrom(forkJoin(cluster.members.map((member) => member.partition$())));
    await eventually(() => client.clusterState$.value.hasQuorum === false);
    await expect(firstValueFrom(client.getValue$(key))).resolves.toBe('before');
    await expectNothingDone();

    await firstValueFrom(forkJoin(cluster.members.map((member) => member.heal$())));
    const { node } = await firstValueFrom(client.set$(key, 'after'));
    await log.reach(node.modifiedIndex);
    expect(log.lines).toEqual([`set ${key}=after`]);
    await expect(firstValueFrom(client.exists$(`${key}-never`, { quorum: true }))).resolves.toBe(false);
  });

  it('is seen by a client of one member alone, and that it is back', async () => {
    const own = followers[0]!;
    const alone = new EtcdClient(own.clientUrl, { ...options, discover: false });
    undos.push(() => alone.close());
    await firstValueFrom(alone.set$(key, 'alone'));
    expect(alone.clusterState$.value.hasQuorum).toBe(true);
    const log = await logOf(alone);
    await firstValueFrom(own.partition$());
    await eventually(() => alone.clusterState$.value.hasQuorum === false);
    await expect(firstValueFrom(alone.getValue$(key))).resolves.toBe('alone');
    await expectNothingDone(alone);
    // The others go on without it.
    const { node } = await firstValueFrom(client.set$(key, 'meanwhile'));

    await firstValueFrom(own.heal$());
    await log.reach(node.modifiedIndex);
    await firstValueFrom(alone.set$(key, 'again'));
    await expect(firstValueFrom(client.getValue$(key, { quorum: true }))).resolves.toBe('again');
    expect(alone.clusterState$.value.hasQuorum).toBe(true);
    await log.count(2);
    expect(log.lines).toEqual([`set ${key}=meanwhile`, `set ${key}=again`]);
  });

  it('a write that the leader took before it was cut off is of unknown outcome, never called undone', async () => {
    // The gate still trusts it: it took no part in what happened to its links.
    const outcomes: Promise<unknown>[] = [];
    await firstValueFrom(forkJoin(cluster.members.map((member) => member.partition$())));
    for (let i = 0; i < 20; i += 1)
      outcomes.push(rejectionOf(client.set$(`${key}/${i}`, `${i}`, { deadline: 4_000 })));
    const errors = await Promise.all(outcomes);
    const kinds = errors.map((error) =>
      isOutcomeUnknown(error) ? 'unknown' : isAllNodesDown(error) ? 'undone' : String(error),
    );
    expect(kinds.filter((kind) => kind !== 'unknown' && kind !== 'undone')).toEqual([]);

    await lastValueFrom(forkJoin(cluster.members.map((member) => member.heal$())));
    await firstValueFrom(cluster.ready$());
    const stored = await firstValueFrom(
      forkJoin(errors.map((_, i) => client.exists$(`${key}/${i}`, { quorum: true }))),
    );
    expect(stored.filter((isThere, i) => isThere && kinds[i] === 'undone')).toEqual([]);
  });
});
