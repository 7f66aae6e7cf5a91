import axios from 'axios';
import {
  EtcdClient,
  isAuthenticationError,
  isTlsError,
  type ClientEvent,
  type ClientOptions,
  type TlsError,
  type TlsOptions,
} from 'rxetcd';
import { filter, firstValueFrom, type Observable } from 'rxjs';
import { writeFileSync } from 'node:fs';
import {
  TestCertificates,
  type TestAuthority,
  type TestCertificate,
} from '../../support/tls/certificates.js';
import { setEnvironment } from '../../support/programs/environment.js';
import { startHttpProxy } from '../../support/proxies/http-proxy.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';
import { WatchLog } from '../../support/promises/watch-log.js';

const passphrase = 'open sesame';
const certificates = new TestCertificates();
let ca: TestAuthority;
/** Of the same name, as one that was made anew; and of another. */
let strangerCa: TestAuthority;
let otherCa: TestAuthority;
/** What the open server shows, as long as nothing else is written there. */
let shown: TestCertificate;
let client: TestCertificate;
let locked: TestCertificate;

beforeAll(async () => {
  [ca, strangerCa, otherCa] = await Promise.all([
    certificates.authority('CA'),
    certificates.authority('CA'),
    certificates.authority('other CA'),
  ]);
  client = await ca.client('someone');
  locked = await ca.client('someone', { passphrase });
});
/** Lets any client in. */
const open = serverUnderTest(async () => (shown = await ca.server()));
/** Wants the certificate of a client. */
const strict = serverUnderTest(async () => ({ ...(await ca.server()), clientCaFile: ca.certFile }));
afterAll(() => certificates.remove());

/** The open server shows this certificate until the test is over. */
function show({ cert, key }: TestCertificate): void {
  const before = { cert: shown.cert, key: shown.key };
  const write = (pair: { cert: string; key: string }) => {
    writeFileSync(shown.certFile, pair.cert);
    writeFileSync(shown.keyFile, pair.key);
  };
  open.afterwards(() => write(before));
  write({ cert, key });
}

const connect = (options: ClientOptions) => open.client(options);
const asHttp = (url: string) => url.replace('https:', 'http:');

/** What everybody does, over one client. */
async function works(options: ClientOptions): Promise<EtcdClient> {
  const key = open.key();
  const etcd = connect(options);
  const watch = new WatchLog(etcd, key);
  open.afterwards(() => watch.unsubscribe());
  await watch.live();
  const { info } = await firstValueFrom(etcd.set$(key, 'v'));
  expect(info.endpoint).toMatch(/^https:/);
  expect(await firstValueFrom(etcd.getValue$(key))).toBe('v');
  await watch.count(1);
  expect(watch.lines).toEqual([`set ${key}=v`]);
  const { leader } = await firstValueFrom(
    etcd.clusterState$.pipe(filter((state) => state.hasQuorum === true)),
  );
  expect(leader?.name).toBe('etcd1');
  return etcd;
}

describe('what is trusted', () => {
  test.each<[string, () => ClientOptions]>([
    ['an authority of one', () => ({ endpoints: open.secureUrl, tls: { ca: ca.cert } })],
    ['one as bytes', () => ({ endpoints: open.secureUrl, tls: { ca: Buffer.from(ca.cert) } })],
    ['one of several', () => ({ endpoints: open.secureUrl, tls: { ca: [otherCa.cert, ca.cert] } })],
    [
      'host:port with the option tls',
      () => ({ endpoints: new URL(open.secureUrl).host, tls: { ca: ca.cert } }),
    ],
    [
      'a name of the certificate',
      () => ({ endpoints: open.secureUrl.replace('127.0.0.1', 'localhost'), tls: { ca: ca.cert } }),
    ],
    ['anything, if told so', () => ({ endpoints: open.secureUrl, tls: { rejectUnauthorized: false } })],
    [
      'a certificate of a client',
      () => ({ endpoints: strict.secureUrl, tls: { ca: ca.cert, cert: client.cert, key: client.key } }),
    ],
    [
      'one whose key is locked',
      () => ({
        endpoints: strict.secureUrl,
        tls: { ca: ca.cert, cert: locked.cert, key: locked.key, passphrase },
      }),
    ],
  ])('%s', async (_, options) => {
    await works(options());
  });

  test('another name, by servername', async () => {
    show(await ca.server({ names: ['etcd.example'] }));
    await works({ endpoints: open.secureUrl, tls: { ca: ca.cert, servername: 'etcd.example' } });
  });

  test('connect$ emits', async () => {
    const etcd = await firstValueFrom(EtcdClient.connect$(open.secureUrl, { tls: { ca: ca.cert } }));
    open.afterwards(() => etcd.close());
    expect(etcd.clusterState$.value.hasQuorum).toBe(true);
  });
});

interface Refusal {
  endpoint: () => string;
  tls?: () => TlsOptions;
  shown?: () => Promise<TestCertificate>;
  /** The likely cause, in words. */
  hint: RegExp;
}

const openUrl = () => open.secureUrl;
const strictUrl = () => strict.secureUrl;
const trusting = (more: TlsOptions = {}) => ({ ca: ca.cert, ...more });
const notTrusted = /not signed by a CA that is trusted here: pass it as tls\.ca/;
const unwelcome = /the server refuses the client: it wants tls\.cert and tls\.key signed by its CA/;

const refusals: Record<string, Refusal> = {
  'no authority': { endpoint: openUrl, hint: notTrusted },
  'another authority': { endpoint: openUrl, tls: () => ({ ca: otherCa.cert }), hint: notTrusted },
  'another authority of the same name': {
    endpoint: openUrl,
    tls: () => ({ ca: strangerCa.cert }),
    hint: notTrusted,
  },
  'a certificate of the past': {
    endpoint: openUrl,
    tls: trusting,
    shown: () => ca.server({ expired: true }),
    hint: /certificate is not valid at this time/,
  },
  'a certificate for another host': {
    endpoint: openUrl,
    tls: trusting,
    shown: () => ca.server({ names: ['etcd.example'] }),
    hint: /the certificate is for other names: set tls\.servername/,
  },
  'another servername': {
    endpoint: openUrl,
    tls: () => trusting({ servername: 'etcd.example' }),
    hint: /the certificate is for other names: set tls\.servername/,
  },
  'no certificate of a client': { endpoint: strictUrl, tls: trusting, hint: unwelcome },
  'a certificate of a client by another authority': {
    endpoint: strictUrl,
    tls: () => trusting({ cert: strangers.cert, key: strangers.key }),
    hint: unwelcome,
  },
  'a certificate of a client of the past': {
    endpoint: strictUrl,
    tls: () => trusting({ cert: past.cert, key: past.key }),
    hint: unwelcome,
  },
  'a wrong passphrase': {
    endpoint: strictUrl,
    tls: () => trusting({ cert: locked.cert, key: locked.key, passphrase: 'wrong' }),
    hint: /tls\.passphrase/,
  },
  'no passphrase for a locked key': {
    endpoint: strictUrl,
    tls: () => trusting({ cert: locked.cert, key: locked.key }),
    hint: /tls\.passphrase/,
  },
  'a key that is not the certificate’s': {
    endpoint: strictUrl,
    tls: () => trusting({ cert: client.cert, key: past.key }),
    hint: /tls\.key is not/,
  },
  'a certificate that is none': {
    endpoint: strictUrl,
    tls: () => trusting({ cert: pemOf('CERTIFICATE'), key: pemOf('PRIVATE KEY') }),
    hint: /PEM/,
  },
  'http at a port for https': { endpoint: () => asHttp(open.secureUrl), hint: /https, not http/ },
  'http at a port for https that wants certificates': {
    endpoint: () => asHttp(strict.secureUrl),
    hint: /https, not http/,
  },
  'https at a port for http': {
    endpoint: () => open.url.replace('http:', 'https:'),
    tls: trusting,
    hint: /http, not https|is it http/,
  },
};

/** In the form of PEM, but nothing that could be read. */
function pemOf(kind: string): string {
  return `-----BEGIN ${kind}-----\nAAAA\n-----END ${kind}-----\n`;
}

let strangers: TestCertificate;
let past: TestCertificate;
beforeAll(async () => {
  strangers = await strangerCa.client('someone');
  past = await ca.client('someone', { expired: true });
});

describe.each(Object.entries(refusals))('%s', (_, refusal) => {
  const options = (): ClientOptions => ({
    endpoints: refusal.endpoint(),
    ...(refusal.tls && { tls: refusal.tls() }),
  });
  beforeEach(async () => {
    if (refusal.shown !== undefined) show(await refusal.shown());
  });

  const ownAxios = () => ({ ...options(), axios: axios.create() });
  const calls: [string, (key: string) => Observable<unknown>][] = [
    ['a read', (key) => connect(options()).get$(key)],
    ['a write', (key) => connect(options()).set$(key, 'v')],
    ['a quorum read', (key) => connect(options()).get$(key, { quorum: true })],
    ['watch$', (key) => connect(options()).watch$(key)],
    ['connect$', () => EtcdClient.connect$(options())],
    ['a read by an axios instance', (key) => connect(ownAxios()).get$(key)],
    ['a write by an axios instance', (key) => connect(ownAxios()).set$(key, 'v')],
  ];
  test.each(calls)('%s ends at once, and says where and why', async (_name, call) => {
    const key = open.key();
    const startedAt = performance.now();
    const error = (await rejectionOf(call(key))) as TlsError;
    expect(error).toMatchObject({ name: 'TlsError', code: 'TLS', endpoint: refusal.endpoint() });
    expect(isTlsError(error)).toBe(true);
    expect(error.toString()).toMatch(refusal.hint);
    expect(error.message).toContain(`${refusal.endpoint()}: `);
    // The deadline is 30 s.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    for (const server of [open, strict]) expect((await server.fetch(`/keys${key}`)).status).toBe(404);
  });
});

test('a second call ends the same way, whichever it is', async () => {
  const etcd = connect({ endpoints: open.secureUrl });
  for (const call of [etcd.get$('/a'), etcd.set$('/a', '1'), etcd.delete$('/a'), etcd.watch$('/a')])
    expect(await rejectionOf(call)).toMatchObject({ code: 'TLS', endpoint: open.secureUrl });
});

test('through a proxy a refused client is told the same', async () => {
  const proxy = await firstValueFrom(startHttpProxy());
  open.afterwards(() => firstValueFrom(proxy.close$()));
  open.afterwards(
    setEnvironment({
      HTTPS_PROXY: proxy.url,
      https_proxy: undefined,
      NO_PROXY: undefined,
      no_proxy: undefined,
    }),
  );
  const error = await rejectionOf(connect({ endpoints: strict.secureUrl, tls: trusting() }).get$('/a'));
  expect(String(error)).toMatch(unwelcome);
  expect(error).toMatchObject({ code: 'TLS', endpoint: strict.secureUrl });
  expect(proxy.passed.length).toBeGreaterThan(0);
});

test('an endpoint whose TLS fails does no harm beside one that works', async () => {
  await works({ endpoints: [strict.secureUrl, open.secureUrl], tls: { ca: ca.cert } });
});

test('a watch outlives a certificate that was renewed too late', async () => {
  const key = open.key();
  const etcd = connect({ endpoints: open.secureUrl, tls: { ca: ca.cert } });
  const watch = new WatchLog(etcd, key);
  open.afterwards(() => watch.unsubscribe());
  const refused = firstValueFrom(
    etcd.events$.pipe(
      filter((e) => e.type === 'response' && (e.error?.includes('CERT_HAS_EXPIRED') ?? false)),
    ),
  );
  await watch.live();

  const valid = { ...shown };
  show(await ca.server({ expired: true }));
  // A handshake that resumes a session shows no certificate; the server forgets its sessions when it ends.
  await firstValueFrom(open.member.restart$());
  await firstValueFrom(open.member.ready$());
  await refused;
  expect(await rejectionOf(etcd.get$(key))).toMatchObject({ code: 'TLS' });
  await open.fetch(`/keys${key}`, { method: 'PUT', body: new URLSearchParams({ value: 'meanwhile' }) });

  show(valid);
  await watch.count(1);
  expect(watch.lines).toEqual([`set ${key}=meanwhile`]);
});

test('from https endpoints nobody is led to http', async () => {
  const etcd = connect({ endpoints: open.secureUrl.replace('127.0.0.1', 'localhost'), tls: { ca: ca.cert } });
  const asked = new Set<string>();
  etcd.events$
    .pipe(filter((e): e is Extract<ClientEvent, { type: 'request' }> => e.type === 'request'))
    .subscribe(({ endpoint }) => asked.add(endpoint));
  const { members } = await firstValueFrom(etcd.refreshCluster$());
  // The server tells of both.
  expect(members.flatMap((m) => m.clientURLs).sort()).toEqual([open.url, open.secureUrl].sort());
  await firstValueFrom(etcd.set$('/k', 'v'));
  expect([...etcd.endpoints, ...asked].filter((url) => !url.startsWith('https:'))).toEqual([]);
  expect(etcd.endpoints).toContain(open.secureUrl);
});

describe('users', () => {
  const root = { username: 'root', password: 'root’s own' };
  let admin: EtcdClient;
  let asBob: (auth?: { username: string; password: string }) => EtcdClient;

  beforeAll(async () => {
    const bob = await ca.client('bob');
    asBob = (auth) =>
      strict.client({
        endpoints: strict.secureUrl,
        tls: { ca: ca.cert, cert: bob.cert, key: bob.key },
        ...(auth && { auth }),
      });
    admin = new EtcdClient({
      endpoints: strict.secureUrl,
      tls: { ca: ca.cert, cert: client.cert, key: client.key },
      auth: root,
    });
    await firstValueFrom(admin.auth.createUser$(root.username, root.password));
    await firstValueFrom(admin.auth.createRole$('bobs', { read: ['/bob*'], write: ['/bob*'] }));
    await firstValueFrom(admin.auth.createUser$('bob', 'bob’s own', { roles: ['bobs'] }));
    await firstValueFrom(admin.auth.enable$());
    await firstValueFrom(admin.auth.updateRole$('guest', { revoke: { read: ['/*'], write: ['/*'] } }));
  });
  afterAll(() => admin.close());

  test('the common name of the certificate is the user', async () => {
    const etcd = asBob();
    const watch = new WatchLog(etcd, '/bob');
    strict.afterwards(() => watch.unsubscribe());
    await watch.live();
    await firstValueFrom(etcd.set$('/bob/k', 'v'));
    await watch.count(1);
    expect(isAuthenticationError(await rejectionOf(etcd.set$('/alice', 'v')))).toBe(true);
    expect(isAuthenticationError(await rejectionOf(etcd.watch$('/alice')))).toBe(true);
  });

  test('basic authentication over TLS comes before it', async () => {
    await firstValueFrom(asBob(root).set$('/alice', 'v'));
    expect(
      isAuthenticationError(await rejectionOf(asBob({ ...root, password: 'wrong' }).set$('/bob/k', 'v'))),
    ).toBe(true);
    await firstValueFrom(asBob({ username: 'bob', password: 'bob’s own' }).set$('/bob/k', 'v'));
  });
});
