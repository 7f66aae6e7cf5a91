import axios from 'axios';
import { EtcdClient, isAllNodesDown, isClientClosed, isOutcomeUnknown, type ClientEvent } from 'rxetcd';
import { concat, filter, firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import { freePorts } from '../support/ports/free-port.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { Recording } from '../support/promises/recording.js';

describe('a client of a cluster', () => {
  let cluster: LocalCluster;
  const clients: EtcdClient[] = [];
  const open = (...args: ConstructorParameters<typeof EtcdClient>): EtcdClient => {
    const client = new EtcdClient(...args);
    clients.push(client);
    return client;
  };

  beforeAll(async () => {
    cluster = await firstValueFrom(startLocalCluster());
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    const down = cluster.members.filter((m) => m.state === 'down');
    await lastValueFrom(concat(...down.map((m) => m.restart$()), cluster.ready$()));
  });

  afterAll(async () => {
    await lastValueFrom(cluster.down$());
  });

  it('finds the other members by one endpoint, and outlives that one', async () => {
    const leader = await firstValueFrom(cluster.leader$());
    const client = open(leader.clientUrl, { heartbeat: 500, probeTimeout: 500 });
    const recording = new Recording(client, cluster.endpoints);
    await recording.progress();
    expect([...client.endpoints].sort()).toEqual([...cluster.endpoints].sort());

    await firstValueFrom(leader.kill$());
    await recording.progress();
    const stored = await recording.finish();
    expect(recording.findings(stored)).toEqual([]);
  });

  it('fails over by failed requests alone without a heartbeat', async () => {
    const client = open(cluster.endpoints, { heartbeat: false, timeout: 3_000 });
    const recording = new Recording(client, cluster.endpoints);
    await recording.progress();
    await firstValueFrom(cluster.kill$('leader'));
    await recording.progress();
    const stored = await recording.finish();
    expect(recording.findings(stored)).toEqual([]);
    expect(recording.failures.filter((e) => !isOutcomeUnknown(e))).toEqual([]);
  });

  it.each(['http', 'fetch'] as const)(
    "fails over through the user's own axios instance (adapter %s)",
    async (adapter) => {
      const instance = axios.create({ adapter });
      const seen = new Set<string | undefined>();
      instance.interceptors.request.use((config) => {
        seen.add(config.method);
        return config;
      });
      const client = open(cluster.endpoints, {
        axios: instance,
        heartbeat: 500,
        probeTimeout: 500,
        timeout: 3_000,
      });
      const recording = new Recording(client, cluster.endpoints);
      await recording.progress();
      await firstValueFrom(cluster.kill$('leader'));
      await recording.progress();
      const stored = await recording.finish();
      expect(recording.findings(stored)).toEqual([]);
      expect(recording.failures.filter((e) => !isOutcomeUnknown(e))).toEqual([]);
      expect([...seen].sort()).toEqual(['get', 'put']);
    },
  );

  it('trusts the view of the only member that it may ask, and says so', async () => {
    const leader = await firstValueFrom(cluster.leader$());
    const follower = cluster.members.find((m) => m.name !== leader.name);
    const client = open(follower?.clientUrl ?? '', { discover: false });
    const partial = firstValueFrom(client.events$.pipe(filter((e) => e.type === 'partial-view')));
    await firstValueFrom(client.set$('/partial', 'written through a follower'));
    expect(await partial).toMatchObject({ reachable: 1, members: 3 });
    expect(client.clusterState$.value).toMatchObject({
      hasQuorum: true,
      leader: { name: leader.name, status: 'unknown' },
    });
    expect(client.endpoints).toEqual([follower?.clientUrl]);
  });

  it('emits the leader now and each change', async () => {
    const client = open(cluster.endpoints, { heartbeat: 500, probeTimeout: 500 });
    const named = lastValueFrom(
      client.leader$().pipe(
        filter((leader) => leader !== undefined),
        take(2),
        toArray(),
      ),
    );
    const before = await firstValueFrom(cluster.leader$());
    await eventually(() => client.clusterState$.value.leader?.name === before.name);
    await firstValueFrom(cluster.kill$('leader'));
    const after = await firstValueFrom(cluster.leader$());
    expect((await named).map((leader) => leader.name)).toEqual([before.name, after.name]);
  });

  it('tells of a leader change and of members that go and come', async () => {
    const client = open(cluster.endpoints, { heartbeat: 200, probeTimeout: 500 });
    const events: ClientEvent[] = [];
    client.events$.subscribe((event) => events.push(event));
    client.clusterState$.subscribe();
    await eventually(() => client.clusterState$.value.leader !== undefined);
    const killed = await firstValueFrom(cluster.kill$('leader'));
    await eventually(() =>
      events.some(
        (e) => e.type === 'leader-change' && e.leader !== undefined && e.leader.name !== killed.name,
      ),
    );
    await firstValueFrom(cluster.restart$(killed.index));
    await eventually(() => events.some((e) => e.type === 'member-up' && e.member.name === killed.name));
    const down = events.flatMap((e) => (e.type === 'member-down' ? [e.member.name] : []));
    expect(down).toEqual([killed.name]);
  });

  it('connects once the members are known', async () => {
    const client = await firstValueFrom(EtcdClient.connect$(cluster.endpoints));
    clients.push(client);
    expect(client.clusterState$.value.members.map((m) => m.name)).toEqual(['etcd1', 'etcd2', 'etcd3']);
    expect(client.clusterState$.value.members.every((m) => m.status === 'running')).toBe(true);
  });

  it('fails to connect where nobody listens, with every attempt', async () => {
    const ports = await firstValueFrom(freePorts(2));
    const endpoints = ports.map((port) => `http://127.0.0.1:${String(port)}`);
    const connecting = firstValueFrom(EtcdClient.connect$(endpoints));
    await expect(connecting).rejects.toMatchObject({ code: 'ALL_NODES_DOWN', reason: 'unreachable' });
    const error: unknown = await connecting.catch((e: unknown) => e);
    expect(isAllNodesDown(error) ? error.attempts.map((a) => a.endpoint) : []).toEqual(endpoints);
    expect((error as Error).message).toMatch(/ECONNREFUSED[^]*ECONNREFUSED/);
  });

  it('ends everything on close', async () => {
    const client = open(cluster.endpoints);
    const ended: string[] = [];
    client.clusterState$.subscribe({ complete: () => ended.push('state') });
    client.watch$('/log').subscribe({ complete: () => ended.push('watch') });
    client.events$.subscribe({ complete: () => ended.push('events') });
    client.leader$().subscribe({ complete: () => ended.push('leader') });
    const waiting = firstValueFrom(client.watchOnce$('/never'));
    await eventually(() => client.clusterState$.value.leader !== undefined);

    client.close();
    client.close();
    expect(ended.sort()).toEqual(['events', 'leader', 'state', 'watch']);
    await expect(waiting).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    for (const late$ of [
      client.get$('/a'),
      client.set$('/a', '1'),
      client.watch$('/a'),
      client.refreshCluster$(),
    ]) {
      const error: unknown = await firstValueFrom<unknown>(late$).catch((e: unknown) => e);
      expect(isClientClosed(error)).toBe(true);
    }
  });
});
