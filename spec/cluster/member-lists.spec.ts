import { EtcdClient, type ClientEvent } from 'rxetcd';
import { firstValueFrom, lastValueFrom, of, throwError, type Observable } from 'rxjs';
import { believe } from '../../lib/cluster/believe.js';
import { Cluster } from '../../lib/cluster/cluster.js';
import type { MemberInfo } from '../../lib/cluster/member.js';
import type { ProbeAnswer } from '../../lib/cluster/probe.js';
import { EventBus } from '../../lib/insight/events.js';
import { resolveOptions } from '../../lib/options.js';
import { TransportError } from '../../lib/transport/transport-error.js';
import { cleanUp } from '../support/jest/clean-up.js';
import { eventually } from '../support/jest/eventually.js';
import { rejectionOf } from '../support/jest/rejection.js';
import { startScriptedServer, type ScriptedServer } from '../support/scripted/scripted-server.js';

const undos: (() => unknown)[] = [];
afterEach(() => cleanUp(undos));

/* Nobody listens on these: they refuse at once. */
const urlOf = (i: number): string => `http://127.0.${1 + (i >> 8)}.${i & 255}:1`;
const urlsOf = (n: number, from = 0): string[] => Array.from({ length: n }, (_, i) => urlOf(from + i));
const info = (id: string, clientURLs: string[]): MemberInfo => ({ id, name: id, clientURLs, peerURLs: [] });
const refused = new TransportError('connect', 'ECONNREFUSED', false);

/** A server that leads a cluster of whatever members `list` tells. */
async function leaderOf(list: (own: string) => object[]): Promise<ScriptedServer> {
  const server: ScriptedServer = await firstValueFrom(
    startScriptedServer(({ path }) => {
      const bodies: Record<string, object> = {
        '/v2/members/leader': { id: 'a', name: 'a', clientURLs: [], peerURLs: [] },
        '/v2/stats/self': { id: 'a', name: 'a' },
        '/v2/members': { members: list(server.url) },
        '/version': { etcdserver: '3.4.23', etcdcluster: '3.4.0' },
      };
      return { status: 200, headers: { 'x-etcd-cluster-id': 'ours' }, body: bodies[path] ?? {} };
    }),
  );
  undos.push(() => lastValueFrom(server.close$()));
  return server;
}

function open(endpoint: string, options: object = {}): { client: EtcdClient; events: ClientEvent[] } {
  const client = new EtcdClient(endpoint, { heartbeat: false, probeTimeout: 20_000, ...options });
  undos.push(() => client.close());
  const events: ClientEvent[] = [];
  client.events$.subscribe((event) => events.push(event));
  return { client, events };
}
const cuts = (events: ClientEvent[]) =>
  events.flatMap((event) => (event.type === 'member-list-cut' ? [event.ignored] : []));

describe('of a member list', () => {
  test('64 members with 8 URLs each are believed', () => {
    const told = Array.from({ length: 2_000 }, (_, i) => info(String(i), urlsOf(20, i * 20)));
    const { members, ignored } = believe(told);
    expect(members.map(({ clientURLs }) => clientURLs.length)).toEqual(Array(64).fill(8));
    expect(ignored).toBe('1936 of 2000 members, 768 of 1280 client URLs');
    expect(
      believe(told.slice(0, 64).map((m) => ({ ...m, clientURLs: m.clientURLs.slice(0, 8) }))).ignored,
    ).toBe('');
  });

  test.each<[string, (own: string) => object[], number, string]>([
    [
      'one member with 2,000 URLs',
      (own) => [info('a', [own, ...urlsOf(2_000)])],
      8,
      '1993 of 2001 client URLs',
    ],
    [
      '10,000 members',
      (own) => [info('a', [own]), ...Array.from({ length: 9_999 }, (_, i) => ({ id: i.toString(16) }))],
      1,
      '9936 of 10000 members',
    ],
  ])('that has %s the rest is told once and never asked', async (_, list, endpoints, ignored) => {
    const server = await leaderOf(list);
    const { client, events } = open(server.url);
    for (let i = 0; i < 3; i += 1) await firstValueFrom(client.refreshCluster$());
    expect(client.endpoints).toHaveLength(endpoints);
    expect(client.clusterState$.value.members.length).toBeLessThanOrEqual(64);
    expect(cuts(events)).toEqual([ignored]);
    const asked = events.flatMap((event) => (event.type === 'request' ? [event.endpoint] : []));
    expect(new Set(asked).size).toBe(endpoints);
  });

  test('with 200,000 URLs the probe that brought it is a failed one', async () => {
    const server = await leaderOf((own) => [
      info('a', [own, ...urlsOf(20_000), ...Array<string>(180_000).fill('x')]),
    ]);
    const { client } = open(server.url);
    await firstValueFrom(client.refreshCluster$());
    expect(client.endpoints).toEqual([server.url]);
    expect(client.clusterState$.value.members).toMatchObject([{ status: 'down' }]);
    expect(await rejectionOf(client.set$('/a', 'v', { deadline: 200 }))).toMatchObject({
      reason: 'unreachable',
      attempts: [{ error: expect.stringContaining('262144 bytes, the bound of a probe') as string }],
    });
  });

  test('what is no http or https URL never becomes an endpoint', async () => {
    const strange = [
      'ftp://127.0.0.1:1',
      'javascript:alert(1)',
      'http://',
      'not a url',
      '',
      'file:///etc/passwd',
    ];
    const server = await leaderOf((own) => [
      info('a', [...strange, own]),
      info('b', [urlOf(7), 'ws://127.0.0.1:1']),
    ]);
    const { client, events } = open(server.url);
    await firstValueFrom(client.refreshCluster$());
    expect(client.endpoints).toEqual([server.url, urlOf(7)]);
    expect(cuts(events)).toEqual([]);
  });
});

describe('the end of each probe', () => {
  /** CPU time in ms that it takes to ask all of so many endpoints, none of which answers but the first. */
  async function costOf(endpoints: number): Promise<number> {
    const own = urlOf(0);
    const members = Array.from({ length: endpoints / 8 }, (_, i) => info(`m${String(i)}`, urlsOf(8, 8 * i)));
    const probe = (url: string): Observable<ProbeAnswer> =>
      url === own ? of({ id: 'm0', clusterId: 'ours', leader: 'm0', members }) : throwError(() => refused);
    const settings = resolveOptions({ endpoints: own, heartbeat: false });
    const cluster = new Cluster(settings, probe, new EventBus());
    undos.push(() => cluster.close());
    await firstValueFrom(cluster.refresh$());
    expect(cluster.endpoints).toHaveLength(endpoints);
    const before = process.cpuUsage();
    for (let i = 0; i < 3; i += 1) await firstValueFrom(cluster.refresh$());
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 3_000;
  }

  test('costs linear work: eight times the endpoints cost 64 times the work, and not 512 times', async () => {
    await costOf(512);
    const [few, many] = [await costOf(64), await costOf(512)];
    expect(many / Math.max(few, 1)).toBeLessThan(200);
  });
});

describe('after many changes of members', () => {
  test('the error of a call names those alone that are there now', async () => {
    let change = 0;
    const server = await leaderOf((own) => [info('a', [own]), info(`b${String(change)}`, [urlOf(change)])]);
    const { url } = server;
    const { client, events } = open(url, { probeTimeout: 500 });
    for (change = 0; change < 30; change += 1) {
      await firstValueFrom(client.refreshCluster$());
      expect(client.endpoints).toEqual([url, urlOf(change)]);
    }
    expect(cuts(events)).toEqual([]);
    await firstValueFrom(server.close$());
    // All are down: the call never leaves the gate, and its error lists the probes.
    await firstValueFrom(client.refreshCluster$());
    const error = await rejectionOf(client.set$('/a', 'v', { deadline: 300 }));
    expect(error).toMatchObject({ code: 'ALL_NODES_DOWN', reason: 'unreachable' });
    const named = (error as { attempts: { endpoint: string }[] }).attempts.map(({ endpoint }) => endpoint);
    expect(new Set(named)).toEqual(new Set([url, urlOf(29)]));
    expect(named).toHaveLength(2);
  });

  test('each that is gone is told once to all who keep something of it', async () => {
    let change = 0;
    const own = urlOf(999);
    const probe = (url: string): Observable<ProbeAnswer> =>
      url === own
        ? of({
            id: 'a',
            clusterId: 'ours',
            leader: 'a',
            members: [info('a', [own]), info('b', [urlOf(change)])],
          })
        : throwError(() => refused);
    const cluster = new Cluster(resolveOptions({ endpoints: own, heartbeat: false }), probe, new EventBus());
    undos.push(() => cluster.close());
    const gone: string[] = [];
    cluster.whenGone((url) => gone.push(url));
    for (change = 0; change < 300; change += 1) await firstValueFrom(cluster.refresh$());
    expect(gone).toEqual(urlsOf(299));
    expect(cluster.probeFailures.map(({ endpoint }) => endpoint)).toEqual([urlOf(299)]);
  });

  test('its connections are ended', async () => {
    let followers: string[] = [];
    const server = await leaderOf((own) => [
      info('a', [own]),
      ...followers.map((url, i) => info(`f${String(i)}`, [url])),
    ]);
    const follower = await leaderOf(() => []);
    const { client } = open(server.url);
    followers = [follower.url];
    await firstValueFrom(client.refreshCluster$());
    expect(follower.connections).toBeGreaterThan(0);
    followers = [];
    await firstValueFrom(client.refreshCluster$());
    await eventually(() => follower.connections === 0);
    expect(client.endpoints).toEqual([server.url]);
  });
});
