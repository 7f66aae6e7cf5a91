import { inspect } from 'node:util';
import axios from 'axios';
import { EtcdClient, InvalidOptionError, isInvalidOption, type ClientOptions, type EtcdError } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { setEnvironment } from '../../support/programs/environment.js';
import { startHttpProxy } from '../../support/proxies/http-proxy.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';

/* Proxies of the environment as people spell them. */
const server = serverUnderTest();
const names = ['http_proxy', 'https_proxy', 'no_proxy', 'all_proxy'];
const cleared = Object.fromEntries(names.flatMap((n) => [n, n.toUpperCase()]).map((n) => [n, undefined]));
const secret = 'hush-hush';

/** For the rest of the test these are the only such variables. */
function environment(variables: Record<string, string>): void {
  server.afterwards(setEnvironment({ ...cleared, ...variables }));
}

/** What is thrown, and all that it tells. */
function refusal(make: () => unknown): { error: unknown; told: string } {
  try {
    make();
  } catch (error) {
    return { error, told: inspect(error, { depth: 10, showHidden: true }) + String(error) };
  }
  throw new Error('nothing was refused');
}

const unusable: [string, string, RegExp][] = [
  ['of SOCKS', `socks5://user:${secret}@127.0.0.1:1080`, /expected an http or https proxy \(socks5 is not/],
  ['with a bad percent', `http://user:${secret}%zz@127.0.0.1:3128`, /that are percent-encoded/],
  ['with a bad percent in its name', `us%er:${secret}@127.0.0.1:3128`, /that are percent-encoded/],
  ['with a port that is none', `http://user:${secret}@127.0.0.1:99999`, /expected host:port or a URL/],
  ['of no host', `http://user:${secret}@`, /expected host:port or a URL/],
];
const schemes: [string, string][] = [
  ['HTTP_PROXY', 'http://etcd.example:2379'],
  ['https_proxy', 'https://etcd.example:2379'],
  ['ALL_PROXY', 'https://etcd.example:2379'],
];

describe.each(schemes)('%s', (name, endpoint) => {
  test.each(unusable)('a proxy %s: the client is refused by the name of the variable', (_, value, words) => {
    environment({ [name]: value });
    const { error, told } = refusal(() => new EtcdClient(endpoint));
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect((error as Error).message).toContain(`environment variable ${name}: `);
    expect((error as Error).message).toMatch(words);
    expect(told).not.toContain(secret);
    expect(told).not.toContain(btoa(`user:${secret}`));
  });

  test.each(unusable)("a proxy %s: each call over the user's axios is", async (_, value, words) => {
    environment({ [name]: value });
    const client = server.client({ endpoints: endpoint, axios: axios.create({ adapter: 'http' }) });
    const told: unknown[] = [];
    client.events$.subscribe((event) => told.push(event));
    client.logEvents({ level: 'debug', bodies: true, write: (line) => told.push(line) });
    for (const call of [client.get$('/a'), client.set$('/a', 'v'), client.watch$('/a')]) {
      const error = (await rejectionOf(call)) as Error;
      expect(isInvalidOption(error)).toBe(true);
      expect(error.message).toContain(`environment variable ${name}: `);
      expect(error.message).toMatch(words);
      told.push(error, error.message, error.stack, JSON.stringify(error));
    }
    const text = inspect(told, { depth: 10, showHidden: true });
    expect(text).not.toContain(secret);
    expect(text).not.toContain(btoa(`user:${secret}`));
  });
});

const transports: [string, () => ClientOptions][] = [
  ['the default transport', () => ({})],
  ['an axios instance', () => ({ axios: axios.create() })],
];

test.each(transports)('%s: what NO_PROXY names needs no proxy, usable or not', async (_, transport) => {
  environment({ HTTP_PROXY: `socks5://user:${secret}@127.0.0.1:1080`, NO_PROXY: '127.0.0.0/8' });
  const client = server.client({ ...transport(), discover: false });
  expect((await firstValueFrom(client.set$(server.key(), 'v'))).action).toBe('set');
});

describe.each(transports)('%s, of a proxy', (_, transport) => {
  test.each<[string, (host: string) => string, { username: string; password: string } | undefined]>([
    ['without a scheme', (host) => host, undefined],
    ['with a path', (host) => `http://${host}/some/path?query`, undefined],
    ['of a name without a password', (host) => `http://user@${host}`, { username: 'user', password: '' }],
    ['of a name, without a scheme', (host) => `user:p%40ss@${host}`, { username: 'user', password: 'p@ss' }],
  ])('%s', async (_spelling, spell, credentials) => {
    const proxy = await firstValueFrom(startHttpProxy(credentials === undefined ? {} : { credentials }));
    server.afterwards(() => firstValueFrom(proxy.close$()));
    environment({ HTTP_PROXY: spell(proxy.host) });
    const key = server.key();
    const client = server.client({ ...transport(), discover: false });
    await firstValueFrom(client.set$(key, 'v'));
    expect(await firstValueFrom(client.getValue$(key))).toBe('v');
    expect(proxy.passed).toContain(`PUT ${server.url}/v2/keys${key}`);
    expect(proxy.refusals).toBe(0);
  });
});

test.each([
  ['a bad option', { insecureHTTPParser: 'maybe', formSerializer: 7, transitional: 7 }],
  ['two options that exclude each other', { beforeRedirect: 7, paramsSerializer: { encode: 7 } }],
])("%s of the user's axios is named at once", async (_, bad) => {
  const instance = axios.create(bad as object);
  const client = server.client({ axios: instance, discover: false });
  for (const call of [client.get$('/a'), client.set$('/a', 'v')]) {
    const error = (await rejectionOf(call)) as EtcdError;
    expect(error).toMatchObject({ code: 'UNEXPECTED_RESPONSE' });
    // A probe that was refused first may have cost one more.
    expect(error.attempts.length).toBeLessThanOrEqual(2);
    expect(error.message).toContain('axios refused its options: ');
  }
});
