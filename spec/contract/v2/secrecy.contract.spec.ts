import axios, { AxiosError } from 'axios';
import {
  EtcdClient,
  EtcdError,
  isAuthenticationError,
  isInvalidOption,
  isTlsError,
  type ClientEvent,
  type ClientOptions,
} from 'rxetcd';
import { firstValueFrom, take, type Observable } from 'rxjs';
import {
  TestCertificates,
  type TestAuthority,
  type TestCertificate,
} from '../../support/tls/certificates.js';
import { freePorts } from '../../support/ports/free-port.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import type { ScriptedAction } from '../../support/scripted/scripted-action.js';
import {
  startScriptedServer,
  type ScriptedRequest,
  type ScriptedServer,
} from '../../support/scripted/scripted-server.js';
import { everythingIn } from '../../support/values/secrets.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';

const auth = { username: 'secret-keeper', password: 'S3cr:et/pass+word' };
const passphrase = 'the passphrase of the key';
const certificates = new TestCertificates();
let ca: TestAuthority;
let identity: TestCertificate;
let tls: NonNullable<ClientOptions['tls']>;
const server = serverUnderTest(async () => {
  ca = await certificates.authority();
  identity = await ca.client('someone', { passphrase });
  tls = { ca: ca.cert, cert: identity.cert, key: identity.key, passphrase };
  return { ...(await ca.server()), clientCaFile: ca.certFile };
});
afterAll(() => certificates.remove());

/** What must never be seen: in full, and as it travels or is stored. */
function secrets(): string[] {
  const pair = `${auth.username}:${auth.password}`;
  const pem = identity.key.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
  return [
    auth.password,
    encodeURIComponent(auth.password),
    btoa(auth.password),
    btoa(pair),
    pair,
    passphrase,
    encodeURIComponent(passphrase),
    'PRIVATE KEY',
    ...pem,
  ];
}

function expectNoSecret(...told: unknown[]): void {
  const text = everythingIn(told);
  for (const secret of secrets())
    if (text.includes(secret)) throw new Error(`told ${secret} in\n${text.slice(0, 3_000)}`);
}

/** A client, and all that it tells. */
function watched(options: ClientOptions): { client: EtcdClient; told: unknown[]; events: ClientEvent[] } {
  const client = server.client({ auth, tls, discover: false, deadline: 400, timeout: 150, ...options });
  const told: unknown[] = [];
  const events: ClientEvent[] = [];
  client.events$.subscribe((event) => {
    events.push(event);
    told.push(event);
  });
  client.logEvents({ level: 'debug', bodies: true, write: (line) => told.push(line) });
  return { client, told, events };
}

/** Reads, writes, watches and administers until all have failed; gives back how. */
async function failures({ client, told }: { client: EtcdClient; told: unknown[] }): Promise<EtcdError[]> {
  const calls: Observable<unknown>[] = [
    client.get$('/k'),
    client.get$('/k', { quorum: true }),
    client.set$('/k', 'v'),
    client.compareAndSwap$('/k', 'v', { prevValue: 'u' }),
    client.members.list$(),
    client.auth.users$(),
    client.auth.createUser$('other', 'another password'),
    client.raw$('PUT', '/v2/keys/k', { data: { value: 'v' } }),
    client.watchOnce$('/k', { timeout: 300 }),
  ];
  const errors = await Promise.all(calls.map(rejectionOf));
  expect(errors.filter((error) => !(error instanceof EtcdError))).toEqual([]);
  expectNoSecret(errors, told, client, client.clusterState$.value);
  expect(everythingIn([errors, told])).not.toContain('another password');
  for (const error of errors as EtcdError[]) expect(error.cause).toBeUndefined();
  return errors as EtcdError[];
}

/** A lone member that names itself its leader, and otherwise does as it is told. */
async function member(
  act: (request: ScriptedRequest) => ScriptedAction,
  members?: (url: string) => string[],
): Promise<ScriptedServer> {
  const headers = { 'X-Etcd-Cluster-Id': 'c0ffee' };
  const answers = (url: string): Record<string, object> => {
    const self = { id: 'aa', name: 'one', peerURLs: [], clientURLs: members?.(url) ?? [url] };
    return {
      '/v2/members/leader': self,
      '/v2/members': { members: [self] },
      '/v2/stats/self': { id: 'aa', name: 'one' },
      '/version': { etcdserver: '3.4.23', etcdcluster: '3.4.0' },
    };
  };
  const scripted: ScriptedServer = await firstValueFrom(
    startScriptedServer((request) => {
      const body = request.method === 'GET' ? answers(scripted.url)[request.path] : undefined;
      const isProbe = request.headers.authorization === undefined;
      return body !== undefined && isProbe ? { status: 200, headers, body } : act(request);
    }),
  );
  server.afterwards(() => firstValueFrom(scripted.close$()));
  return scripted;
}

const json = (body: object, status: number): ScriptedAction => ({ status, body });

describe('no error, event or line of a log tells a secret', () => {
  test('refused', async () => {
    const [port] = await firstValueFrom(freePorts(1));
    for (const scheme of ['http', 'https'])
      await failures(watched({ endpoints: `${scheme}://127.0.0.1:${port!}` }));
  });

  test.each<[string, ScriptedAction]>([
    ['reset', { reset: true }],
    ['never answered', { silence: true }],
    ['headers, then silence', { headersThenSilence: { status: 200 } }],
    ['401 of the keys', json({ errorCode: 110, message: 'The request requires user authentication' }, 401)],
    ['401 of the rest', json({ message: 'Insufficient credentials' }, 401)],
    ['403', json({ message: 'forbidden' }, 403)],
    ['407', { status: 407, body: 'who are you?' }],
    ['500', { status: 500, body: 'Internal Server Error' }],
    ['500 of raft', json({ errorCode: 300, message: 'Raft Internal Error', cause: 'etcdserver: x' }, 500)],
    ['bad JSON', { status: 200, body: '{"action":"get","node":{' }],
    ['no HTTP', { raw: 'SSH-2.0-OpenSSH\r\n\r\n', then: 'end' }],
    ['cut off', { raw: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"act', then: 'reset' }],
  ])('%s', async (_, action) => {
    const scripted = await member((request) =>
      request.headers.authorization === undefined ? json({}, 404) : action,
    );
    const tries = watched({ endpoints: scripted.url });
    const calls = [
      tries.client.get$('/k'),
      tries.client.set$('/k', 'v'),
      tries.client.compareAndDelete$('/k', { prevValue: 'v' }),
      tries.client.auth.users$(),
      tries.client.auth.createUser$('root', 'another password'),
      tries.client.watchOnce$('/k', { timeout: 300 }),
    ];
    const errors = await Promise.all(calls.map(rejectionOf));
    expect(errors.filter((error) => !(error instanceof EtcdError))).toEqual([]);
    expectNoSecret(errors, tries.told, tries.client);
    expect(everythingIn([errors, tries.told])).not.toContain('another password');
    for (const error of errors as EtcdError[]) expect(error.cause).toBeUndefined();
    // It was at stake: the server did get them.
    expect(scripted.requests.some(({ headers }) => headers.authorization?.startsWith('Basic '))).toBe(true);
  });

  test('wrong credentials at a real server', async () => {
    const admin = server.client({
      endpoints: server.secureUrl,
      tls,
      auth: { username: 'root', password: 'rooted' },
    });
    await firstValueFrom(admin.auth.createUser$('root', 'rooted'));
    await firstValueFrom(admin.auth.enable$());
    try {
      const tries = watched({ endpoints: server.secureUrl, deadline: 5_000, timeout: 5_000 });
      const errors = await Promise.all(
        [tries.client.auth.users$(), tries.client.get$('/k'), tries.client.set$('/k', 'v')].map(rejectionOf),
      );
      expect(errors.filter((error) => !isAuthenticationError(error))).toEqual([]);
      expectNoSecret(errors, tries.told);
    } finally {
      await firstValueFrom(admin.auth.disable$());
    }
  });

  test('TLS that fails', async () => {
    const wrongs: ClientOptions[] = [
      { tls: { ...tls, ca: (await certificates.authority('other')).cert } },
      { tls: { ...tls, servername: 'etcd.example' } },
      { tls: { ...tls, cert: (await ca.client('other')).cert } },
      { tls: { ca: ca.cert, key: identity.key, cert: identity.cert, passphrase: `${passphrase}!` } },
    ];
    for (const wrong of wrongs) {
      const errors = await failures(watched({ endpoints: server.secureUrl, ...wrong }));
      expect(errors.some(isTlsError)).toBe(true);
      const error = await rejectionOf(EtcdClient.connect$({ endpoints: server.secureUrl, auth, ...wrong }));
      expect(isTlsError(error)).toBe(true);
      expectNoSecret(error);
    }
  });

  test.each<[string, () => unknown]>([
    ['a password that is none', () => ({ auth: { username: 'u', password: [auth.password] } })],
    ['a name with a colon', () => ({ auth: { username: `x:${auth.password}`, password: 'p' } })],
    ['a misspelt password', () => ({ auth: { username: 'u', passwort: auth.password } })],
    ['credentials as text', () => ({ auth: `${auth.username}:${auth.password}` })],
    ['a misspelt option', () => ({ authentication: auth })],
    ['a key that is none', () => ({ tls: { key: { pem: identity.key } } })],
    ['a misspelt key', () => ({ tls: { privateKey: identity.key } })],
    ['a passphrase that is none', () => ({ tls: { ...tls, passphrase: [passphrase] } })],
    ['a key as options', () => ({ tls: identity.key })],
    ['credentials in an endpoint', () => ({ endpoints: `http://${auth.username}:${auth.password}@host:1` })],
    ['options as endpoints', () => ({ endpoints: [{ auth, tls }] })],
    ['an axios instance that is none', () => ({ axios: { defaults: { auth, key: identity.key } } })],
  ])('an invalid option: %s', (_, options) => {
    let error: unknown;
    try {
      new EtcdClient(options() as ClientOptions).close();
    } catch (thrown) {
      error = thrown;
    }
    expect(isInvalidOption(error)).toBe(true);
    expectNoSecret(error);
  });

  test('an interceptor that throws its configuration', async () => {
    const instance = axios.create();
    instance.interceptors.request.use((config) => {
      throw new AxiosError('refused by us', 'ERR_BAD_REQUEST', config, { config, path: '/' });
    });
    await failures(watched({ endpoints: server.secureUrl, axios: instance }));
    const circular = axios.create();
    circular.interceptors.response.use((response) => {
      throw Object.assign(new Error('refused by us'), { response, cause: response.config });
    });
    await failures(watched({ endpoints: server.url, axios: circular }));
  });

  test('what works tells none either', async () => {
    const { client, told } = watched({ endpoints: server.secureUrl, deadline: 10_000, timeout: 10_000 });
    const seen = firstValueFrom(client.watch$('/k', { initial: true }).pipe(take(1)));
    told.push(
      await firstValueFrom(client.set$('/k', 'v')),
      await firstValueFrom(client.get$('/k')),
      await seen,
    );
    told.push(await firstValueFrom(client.raw$('GET', '/v2/keys/k')), client, client.clusterState$.value);
    told.push(await firstValueFrom(client.auth.createUser$(auth.username, auth.password)));
    told.push(
      await firstValueFrom(client.auth.updateUser$(auth.username, { password: `${auth.password}2` })),
    );
    await firstValueFrom(client.auth.deleteUser$(auth.username));
    client.close();
    told.push(client);
    expectNoSecret(told);
  });
});

describe('a redirect', () => {
  const redirectTo = (url: string): ScriptedAction => ({
    status: 307,
    headers: { Location: `${url}/v2/keys/k` },
  });

  test('to an unknown host takes nothing there, credentials least of all', async () => {
    const stranger = await firstValueFrom(startScriptedServer(() => json({}, 200)));
    server.afterwards(() => firstValueFrom(stranger.close$()));
    for (const instance of [undefined, axios.create(), axios.create({ maxRedirects: 5 })]) {
      const scripted = await member(() => redirectTo(stranger.url));
      const tries = watched({ endpoints: scripted.url, ...(instance && { axios: instance }) });
      for (const call of [tries.client.get$('/k'), tries.client.set$('/k', 'v')]) {
        const error = await rejectionOf(call);
        expect(error).toBeInstanceOf(EtcdError);
        expectNoSecret(error, tries.told);
      }
    }
    expect(stranger.requests).toEqual([]);
  });

  test('to a configured endpoint takes them there', async () => {
    const leader = await member(() => json({ action: 'set', node: { key: '/k', value: 'v' } }, 200));
    const follower = await member(() => redirectTo(leader.url));
    const { client, told } = watched({ endpoints: [follower.url, leader.url] });
    await firstValueFrom(client.set$('/k', 'v'));
    const puts = leader.requests.filter(({ method }) => method === 'PUT');
    expect(puts.map(({ headers, body }) => [headers.authorization, body])).toEqual([
      [`Basic ${btoa(`${auth.username}:${auth.password}`)}`, 'value=v'],
    ]);
    expectNoSecret(told);
  });
});

describe('credentials', () => {
  test('do not go with probes', async () => {
    const scripted = await member(() => json({ action: 'get', node: { key: '/k', value: 'v' } }, 200));
    const { client, events } = watched({ endpoints: scripted.url, heartbeat: 20 });
    await firstValueFrom(client.get$('/k'));
    await firstValueFrom(client.refreshCluster$());
    const probed = new Set(
      events.flatMap((event) =>
        event.type === 'request' && event.operation === 'probe' ? [event.path] : [],
      ),
    );
    expect(probed).toEqual(new Set(['/v2/members/leader', '/v2/members', '/v2/stats/self', '/version']));
    const byAuthorization = (wanted: boolean) =>
      new Set(
        scripted.requests
          .filter((r) => (r.headers.authorization !== undefined) === wanted)
          .map((r) => r.path),
      );
    expect(byAuthorization(true)).toEqual(new Set(['/v2/keys/k']));
    expect(byAuthorization(false)).toEqual(probed);
  });

  test('do not go to a member that is found but is not the one it should be', async () => {
    const stranger = await firstValueFrom(
      startScriptedServer(({ path }) =>
        path === '/v2/stats/self'
          ? json({ id: 'bb' }, 200)
          : json({ action: 'get', node: { key: '/k' } }, 200),
      ),
    );
    server.afterwards(() => firstValueFrom(stranger.close$()));
    let calls = 0;
    const scripted = await member(
      () => (calls++ === 0 ? { reset: true } : json({ action: 'get', node: { key: '/k' } }, 200)),
      (url) => [url, stranger.url],
    );
    const { client } = watched({ endpoints: scripted.url, discover: true });
    await firstValueFrom(client.refreshCluster$());
    expect(client.endpoints).toContain(stranger.url);
    await firstValueFrom(client.get$('/k'));
    expect(stranger.requests.length).toBeGreaterThan(0);
    expect(stranger.requests.filter((r) => r.headers.authorization !== undefined)).toEqual([]);
  });
});
