import {
  EtcdClient,
  isAllNodesDown,
  isClientClosed,
  isRequestTimeout,
  isUnsupportedByServer,
  type ClientOptions,
  type Member,
} from 'rxetcd';
import { filter, firstValueFrom, lastValueFrom, take, toArray, type Observable } from 'rxjs';
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
const open = (endpoints: string | readonly string[], options?: ClientOptions): EtcdClient => {
  const client = new EtcdClient(endpoints, options);
  cleanUps.push(() => client.close());
  return client;
};
const all = <T>(call$: Observable<T>) => lastValueFrom(call$.pipe(toArray()));
const names = ['etcd1', 'etcd2', 'etcd3'];

describe('three members', () => {
  let cluster: LocalCluster;
  let release: { etcdserver: string; etcdcluster: string };

  beforeAll(async () => {
    // Slow to elect: a busy machine shall not change the leader.
    cluster = await firstValueFrom(startLocalCluster({ timing: { heartbeat: 50, election: 500 } }));
    // The cluster's own release is settled a little later than its leader.
    release = await eventually(async () => {
      const version = (await (await fetch(`${cluster.endpoints[0]}/version`)).json()) as typeof release;
      expect(version.etcdcluster).toMatch(/^\d/);
      return version;
    });
  });
  afterEach(async () => {
    for (const member of cluster.members) {
      if (member.state === 'stopped') await lastValueFrom(member.resume$());
      if (member.state === 'down') await lastValueFrom(member.restart$());
    }
    await lastValueFrom(cluster.ready$());
  });
  afterAll(() => lastValueFrom(cluster.down$()));

  test('machines$ lists the client URLs of all', async () => {
    const answers = await all(open(cluster.endpoints[0]!).machines$());
    expect(answers.map((urls) => [...urls].sort())).toEqual([[...cluster.endpoints].sort()]);
  });

  test('version$ tells the releases of one, versions$ those of each', async () => {
    const client = open(cluster.endpoints);
    expect(await all(client.version$())).toEqual([release]);
    const answers = await all(client.versions$());
    expect(answers.map(({ member }) => member.name).sort()).toEqual(names);
    for (const { member, endpoint, ...rest } of answers) {
      expect(rest).toEqual({ ...release, etcdcluster: expect.any(String) as string });
      expect(member.clientURLs).toEqual([endpoint]);
      expect(member.status).toBe('running');
    }
  });

  test('health$ tells that of each', async () => {
    const answers = await all(open(cluster.endpoints).health$());
    expect(answers.map(({ member }) => member.name).sort()).toEqual(names);
    for (const { member, endpoint, ...rest } of answers) {
      expect(rest).toEqual({ healthy: true });
      expect(member.clientURLs).toEqual([endpoint]);
    }
  });

  test('a client that is given one member asks all of them', async () => {
    const client = open(cluster.endpoints[0]!);
    expect((await all(client.health$())).map(({ endpoint }) => endpoint).sort()).toEqual(
      [...cluster.endpoints].sort(),
    );
  });

  test('a frozen follower is one value with an error, and comes last', async () => {
    const client = open(cluster.endpoints);
    await firstValueFrom(client.get$('/'));
    const frozen = await firstValueFrom(cluster.stop$('follower'));
    const calls: Observable<{ member: Member; error?: Error; healthy?: boolean }>[] = [
      client.health$({ timeout: 400 }),
      client.versions$({ timeout: 400 }),
    ];
    for (const call$ of calls) {
      const answers = await all(call$);
      expect(answers.map(({ member }) => member.name).sort()).toEqual(names);
      expect(answers[2]?.member.name).toBe(frozen.name);
      const { error, healthy } = answers[2]!;
      expect(isRequestTimeout(error)).toBe(true);
      expect(error).toMatchObject({ timeoutMs: 400, endpoint: frozen.clientUrl, attempts: { length: 1 } });
      expect(headlineOf(error)).toMatch(
        new RegExp(`^(health|version) ${frozen.clientUrl}: no answer within 400 ms$`),
      );
      expect(healthy).not.toBe(true);
      expect(answers.filter((answer) => answer.error !== undefined)).toHaveLength(1);
    }
  });

  test('without timeout a member has twice the probeTimeout, and not more', async () => {
    const client = open(cluster.endpoints, { probeTimeout: 150 });
    await firstValueFrom(client.get$('/'));
    await firstValueFrom(cluster.stop$('follower'));
    const errors = (await all(client.versions$())).flatMap(({ error }) => (error ? [error] : []));
    expect(errors).toMatchObject([{ code: 'REQUEST_TIMEOUT', timeoutMs: 300 }]);
  });

  test('a dead, a frozen and a lonely member are one value each', async () => {
    const client = open(cluster.endpoints);
    await firstValueFrom(client.refreshCluster$());
    const dead = await firstValueFrom(cluster.kill$('follower'));
    const frozen = cluster.members.find(({ state }) => state === 'running')!;
    await lastValueFrom(frozen.stop$());
    const alive = cluster.members.find(({ state }) => state === 'running')!;
    // Until it has noticed that it is alone.
    await eventually(async () => (await fetch(`${alive.clientUrl}/health`)).status === 503, { every: 100 });

    const versions = await all(client.versions$());
    expect(versions.map(({ member }) => member.name).sort()).toEqual(names);
    const versionOf = (name: string) => versions.find(({ member }) => member.name === name)!;
    expect(versionOf(alive.name)).toMatchObject({ ...release, endpoint: alive.clientUrl });
    expect(versionOf(alive.name).error).toBeUndefined();
    expect(isAllNodesDown(versionOf(dead.name).error)).toBe(true);
    expect(versionOf(dead.name).etcdserver).toBeUndefined();
    expect(isRequestTimeout(versionOf(frozen.name).error)).toBe(true);

    const health = await all(client.health$({ timeout: 3_000 }));
    expect(health.map(({ member }) => member.name).sort()).toEqual(names);
    const healthOf = (name: string) => health.find(({ member }) => member.name === name)!;
    // It answers, but no majority stands behind it; 3.5 says why.
    expect(healthOf(alive.name)).toMatchObject({ healthy: false, endpoint: alive.clientUrl });
    expect(healthOf(alive.name).error).toBeUndefined();
    if (release.etcdserver.startsWith('3.5'))
      expect(healthOf(alive.name).reason).toMatch(/NO LEADER|QGET ERROR/);
    else expect(healthOf(alive.name)).not.toHaveProperty('reason');
    expect(healthOf(dead.name)).toMatchObject({ healthy: false, endpoint: dead.clientUrl });
    expect(headlineOf(healthOf(dead.name).error)).toContain(dead.clientUrl);
    expect(healthOf(frozen.name)).toMatchObject({ healthy: false, error: { code: 'REQUEST_TIMEOUT' } });
  });

  test('the next subscription asks again', async () => {
    const client = open(cluster.endpoints);
    const health$ = client.health$();
    expect((await all(health$)).every(({ healthy }) => healthy)).toBe(true);
    const dead = await firstValueFrom(cluster.kill$('follower'));
    const sick = (await all(health$)).filter(({ healthy }) => !healthy);
    expect(sick.map(({ member }) => member.name)).toEqual([dead.name]);
  });

  test('refreshCluster$ probes each member now, and emits what follows', async () => {
    const client = open(cluster.endpoints, { heartbeat: false });
    const probed: string[] = [];
    client.events$.subscribe((event) => {
      if (event.type === 'request' && event.operation === 'probe' && event.path === '/v2/members/leader')
        probed.push(event.endpoint);
    });
    const refresh$ = client.refreshCluster$();
    expect(probed).toEqual([]);
    const [state, ...more] = await all(refresh$);
    expect(more).toEqual([]);
    expect(new Set(probed)).toEqual(new Set(cluster.endpoints));
    expect(state?.members.map(({ name, status }) => [name, status])).toEqual(
      names.map((name) => [name, 'running']),
    );
    expect(client.clusterState$.value).toBe(state);
    // For up to a second after an election a leader may not say who it is.
    const leader = await firstValueFrom(cluster.leader$());
    await eventually(async () => (await firstValueFrom(refresh$)).leader?.name === leader.name);

    const dead = await firstValueFrom(cluster.kill$('follower'));
    probed.length = 0;
    const [after] = await all(refresh$);
    expect(after?.members.find(({ name }) => name === dead.name)?.status).toBe('down');
    expect(new Set(probed)).toEqual(new Set(cluster.endpoints));
  });

  test('refreshCluster$ of a cluster that is gone emits that, too', async () => {
    const [port] = await firstValueFrom(freePorts(1));
    const client = open(`127.0.0.1:${String(port)}`);
    const [state] = await all(client.refreshCluster$());
    expect(String(state)).toBe(
      `ClusterState (no quorum) Member (not identified) (down) http://127.0.0.1:${String(port)}`,
    );
  });

  test('leader$ begins with what is known, undefined at first, and is cold', async () => {
    const client = open(cluster.endpoints);
    const leader$ = client.leader$();
    expect(client.clusterState$.value.leader).toBeUndefined();
    const seen = await all(leader$.pipe(take(2)));
    const { name } = await firstValueFrom(cluster.leader$());
    expect(seen.map((leader) => leader?.name)).toEqual([undefined, name]);
    expect(seen[1]).toMatchObject({ isLeader: true, status: 'running' });
    expect((await firstValueFrom(leader$))?.name).toBe(name);
  });

  test('leader$ completes when the client is closed, and then errors', async () => {
    const client = open(cluster.endpoints);
    const seen = all(client.leader$().pipe(filter((leader) => leader !== undefined)));
    await firstValueFrom(client.get$('/'));
    await eventually(() => client.clusterState$.value.leader !== undefined);
    client.close();
    expect(await seen).toHaveLength(1);
    expect(isClientClosed(await rejectionOf(client.leader$()))).toBe(true);
  });
});

describe('a server whose v2 API is switched off', () => {
  let member: EtcdProcess;
  let client: EtcdClient;
  let version: string;

  // All three releases know the flag; in 3.3 it is on unless told otherwise.
  beforeAll(async () => {
    const binary = await firstValueFrom(findEtcd());
    const [clientPort = 0, peerPort = 0] = await firstValueFrom(freePorts(2));
    member = new EtcdProcess({ binary, clientPort, peerPort, flags: ['--enable-v2=false'] });
    ({ version } = binary);
    await lastValueFrom(member.start$());
    await eventually(async () => (await fetch(`${member.clientUrl}/health`)).status === 200);
  });
  afterAll(() => lastValueFrom(member.terminate$()));
  beforeEach(() => {
    client = open(member.clientUrl, { deadline: 5_000 });
  });

  const calls: [string, (client: EtcdClient) => Observable<unknown>][] = [
    ['get /k', (c) => c.get$('/k')],
    ['get /k', (c) => c.get$('/k', { quorum: true })],
    ['get /k', (c) => c.exists$('/k')],
    ['get /k', (c) => c.getValue$('/k')],
    ['set /k', (c) => c.set$('/k', 'v')],
    ['compareAndSwap /k', (c) => c.compareAndSwap$('/k', 'v', { prevIndex: 1 })],
    ['createInOrder /k', (c) => c.createInOrder$('/k', 'v')],
    ['delete /k', (c) => c.delete$('/k')],
    ['setDir /d', (c) => c.setDir$('/d')],
    ['updateDir /d', (c) => c.updateDir$('/d')],
    ['deleteDir /d', (c) => c.deleteDir$('/d')],
    ['watch /k', (c) => c.watch$('/k')],
    ['watch /k', (c) => c.watch$('/k', { initial: true })],
    ['watch /k', (c) => c.watch$('/k', { fromIndex: 5 })],
    ['watch /k', (c) => c.watchOnce$('/k')],
    ['machines', (c) => c.machines$()],
    ['members.list', (c) => c.members.list$()],
    ['members.leader', (c) => c.members.leader$()],
    ['members.add http://10.0.0.1:2380', (c) => c.members.add$(['http://10.0.0.1:2380'])],
    ['members.remove 1', (c) => c.members.remove$('1')],
    ['stats.leader', (c) => c.stats.leader$()],
    ['stats.self', (c) => c.stats.self$()],
    ['stats.store', (c) => c.stats.store$()],
    ['auth.status', (c) => c.auth.status$()],
    ['auth.enable', (c) => c.auth.enable$()],
    ['auth.users', (c) => c.auth.users$()],
    ['auth.createUser u', (c) => c.auth.createUser$('u', 'pw')],
    ['auth.updateUser u', (c) => c.auth.updateUser$('u', { password: 'pw' })],
    ['auth.deleteRole r', (c) => c.auth.deleteRole$('r')],
  ];

  test.each(calls)('%s says exactly that', async (operation, call) => {
    const fresh = await rejectionOf(call(client));
    await firstValueFrom(client.refreshCluster$());
    const later = await rejectionOf(call(client));
    for (const error of [fresh, later]) {
      expect(isUnsupportedByServer(error)).toBe(true);
      expect(error).toMatchObject({ endpoint: member.clientUrl });
    }
    const why = "has no v2 API (import from 'rxetcd/v3', or start etcd 3.4 or 3.5 with --enable-v2=true)";
    const known = `${operation}: this server (etcd ${version}) ${why}`;
    expect(headlineOf(later)).toBe(known);
    // The first call may be answered before the server's release is known.
    expect([known, `${operation}: the server ${why}`]).toContain(headlineOf(fresh));
  });

  test('tells its release and its health all the same', async () => {
    expect((await firstValueFrom(client.version$())).etcdserver).toBe(version);
    const versions = await all(client.versions$());
    expect(versions).toMatchObject([{ endpoint: member.clientUrl, etcdserver: version }]);
    const health = await all(client.health$());
    expect(health).toMatchObject([{ endpoint: member.clientUrl, healthy: true }]);
    const { status, data } = await firstValueFrom(client.raw$('GET', '/v2/keys/k'));
    expect({ status, data }).toEqual({ status: 404, data: expect.stringContaining('not found') as string });
  });

  test('stats of each: one value, and its error says so', async () => {
    const [{ error } = {}, ...more] = await all(client.stats.self$({ each: true }));
    expect(more).toEqual([]);
    expect(isUnsupportedByServer(error)).toBe(true);
  });
});
