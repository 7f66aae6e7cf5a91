import { existsSync } from 'node:fs';
import { firstValueFrom, forkJoin, map, tap } from 'rxjs';
import { eventually } from '../jest/eventually.js';
import { httpGet } from '../etcd/http-get.js';
import { startLocalCluster } from './local-cluster.js';
import { namedLeader$ } from './named-leader.js';
import type { LocalCluster } from './local-cluster.js';
import { startTcpProxy } from '../proxies/tcp-proxy.js';
import type { TcpProxy } from '../proxies/tcp-proxy.js';
import { afterEachTest } from '../jest/clean-up.js';

const afterwards = afterEachTest();

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

  describe('with partitions', () => {
    const namedBy = ({ clientUrl }: { clientUrl: string }) => firstValueFrom(namedLeader$(clientUrl));
    const start = async () =>
      (cluster = await firstValueFrom(
        startLocalCluster({ partitions: true, timing: { heartbeat: 50, election: 500 } }),
      ));

    test('a leader that is cut off: another one leads, the old one gives up and still reads; healed, it follows', async () => {
      await start();
      await put(cluster.endpoints[0]!, 'before');
      const old = await firstValueFrom(cluster.partition$('leader'));
      expect([old.state, old.partitioned]).toEqual(['running', true]);
      const leader = await firstValueFrom(cluster.leader$());
      expect(leader).not.toBe(old);
      await eventually(async () => expect(await namedBy(old)).toBeUndefined());
      await put(leader.clientUrl, 'meanwhile');
      expect(await get(old.clientUrl)).toBe('before');
      // The two others do not miss it.
      await firstValueFrom(cluster.ready$());

      await firstValueFrom(cluster.heal$(old.index));
      await firstValueFrom(cluster.ready$());
      expect(cluster.members.map(({ partitioned }) => partitioned)).toEqual([false, false, false]);
      await eventually(async () => expect(await get(old.clientUrl)).toBe('meanwhile'));
    });

    test('a follower that is cut off knows nobody, killed and restarted neither, until it is healed', async () => {
      await start();
      const leader = await firstValueFrom(cluster.leader$());
      const follower = await firstValueFrom(cluster.partition$('follower'));
      await eventually(async () => expect(await namedBy(follower)).toBeUndefined());
      await put(leader.clientUrl, 'meanwhile');
      await firstValueFrom(cluster.restart$(follower.index));
      expect(await namedBy(follower)).toBeUndefined();
      expect(await firstValueFrom(cluster.leader$())).not.toBe(follower);

      await firstValueFrom(cluster.heal$(follower.index));
      await firstValueFrom(cluster.ready$());
      expect(await get(follower.clientUrl)).toBe('meanwhile');
    });

    test('each member alone: nobody leads', async () => {
      await start();
      await firstValueFrom(cluster.partition$(0));
      await firstValueFrom(cluster.partition$(1));
      await eventually(async () =>
        expect(await Promise.all(cluster.members.map(namedBy))).toEqual([undefined, undefined, undefined]),
      );
      await firstValueFrom(cluster.heal$(0));
      expect([0, 2]).toContain((await firstValueFrom(cluster.leader$())).index);
    });
  });

  test('without partitions nothing can be cut, and it says so', async () => {
    cluster = await firstValueFrom(startLocalCluster({ size: 1 }));
    await expect(firstValueFrom(cluster.partition$(0))).rejects.toThrow(
      'etcd1 was started without `partitions`',
    );
  });

  test('members can reach each other through proxies', async () => {
    let proxies: TcpProxy[] = [];
    const advertisePeers = (urls: string[]) =>
      forkJoin(urls.map((url) => startTcpProxy(url))).pipe(
        tap((started) => {
          proxies = started;
          for (const proxy of started) afterwards(() => firstValueFrom(proxy.close$()));
        }),
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
