import axios, { AxiosError, getAdapter, type AxiosAdapter, type AxiosInstance } from 'axios';
import { EtcdError, isAllNodesDown, isOutcomeUnknown, type ClientOptions } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { inspect } from 'node:util';
import { TestCertificates, type TestAuthority } from '../../support/tls/certificates.js';
import { startHttpProxy } from '../../support/proxies/http-proxy.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { startScriptedServer, type ScriptedServer } from '../../support/scripted/scripted-server.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';
import { WatchLog } from '../../support/promises/watch-log.js';

const certificates = new TestCertificates();
let ca: TestAuthority;
const server = serverUnderTest(async () => {
  ca = await certificates.authority();
  return ca.server();
});
afterAll(() => certificates.remove());

/** What everybody does, over one client. */
async function useEtcd(instance: AxiosInstance, options: ClientOptions = {}): Promise<void> {
  const key = server.key();
  const client = server.client({ ...options, axios: instance });
  const watch = new WatchLog(client, key);
  server.afterwards(() => watch.unsubscribe());
  await watch.live();
  await firstValueFrom(client.set$(key, 'a&b=c; é'));
  expect(await firstValueFrom(client.getValue$(key))).toBe('a&b=c; é');
  await watch.count(1);
  await firstValueFrom(client.delete$(key));
  await watch.count(2);
  expect(watch.lines).toEqual([`set ${key}=a&b=c; é`, `delete ${key}`]);
  const missing = await rejectionOf(client.get$(key));
  expect(missing).toMatchObject({ code: 'API_ERROR', errorCode: 100 });
}

/** A server that is a member of one, as far as a client asks, and keeps what it was asked. */
async function listener(): Promise<ScriptedServer> {
  const scripted = await firstValueFrom(
    startScriptedServer(({ path }) =>
      path.startsWith('/v2/keys')
        ? { status: 200, body: { action: 'get', node: { key: '/k', value: 'v' } } }
        : { status: 404, body: '404 page not found', headers: { 'Content-Type': 'text/plain' } },
    ),
  );
  server.afterwards(() => firstValueFrom(scripted.close$()));
  return scripted;
}

describe('an instance works', () => {
  test.each<[string, () => AxiosInstance]>([
    ['as it comes', () => axios.create()],
    ['axios itself', () => axios],
    ['with the http adapter', () => axios.create({ adapter: 'http' })],
    ['with the fetch adapter', () => axios.create({ adapter: 'fetch' })],
    [
      'with an adapter that wraps another',
      () => axios.create({ adapter: (config) => getAdapter('http')(config) }),
    ],
    ['with defaults that a client cannot use', () => hostile()],
  ])('%s', async (_, create) => {
    await useEtcd(create());
  });

  test('over TLS, with the options of the client', async () => {
    await useEtcd(axios.create(), { endpoints: server.secureUrl, tls: { ca: ca.cert } });
  });

  test('with a proxy of its own', async () => {
    const proxy = await firstValueFrom(startHttpProxy({ credentials: { username: 'u', password: 'p' } }));
    server.afterwards(() => firstValueFrom(proxy.close$()));
    const { hostname, port } = new URL(proxy.url);
    await useEtcd(
      axios.create({ proxy: { host: hostname, port: Number(port), auth: { username: 'u', password: 'p' } } }),
      { discover: false },
    );
    expect(proxy.passed.length).toBeGreaterThan(3);
    expect(proxy.refusals).toBe(0);
  });
});

/** Defaults of a user who had other servers in mind. */
function hostile(): AxiosInstance {
  return axios.create({
    baseURL: 'http://127.0.0.1:1/elsewhere',
    timeout: 1,
    responseType: 'json',
    maxRedirects: 7,
    validateStatus: (status) => status === 418,
    transformResponse: [() => 'transformed'],
    transformRequest: [() => 'transformed'],
  });
}

describe('interceptors', () => {
  test('of requests, async ones too, may add headers; probes and calls pass them', async () => {
    const scripted = await listener();
    const instance = axios.create();
    instance.interceptors.request.use(async (config) => {
      await Promise.resolve();
      config.headers.set('X-Tenant', 'blue');
      return config;
    });
    const client = server.client({ endpoints: scripted.url, axios: instance, discover: false });
    await firstValueFrom(client.get$('/k'));
    expect(scripted.requests.length).toBeGreaterThan(1);
    expect(scripted.requests.map((r) => r.headers['x-tenant'])).toEqual(scripted.requests.map(() => 'blue'));
  });

  test('of answers, async ones too, see them all', async () => {
    const instance = axios.create();
    const statuses: number[] = [];
    instance.interceptors.response.use(async (response) => {
      await Promise.resolve();
      statuses.push(response.status);
      return response;
    });
    await useEtcd(instance);
    expect(statuses).toEqual(expect.arrayContaining([200, 201, 404]));
  });
});

const password = 'pass-word-8471';
const auth = { username: 'someone', password };

/** Nothing of a client's configuration. */
function expectClean(...told: unknown[]): void {
  const text = inspect(told, { depth: 10, showHidden: true });
  for (const secret of [password, btoa(`someone:${password}`), 'someone:', 'AxiosError', 'AxiosHeaders'])
    expect(text).not.toContain(secret);
}

describe('what is thrown on the way ends in an error of the client, without configuration', () => {
  type Thrower = (instance: AxiosInstance) => void;
  const onKeys = (url: string | undefined) => url?.includes('/v2/keys') === true;
  const throwers: [string, Thrower][] = [
    [
      'an Error by an interceptor of requests',
      (instance) =>
        instance.interceptors.request.use((config) => {
          if (onKeys(config.url)) throw Object.assign(new Error('thrown on purpose'), { config });
          return config;
        }),
    ],
    [
      'an AxiosError by an async interceptor of requests',
      (instance) =>
        instance.interceptors.request.use(async (config) => {
          await Promise.resolve();
          if (onKeys(config.url)) throw new AxiosError('thrown on purpose', 'E_MINE', config);
          return config;
        }),
    ],
    [
      'an Error by an interceptor of answers',
      (instance) =>
        instance.interceptors.response.use((response) => {
          if (onKeys(response.config.url))
            throw Object.assign(new Error('thrown on purpose'), { cause: response, response });
          return response;
        }),
    ],
    [
      'an object that is no Error',
      (instance) =>
        instance.interceptors.request.use((config) => {
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- somebody may
          if (onKeys(config.url)) throw { message: 'thrown on purpose', config };
          return config;
        }),
    ],
    [
      'an Error by the adapter',
      (instance) => {
        const failing: AxiosAdapter = (config) =>
          onKeys(config.url)
            ? Promise.reject(Object.assign(new Error('thrown on purpose'), { config }))
            : getAdapter('http')(config);
        instance.defaults.adapter = failing;
      },
    ],
  ];

  test.each(throwers)('%s', async (_, apply) => {
    const instance = axios.create();
    apply(instance);
    const client = server.client({ axios: instance, auth });
    const told: unknown[] = [];
    client.events$.subscribe((event) => told.push(event));
    client.logEvents({ level: 'debug', bodies: true, write: (line) => told.push(line) });
    const key = server.key();
    const read = (await rejectionOf(client.get$(key))) as EtcdError;
    expect(read).toBeInstanceOf(EtcdError);
    // The code, where it has one of its own.
    expect(read.message).toMatch(/: (thrown on purpose|E_MINE)\n/);
    expect(read.endpoint).toBe(server.url);
    const write = (await rejectionOf(client.set$(key, 'v'))) as EtcdError;
    expect(write).toBeInstanceOf(EtcdError);
    // Whether an interceptor threw before or after sending cannot be told.
    expect(isOutcomeUnknown(write)).toBe(true);
    for (const error of [read, write]) {
      told.push(error, error.stack, JSON.stringify(error), error.cause, error.attempts);
    }
    expectClean(told);
  });

  test('a watch retries what an interceptor threw, and goes on when it no longer does', async () => {
    let fails = true;
    const instance = axios.create();
    instance.interceptors.request.use((config) => {
      if (fails && config.url?.includes('wait=true')) throw new Error('thrown on purpose');
      return config;
    });
    const client = server.client({ axios: instance });
    const key = server.key();
    const told: unknown[] = [];
    client.events$.subscribe((event) => {
      if (event.type === 'watch-lost') fails = false;
      told.push(event);
    });
    const watch = new WatchLog(client, key);
    server.afterwards(() => watch.unsubscribe());
    await watch.live();
    await firstValueFrom(client.set$(key, 'v'));
    await watch.count(1);
    expect(inspect(told)).toContain('thrown on purpose');
  });

  test('refused connections are known to be unsent with the http adapter', async () => {
    const key = server.key();
    const client = server.client({ endpoints: 'http://127.0.0.1:1', axios: axios.create(), deadline: 2_000 });
    expect(isAllNodesDown(await rejectionOf(client.set$(key, 'v')))).toBe(true);
  });
});
