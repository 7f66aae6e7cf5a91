import { EtcdClient, isKeyNotFound, isStaleRead, type ClientEvent } from 'rxetcd';
import { concat, firstValueFrom, forkJoin, lastValueFrom } from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { rejectionOf } from '../support/jest/rejection.js';
import { ordered, reliable, unique, type Stored } from '../support/promises/validators.js';
import { WatchLog } from '../support/promises/watch-log.js';

type Node = LocalCluster['members'][number];

describe('a follower that is cut off from the others', () => {
  let cluster: LocalCluster;
  let leader: Node;
  let follower: Node;
  let other: Node;
  const clients: EtcdClient[] = [];
  let keys = 0;
  let key: string;

  beforeAll(async () => {
    cluster = await firstValueFrom(startLocalCluster({ partitions: true }));
  });
  beforeEach(async () => {
    leader = await firstValueFrom(cluster.leader$());
    [follower, other] = cluster.members.filter((member) => member !== leader) as [Node, Node];
    key = `/stale-${(keys += 1)}`;
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    const down = cluster.members.filter(({ state }) => state === 'down');
    await lastValueFrom(
      concat(follower.heal$(), ...down.map((member) => member.restart$()), cluster.ready$()),
    );
  });
  afterAll(() => lastValueFrom(cluster.down$()));

  /** A client that knows all members and whose plain reads go to the follower, as long as it has heard no ill of it. */
  async function readerAt(node: Node, options: object = {}): Promise<EtcdClient> {
    const client = new EtcdClient(node.clientUrl, { heartbeat: false, ...options });
    clients.push(client);
    client.clusterState$.subscribe();
    expect((await firstValueFrom(client.get$('/'))).info.endpoint).toBe(node.clientUrl);
    await eventually(() => client.clusterState$.value.leader !== undefined);
    await eventually(() => client.clusterState$.value.members.every(({ status }) => status === 'running'));
    return client;
  }

  /** The endpoints that reads were sent to, in order. */
  function readsOf(client: EtcdClient): string[] {
    const seen: string[] = [];
    client.events$.subscribe((event: ClientEvent) => {
      if (event.type === 'request' && /get$/i.test(event.operation))
        seen.push(`${event.operation} ${event.endpoint}`);
    });
    return seen;
  }

  it('answers below what was seen: the leader is asked again', async () => {
    const client = await readerAt(follower);
    await firstValueFrom(client.set$(key, 'old'));
    await eventually(async () => (await firstValueFrom(client.getValue$(key))) === 'old');
    await firstValueFrom(follower.partition$());
    await firstValueFrom(client.set$(key, 'new'));

    const reads = readsOf(client);
    const { node, info } = await firstValueFrom(client.get$(key));
    expect(node.value).toBe('new');
    expect(info.endpoint).toBe(leader.clientUrl);
    expect(reads).toEqual([`get ${follower.clientUrl}`, `get ${leader.clientUrl}`]);
  });

  it('does not know a key that is there, nor that one is gone', async () => {
    const client = await readerAt(follower);
    await firstValueFrom(client.set$(`${key}/gone`, '1'));
    await eventually(() => firstValueFrom(client.exists$(`${key}/gone`)));
    await firstValueFrom(follower.partition$());
    await firstValueFrom(client.set$(`${key}/there`, '1'));
    await firstValueFrom(client.delete$(`${key}/gone`));
    // By its own word, past the client.
    const direct = async (name: string) =>
      (await fetch(`${follower.clientUrl}/v2/keys${key}/${name}`)).status;
    expect([await direct('there'), await direct('gone')]).toEqual([404, 200]);

    const reads = readsOf(client);
    expect(await firstValueFrom(client.getValue$(`${key}/there`))).toBe('1');
    expect(reads.slice(0, 2)).toEqual([`get ${follower.clientUrl}`, `get ${leader.clientUrl}`]);
    const gone = await rejectionOf(client.get$(`${key}/gone`));
    expect(isKeyNotFound(gone)).toBe(true);
  });

  it('never takes a read back in time, whoever else writes', async () => {
    const client = await readerAt(follower);
    await firstValueFrom(follower.partition$());
    const broken: string[] = [];
    for (let i = 0; i < 30; i += 1) {
      const { node } = await firstValueFrom(client.set$(`${key}/${i % 3}`, `${i}`));
      const acknowledged = node.modifiedIndex ?? 0;
      const answers = await firstValueFrom(
        forkJoin([client.get$(key, { recursive: true }), client.get$(`${key}/${i % 3}`)]),
      );
      for (const { info } of answers)
        if ((info.etcdIndex ?? 0) < acknowledged) broken.push(`${info.etcdIndex} after ${acknowledged}`);
      expect(answers[1].node.value).toBe(`${i}`);
    }
    expect(broken).toEqual([]);
  });

  it('is all that is left: StaleReadError, until the others are back', async () => {
    const client = await readerAt(follower);
    await firstValueFrom(follower.partition$());
    const { node } = await firstValueFrom(client.set$(key, 'new'));
    await firstValueFrom(forkJoin([leader.kill$(), other.kill$()]));

    const error = await rejectionOf(client.get$(key, { deadline: 3_000 }));
    expect(isStaleRead(error)).toBe(true);
    expect(error).toMatchObject({ code: 'STALE_READ' });
    expect((error as Error).message).toContain(String(node.modifiedIndex));
    // A client that has seen nothing newer takes the answer as it is.
    const fresh = new EtcdClient(follower.clientUrl, { discover: false });
    clients.push(fresh);
    await expect(firstValueFrom(fresh.exists$(key))).resolves.toBe(false);

    await lastValueFrom(concat(follower.heal$(), leader.restart$(), other.restart$(), cluster.ready$()));
    await expect(firstValueFrom(client.getValue$(key))).resolves.toBe('new');
  });

  it('is left by a watch that may stand on any member, which misses nothing', async () => {
    const client = await readerAt(follower, { heartbeat: 300, probeTimeout: 500, watchOn: 'any' });
    const stands: string[] = [];
    client.events$.subscribe((event) => {
      if (event.type === 'watch-live' && event.key === key) stands.push(event.endpoint);
    });
    const log = await new WatchLog(client, key).live();
    expect(stands).toEqual([follower.clientUrl]);
    const stored: Stored[] = [];
    const write = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) {
        const [name, value] = [`${key}/${i % 5}`, `value ${stored.length}`];
        const answer = await firstValueFrom(client.set$(name, value));
        stored.push({ key: name, value, index: answer.node.modifiedIndex ?? 0 });
      }
    };
    await write(20);
    await firstValueFrom(follower.partition$());
    await write(50);
    await log.reach(stored.at(-1)!.index);
    expect(stands.at(-1)).not.toBe(follower.clientUrl);

    await lastValueFrom(concat(follower.heal$(), cluster.ready$()));
    await write(20);
    await log.reach(stored.at(-1)!.index);
    expect([...ordered(log.events), ...unique(log.events), ...reliable(log.events, stored)]).toEqual([]);
    log.unsubscribe();
  });
});
