import { EtcdClient, type ClientOptions } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { cleanUp } from '../jest/clean-up.js';
import type { EtcdTls } from './etcd-flags.js';
import type { EtcdProcess } from './etcd-process.js';
import { startLocalCluster, type LocalCluster } from '../cluster/local-cluster.js';
import { startTcpProxy, type TcpProxy } from '../proxies/tcp-proxy.js';

/** One etcd for a whole spec file, and what its tests open, closed after each of them even if it fails. */
export interface ServerUnderTest {
  readonly url: string;
  /** The same with TLS, if it was asked for. */
  readonly secureUrl: string;
  readonly member: EtcdProcess;
  /** As `3.5.16`. */
  readonly version: string;
  /** As `3.5`. */
  readonly release: string;
  /** A client of the server, or of `options.endpoints`. */
  client(options?: ClientOptions): EtcdClient;
  /** A TCP proxy in front of the server. */
  proxy(): Promise<TcpProxy>;
  /** Runs after the test, the latest first. */
  afterwards(cleanUp: () => unknown): void;
  /** A key that no other test of this file uses. */
  key(): string;
  /** Past the client: one plain request below `/v2`. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Past the client: how many watchers the server holds. */
  watchers(): Promise<number>;
}

/**
 * Starts the server before the tests of this file and ends it behind them.
 *
 * @param tls makes certificates, for a server that also listens with TLS
 */
export function serverUnderTest(tls?: () => Promise<EtcdTls>): ServerUnderTest {
  const cleanUps: (() => unknown)[] = [];
  let cluster: LocalCluster | undefined;
  let version = '';
  let keys = 0;

  beforeAll(async () => {
    cluster = await firstValueFrom(startLocalCluster({ size: 1, ...(tls && { tls: await tls() }) }));
    const { etcdserver } = (await (await fetch(`${server.url}/version`)).json()) as { etcdserver: string };
    version = etcdserver;
  });
  afterEach(async () => {
    await cleanUp(cleanUps);
  });
  afterAll(async () => {
    if (cluster !== undefined) await firstValueFrom(cluster.down$());
  });

  const server: ServerUnderTest = {
    get url() {
      return server.member.clientUrl;
    },
    get secureUrl() {
      return server.member.secureUrl;
    },
    get member() {
      const member = cluster?.members[0];
      if (member === undefined) throw new Error('no server before the first test');
      return member;
    },
    get version() {
      return version;
    },
    get release() {
      return version.split('.').slice(0, 2).join('.');
    },
    client: (options) => {
      const client = new EtcdClient({ endpoints: server.url, ...options });
      cleanUps.push(() => client.close());
      return client;
    },
    proxy: async () => {
      const proxy = await firstValueFrom(startTcpProxy(server.url));
      cleanUps.push(() => firstValueFrom(proxy.close$()));
      return proxy;
    },
    afterwards: (work) => cleanUps.push(work),
    key: () => `/test-${++keys}`,
    fetch: (path, init) => fetchWhole(`${server.url}/v2${path}`, init),
    watchers: async () =>
      ((await (await server.fetch('/stats/store')).json()) as { watchers: number }).watchers,
  };
  return server;
}

/** The answer once all of it is there: one whose body nobody reads would keep its connection. */
async function fetchWhole(url: string, init?: RequestInit): Promise<Response> {
  const answer = await fetch(url, init);
  const body = await answer.arrayBuffer();
  const { status, headers } = answer;
  return new Response(body.byteLength === 0 ? null : body, { status, headers });
}
