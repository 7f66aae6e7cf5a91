import axios from 'axios';
import {
  EtcdError,
  isAllNodesDown,
  isTlsError,
  type AllNodesDownError,
  type ClientOptions,
  type TlsOptions,
} from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { inspect } from 'node:util';
import { TestCertificates, type TestAuthority } from '../../support/tls/certificates.js';
import { setEnvironment } from '../../support/programs/environment.js';
import { startHttpProxy, type HttpProxy, type HttpProxyOptions } from '../../support/proxies/http-proxy.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';
import { WatchLog } from '../../support/promises/watch-log.js';

const certificates = new TestCertificates();
let ca: TestAuthority;
/** Has signed nothing that is used. */
let otherCa: TestAuthority;
const server = serverUnderTest(async () => {
  ca = await certificates.authority();
  otherCa = await certificates.authority('other CA');
  return ca.server();
});
afterAll(() => certificates.remove());

const names = ['http_proxy', 'https_proxy', 'no_proxy', 'all_proxy'];
const cleared = Object.fromEntries(names.flatMap((n) => [n, n.toUpperCase()]).map((n) => [n, undefined]));

/** For the rest of the test these are the only such variables. */
function environment(variables: Record<string, string>): void {
  server.afterwards(setEnvironment({ ...cleared, ...variables }));
}

async function startProxy(options?: HttpProxyOptions): Promise<HttpProxy> {
  const proxy = await firstValueFrom(startHttpProxy(options));
  server.afterwards(() => firstValueFrom(proxy.close$()));
  return proxy;
}

const transports: [string, () => Pick<ClientOptions, 'axios'>][] = [
  ['the default transport', () => ({})],
  ['an axios instance', () => ({ axios: axios.create() })],
];
const plain = (): ClientOptions => ({ endpoints: server.url, discover: false });
const secure = (): ClientOptions => ({
  endpoints: server.secureUrl,
  discover: false,
  tls: { ca: ca.cert },
});

/** What everybody does. */
async function useEtcd(options: ClientOptions): Promise<void> {
  const key = server.key();
  const client = server.client(options);
  const watch = new WatchLog(client, key);
  server.afterwards(() => watch.unsubscribe());
  await watch.live();
  await firstValueFrom(client.set$(key, 'a&b=c'));
  expect(await firstValueFrom(client.getValue$(key))).toBe('a&b=c');
  await watch.count(1);
  expect(watch.lines).toEqual([`set ${key}=a&b=c`]);
}

describe.each(transports)('%s', (_, transport) => {
  test.each(['HTTP_PROXY', 'http_proxy'])('%s: http goes to it by absolute URL', async (name) => {
    const proxy = await startProxy();
    environment({ [name]: proxy.url });
    await useEtcd({ ...plain(), ...transport() });
    expect(proxy.passed.filter((line) => !/^(GET|PUT) http:/.test(line))).toEqual([]);
    expect(proxy.passed.some((line) => line.startsWith(`PUT ${server.url}/v2/keys/`))).toBe(true);
  });

  test.each(['HTTPS_PROXY', 'https_proxy'])('%s: https goes through a tunnel', async (name) => {
    const proxy = await startProxy();
    environment({ [name]: proxy.url });
    await useEtcd({ ...secure(), ...transport() });
    expect(new Set(proxy.passed)).toEqual(new Set([`CONNECT ${new URL(server.secureUrl).host}`]));
    // What is for etcd stays within.
    expect(proxy.headers.filter((h) => 'authorization' in h)).toEqual([]);
  });

  test.each<[string, () => TlsOptions, RegExp]>([
    [
      'of an authority that is not trusted',
      () => ({ ca: otherCa.cert }),
      /UNABLE_TO_|SELF_SIGNED|certificate/,
    ],
    ['of none that is known at all', () => ({}), /UNABLE_TO_|SELF_SIGNED|certificate/],
    [
      'for another name',
      () => ({ ca: ca.cert, servername: 'etcd.example' }),
      /ERR_TLS_CERT_ALTNAME_INVALID|etcd\.example/,
    ],
  ])('HTTPS_PROXY: behind the tunnel a certificate %s is refused', async (_case, tls, words) => {
    const proxy = await startProxy();
    environment({ HTTPS_PROXY: proxy.url });
    const key = server.key();
    const client = server.client({ ...secure(), ...transport(), tls: tls(), deadline: 5_000 });
    for (const call of [client.get$(key), client.set$(key, 'v'), client.watch$(key)]) {
      const error = await rejectionOf(call);
      expect(isTlsError(error)).toBe(true);
      expect(String(error)).toMatch(words);
    }
    expect(proxy.passed[0]).toBe(`CONNECT ${new URL(server.secureUrl).host}`);
    expect((await server.fetch(`/keys${key}`)).status).toBe(404);
  });

  test('each is for its own scheme', async () => {
    const proxy = await startProxy();
    environment({ HTTPS_PROXY: proxy.url });
    await useEtcd({ ...plain(), ...transport() });
    environment({ HTTP_PROXY: proxy.url });
    await useEtcd({ ...secure(), ...transport() });
    expect(proxy.passed).toEqual([]);
  });

  test.each([
    ['NO_PROXY', () => '127.0.0.1'],
    ['no_proxy', () => 'example.org,127.0.0.1'],
    ['NO_PROXY', () => new URL(server.url).host + ',' + new URL(server.secureUrl).host],
    ['NO_PROXY', () => '*'],
  ])('%s keeps them away', async (name, hosts) => {
    const proxy = await startProxy();
    environment({ HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, [name]: hosts() });
    await useEtcd({ ...plain(), ...transport() });
    await useEtcd({ ...secure(), ...transport() });
    expect(proxy.passed).toEqual([]);
  });

  test.each([
    ['http', plain],
    ['https', secure],
  ])('%s: a proxy that wants credentials gets those of its URL', async (_scheme, options) => {
    const credentials = { username: 'user', password: 'proxy-secret' };
    const proxy = await startProxy({ credentials });
    const url = `http://user:proxy-secret@${proxy.host}`;
    environment({ HTTP_PROXY: url, HTTPS_PROXY: url });
    await useEtcd({ ...options(), ...transport() });
    expect(proxy.passed.length).toBeGreaterThan(0);
    expect(proxy.refusals).toBe(0);
  });

  test.each([
    ['http', plain],
    ['https', secure],
  ])('%s: a proxy that is down is like a member that is: nothing was sent', async (_scheme, options) => {
    const proxy = await startProxy();
    environment({ HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url });
    await firstValueFrom(proxy.close$());
    const key = server.key();
    const client = server.client({ ...options(), ...transport(), deadline: 2_000 });
    for (const error of await Promise.all([client.get$(key), client.set$(key, 'v')].map(rejectionOf))) {
      expect(isAllNodesDown(error)).toBe(true);
      expect((error as AllNodesDownError).reason).toBe('unreachable');
    }
    expect((await server.fetch(`/keys${key}`)).status).toBe(404);
  });

  test.each([
    ['http', plain],
    ['https', secure],
  ])(
    '%s: a proxy that refuses lets nothing through, and says so; its password is nowhere',
    async (_s, options) => {
      const proxy = await startProxy({ credentials: { username: 'user', password: 'right' } });
      const secret = 'proxy-secret';
      const url = `http://user:${secret}@${proxy.host}`;
      environment({ HTTP_PROXY: url, HTTPS_PROXY: url });
      const key = server.key();
      // Few tries: a deadline may pass while one is with the proxy, and nobody knows what becomes of that.
      const client = server.client({ ...options(), ...transport(), deadline: 3_000, retry: { max: 2 } });
      const told: unknown[] = [];
      client.events$.subscribe((event) => told.push(event));
      client.logEvents({ level: 'debug', bodies: true, write: (line) => told.push(line) });
      const watch = new WatchLog(client, key);
      server.afterwards(() => watch.unsubscribe());
      for (const call of [client.get$(key), client.set$(key, 'v')]) {
        const error = (await rejectionOf(call)) as EtcdError;
        expect(error).toBeInstanceOf(EtcdError);
        expect(error.code).not.toBe('OUTCOME_UNKNOWN');
        expect(error.message).toMatch(/407/);
        told.push(error, error.message, error.stack, JSON.stringify(error), error.attempts);
      }
      expect(proxy.refusals).toBeGreaterThan(0);
      expect((await server.fetch(`/keys${key}`)).status).toBe(404);
      const text = inspect(told, { depth: 10, showHidden: true });
      for (const form of [secret, btoa(`user:${secret}`)]) expect(text).not.toContain(form);
    },
  );
});
