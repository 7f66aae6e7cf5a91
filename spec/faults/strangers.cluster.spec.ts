import { EtcdClient } from 'rxetcd';
import { delay, firstValueFrom, from, lastValueFrom, of, type Observable } from 'rxjs';
import { cleanUp } from '../support/jest/clean-up.js';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import type { ScriptedAction } from '../support/scripted/scripted-action.js';
import {
  startScriptedServer,
  type ScriptedRequest,
  type ScriptedServer,
} from '../support/scripted/scripted-server.js';
import { startTcpProxy, type TcpProxy } from '../support/proxies/tcp-proxy.js';

/* Members that are found by what they advertise, each behind a proxy, so that another can come in its place. */
const auth = { username: 'root', password: 'secret' };
const undos: (() => unknown)[] = [];
let cluster: LocalCluster;
let proxies: TcpProxy[];
let clusterId: string;

beforeEach(async () => {
  proxies = await Promise.all([0, 1, 2].map(() => firstValueFrom(startTcpProxy('http://127.0.0.1:1'))));
  for (const proxy of proxies) undos.push(() => lastValueFrom(proxy.close$()));
  const advertise = (ownUrl: string, index: number): string => {
    proxies[index]!.retarget(ownUrl);
    return proxies[index]!.url;
  };
  cluster = await firstValueFrom(startLocalCluster({ advertise }));
  undos.push(() => lastValueFrom(cluster.down$()));
  clusterId = (await fetch(`${cluster.endpoints[0]!}/v2/members`)).headers.get('x-etcd-cluster-id')!;
});
afterEach(() => cleanUp(undos));

const open = (endpoint: string, options: object = {}): EtcdClient => {
  const client = new EtcdClient(endpoint, { auth, heartbeat: 300, probeTimeout: 1_000, ...options });
  undos.push(() => client.close());
  return client;
};

async function scripted(
  handler: (request: ScriptedRequest) => ScriptedAction | Observable<ScriptedAction>,
  port?: number,
): Promise<ScriptedServer> {
  const server = await firstValueFrom(startScriptedServer(handler, port));
  undos.push(() => lastValueFrom(server.close$()));
  return server;
}

/** Somebody who shows the right cluster id and knows who leads, and yet is no member of it. */
async function stranger(answersAfter: number, port?: number): Promise<ScriptedServer> {
  const headers = { 'x-etcd-cluster-id': clusterId, 'x-etcd-index': '1' };
  return scripted(({ path }) => {
    const body = path === '/v2/members/leader' ? { id: leaderId, name: 'x' } : { id: 'cafe', action: 'get' };
    return of({ status: 200, headers, body }).pipe(delay(answersAfter));
  }, port);
}
let leaderId = '';

const hasGot = (server: ScriptedServer) => ({
  credentials: server.requests
    .filter(({ headers }) => headers.authorization !== undefined)
    .map(({ path }) => path),
  keys: server.requests.filter(({ path }) => path.startsWith('/v2/keys')).map(({ path }) => path),
});
const nothing = { credentials: [], keys: [] };

describe.each([0, 400])(
  'a stranger at the address of a dead member, whose answers take %d ms',
  (answersAfter) => {
    it('gets no credentials and no call, though reads elsewhere break', async () => {
      const leader = await firstValueFrom(cluster.leader$());
      const gone = cluster.members.find((member) => member !== leader)!;
      const client = open(proxies[leader.index]!.url);
      client.clusterState$.subscribe();
      await eventually(
        () =>
          client.endpoints.length === 3 &&
          client.clusterState$.value.members.every(({ status }) => status === 'running'),
      );
      leaderId = client.clusterState$.value.leader!.id;
      await firstValueFrom(client.set$('/a', 'v'));

      await firstValueFrom(gone.kill$());
      await eventually(
        () => client.clusterState$.value.members.find(({ name }) => name === gone.name)?.status === 'down',
      );
      const other = await stranger(answersAfter);
      proxies[gone.index]!.retarget(other.url);
      proxies[gone.index]!.reset();
      const rest = proxies.filter((_, i) => i !== gone.index);
      for (let i = 0; i < 8; i += 1) {
        for (const proxy of rest) proxy.pause('toClient');
        const reads = Array.from({ length: 5 }, () =>
          firstValueFrom(client.getValue$('/a', { deadline: 20_000 })),
        );
        const each = firstValueFrom(client.stats.self$({ each: true, timeout: 500 })).catch(() => undefined);
        for (const proxy of rest) proxy.reset();
        for (const proxy of rest) proxy.resume();
        expect(new Set(await Promise.all(reads))).toEqual(new Set(['v']));
        await firstValueFrom(client.set$('/a', 'v', { deadline: 20_000 }));
        await each;
      }
      await eventually(() => other.requests.length > 3);
      expect(hasGot(other)).toEqual(nothing);
    });
  },
);

it('a redirect to the address of a found stranger is not followed', async () => {
  const leader = await firstValueFrom(cluster.leader$());
  const gone = cluster.members.find((member) => member !== leader)!;
  const other = await stranger(0);
  proxies[gone.index]!.retarget(other.url);
  // A member behind a front that sends writes elsewhere, as releases before 2.0 do.
  const front = await scripted(({ method, path }) => {
    if (method === 'PUT') return { status: 307, headers: { location: `${proxies[gone.index]!.url}${path}` } };
    return from(
      fetch(`${leader.clientUrl}${path}`).then(async (answer) => ({
        status: answer.status,
        headers: { 'x-etcd-cluster-id': clusterId },
        body: await answer.text(),
      })),
    );
  });
  const client = open(front.url, { deadline: 2_000 });
  client.clusterState$.subscribe();
  await eventually(() => client.clusterState$.value.leader !== undefined && client.endpoints.length > 2);
  leaderId = client.clusterState$.value.leader!.id;
  await Promise.allSettled([0, 1, 2, 3].map((i) => firstValueFrom(client.set$(`/b${i}`, 'v'))));
  expect(front.requests.filter(({ method }) => method === 'PUT').length).toBeGreaterThan(0);
  await eventually(() => other.requests.length > 3);
  expect(hasGot(other)).toEqual(nothing);
});

describe('a stranger that takes the address of a member in the moment of its death', () => {
  /** Kills a found follower, and lets the stranger listen where it did before the client can know anything. */
  async function takeOver(client: EtcdClient): Promise<ScriptedServer> {
    const leader = await firstValueFrom(cluster.leader$());
    const gone = cluster.members.find(({ index }) => index !== leader.index && index !== 0)!;
    await eventually(
      () =>
        client.endpoints.length === 3 &&
        client.clusterState$.value.members.every(({ status }) => status === 'running'),
    );
    leaderId = client.clusterState$.value.leader!.id;
    await firstValueFrom(gone.kill$());
    const other = await stranger(0, Number(new URL(gone.clientUrl).port));
    restore = async () => {
      await lastValueFrom(other.close$());
      await firstValueFrom(gone.restart$());
      await firstValueFrom(cluster.ready$());
    };
    return other;
  }
  let restore: () => Promise<void>;

  const reads = (client: EtcdClient) =>
    Promise.all(
      Array.from({ length: 60 }, () => firstValueFrom(client.getValue$('/a', { deadline: 20_000 }))),
    );

  it.each<[string, object]>([
    ['with a heartbeat', {}],
    ['without', { heartbeat: false }],
  ])('gets no credentials, neither on connections that are made anew %s', async (_, options) => {
    const client = open(proxies[0]!.url, options);
    client.clusterState$.subscribe();
    await firstValueFrom(client.set$('/a', 'v'));
    for (let round = 0; round < 4; round += 1) {
      const other = await takeOver(client);
      const read = await Promise.all([
        reads(client),
        firstValueFrom(client.stats.self$({ each: true, timeout: 500 })).catch(() => []),
        reads(client),
      ]);
      expect(new Set([...read[0], ...read[2]])).toEqual(new Set(['v']));
      await firstValueFrom(client.refreshCluster$());
      expect(other.requests.length).toBeGreaterThan(0);
      expect(hasGot(other)).toEqual(nothing);
      await restore();
      await firstValueFrom(client.refreshCluster$());
    }
  });

  it('nor by a watch', async () => {
    const client = open(proxies[0]!.url, { watchOn: 'any' });
    client.clusterState$.subscribe();
    const other = await takeOver(client);
    const seen: unknown[] = [];
    // As many as there are members, and more: some would go there.
    for (let i = 0; i < 6; i += 1) {
      const watching = client.watch$(`/w${i}`).subscribe((event) => seen.push(event));
      undos.push(() => watching.unsubscribe());
    }
    await eventually(async () => {
      await firstValueFrom(client.set$('/w5', 'v', { deadline: 20_000 }));
      return seen.length > 0;
    });
    await eventually(() => other.requests.length > 3);
    expect(hasGot(other)).toEqual(nothing);
  });
});
