import { existsSync } from 'node:fs';
import { firstValueFrom, forkJoin, map, tap } from 'rxjs';
import { eventually } from './eventually.js';
import { httpGet } from './http-get.js';
import { startLocalCluster } from './local-cluster.js';
import type { LocalCluster } from './local-cluster.js';
import { startTcpProxy } from './tcp-proxy.js';
import type { TcpProxy } from './tcp-proxy.js';

let cluster: LocalCluster;
afterEach(() => firstValueFrom(cluster.down$()));

const put = (url: string, value: string) =>
  fetch(`${url}/v2/keys/k`, { method: 'PUT', body: new URLSearchParams({ value }) });
const get = async (url: string) =>
  (JSON.parse((await firstValueFrom(httpGet(`${url}/v2/keys/k`, 1_000))).body) as { node: { value: string } })
    .node.value;

describe('startLocalCluster', () => {
  test('starts three members that are ready, and leaves nothing after down$', async () => {
    cluster = await firstValueFrom(startLocalCluster());
    expect(cluster.members.map(({ name, index, state }) => `${name} ${index} ${state}`)).toEqual([
      'etcd1 0 running',
      'etcd2 1 running',
      'etcd3 2 running',
    ]);
    expect(cluster.endpoints).toEqual(cluster.members.map(({ clientUrl }) => clientUrl));
    expect(cluster.members).toContain(await firstValueFrom(cluster.leader$()));
    expect((await put(cluster.endpoints[1]!, 'a')).status).toBe(201);

    const traces = cluster.members.flatMap(({ pid, dataDir }) => [`/proc/${pid}`, dataDir]);
    expect(traces.every(existsSync)).toBe(true);
    await firstValueFrom(cluster.down$());
    expect(traces.filter(existsSync)).toEqual([]);
  });

  test('kill the leader: another one leads; it comes back and the cluster is whole', async () => {
    cluster = await firstValueFrom(startLocalCluster());
    const old = await firstValueFrom(cluster.kill$('leader'));
    expect(old.state).toBe('down');
    const leader = await firstValueFrom(cluster.leader$());
    expect(leader).not.toBe(old);
    await put(leader.clientUrl, 'meanwhile');

    await firstValueFrom(cluster.restart$(old.index));
    await firstValueFrom(cluster.ready$());
    expect(await get(old.clientUrl)).toBe('meanwhile');
  });

  test('stop the leader: another one leads; it resumes and follows', async () => {
    cluster = await firstValueFrom(startLocalCluster());
    const old = await firstValueFrom(cluster.stop$('leader'));
    const leader = await firstValueFrom(cluster.leader$());
    expect(leader).not.toBe(old);
    await put(leader.clientUrl, 'meanwhile');

    await firstValueFrom(cluster.resume$(old.index));
    await firstValueFrom(cluster.ready$());
    await eventually(async () => expect(await get(old.clientUrl)).toBe('meanwhile'));
  });

  test('a killed follower leaves the leader alone; two leave none', async () => {
    cluster = await firstValueFrom(startLocalCluster());
    const leader = await firstValueFrom(cluster.leader$());
    expect(await firstValueFrom(cluster.kill$('follower'))).not.toBe(leader);
    await firstValueFrom(cluster.ready$());
    expect(await firstValueFrom(cluster.leader$())).toBe(leader);

    await firstValueFrom(cluster.kill$('follower'));
    await eventually(async () =>
      expect((await firstValueFrom(httpGet(`${leader.clientUrl}/v2/members/leader`, 500))).status).toBe(503),
    );
  });

  test('kill all and restart all: the data is there again', async () => {
    cluster = await firstValueFrom(startLocalCluster());
    await put(cluster.endpoints[0]!, 'kept');
    await firstValueFrom(cluster.killAll$());
    expect(cluster.members.map(({ state }) => state)).toEqual(['down', 'down', 'down']);
    await firstValueFrom(cluster.restartAll$());
    await firstValueFrom(cluster.ready$());
    expect(await get(cluster.endpoints[2]!)).toBe('kept');
  });

  test.each(['bullseye', 'trixie'] as const)('runs the etcd of %s', async (release) => {
    cluster = await firstValueFrom(startLocalCluster({ release }));
    await firstValueFrom(cluster.kill$('leader'));
    await firstValueFrom(cluster.ready$());
  });

  test('takes a size, a timing and flags', async () => {
    cluster = await firstValueFrom(
      startLocalCluster({
        size: 1,
        timing: { heartbeat: 50, election: 500 },
        flags: ['--initial-cluster-token', 'mine'],
      }),
    );
    expect(cluster.members).toHaveLength(1);
  });

  test('members can reach each other through proxies', async () => {
    let proxies: TcpProxy[] = [];
    const advertisePeers = (urls: string[]) =>
      forkJoin(urls.map((url) => startTcpProxy(url))).pipe(
        tap((started) => (proxies = started)),
        map((started) => started.map(({ url }) => url)),
      );
    cluster = await firstValueFrom(startLocalCluster({ advertisePeers }));
    expect(cluster.members.map(({ peerUrl }) => peerUrl)).toEqual(proxies.map(({ url }) => url));
    expect(proxies.map(({ connections }) => connections > 0)).toEqual([true, true, true]);

    await firstValueFrom(forkJoin(proxies.map((proxy) => proxy.close$())));
    await eventually(async () =>
      expect((await firstValueFrom(httpGet(`${cluster.endpoints[0]}/v2/members/leader`, 500))).status).toBe(
        503,
      ),
    );
  });
});
