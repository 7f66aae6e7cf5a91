import { EmbeddedEtcd } from 'rxetcd/testing';
import { firstValueFrom } from 'rxjs';
import { AllowedHosts } from '../../lib/testing/http/allowed-hosts.js';
import { rejectionOf } from '../support/jest/rejection.js';
import { exchange } from './support/raw-exchange.js';
import type { RawAnswer } from './support/raw-exchange.js';

let etcd: EmbeddedEtcd | undefined;
const start = async (options?: Parameters<typeof EmbeddedEtcd.start$>[0]): Promise<EmbeddedEtcd> =>
  (etcd = await firstValueFrom(EmbeddedEtcd.start$(options)));
afterEach(async () => {
  if (etcd !== undefined) await firstValueFrom(etcd.stop$());
  etcd = undefined;
});

const ask = (method: string, headers: Record<string, string>, target = '/v2/keys/k'): Promise<RawAnswer> =>
  exchange(etcd!.url, { method, target, headers });
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const put = (headers: Record<string, string>): Promise<RawAnswer> =>
  exchange(etcd!.url, {
    method: 'PUT',
    target: '/v2/keys/k',
    headers: { ...form, ...headers },
    body: 'value=v',
  });

describe('with no host allowed', () => {
  const hosts = new AllowedHosts('127.0.0.1', []);

  test.each([
    {},
    { host: '127.0.0.1:2379' },
    { host: '127.8.9.10' },
    { host: '127.1:80' },
    { host: 'localhost:2379' },
    { host: 'LocalHost' },
    { host: 'localhost.:1' },
    { host: '[::1]:2379' },
    { host: '127.0.0.1:1', origin: 'http://127.0.0.1:8080' },
    { host: '127.0.0.1:1', origin: 'https://localhost' },
    { host: '127.0.0.1:1', origin: 'http://[::1]:3000' },
  ])('%j is answered', (headers) => {
    expect(hosts.refusal(headers)).toBeUndefined();
  });

  test.each([
    { host: 'evil.example' },
    { host: 'evil.example:2379' },
    { host: '127.0.0.1.evil.example' },
    { host: 'localhost.evil.example' },
    { host: 'evil-localhost' },
    { host: '128.0.0.1' },
    { host: '192.168.1.7:2379' },
    { host: '0.0.0.0:2379' },
    { host: 'localhost@evil.example' },
    { host: 'evil.example#localhost' },
    { host: '[::2]' },
    { host: '' },
    { host: '127.0.0.1:1', origin: 'http://evil.example' },
    { host: '127.0.0.1:1', origin: 'https://localhost.evil.example:8080' },
    { host: '127.0.0.1:1', origin: 'null' },
    { host: '127.0.0.1:1', origin: 'file://' },
    { host: '127.0.0.1:1', origin: 'chrome-extension://localhost' },
    { host: '127.0.0.1:1', origin: 'http://localhost@evil.example' },
    { host: '127.0.0.1:1', origin: '' },
    { host: 'evil.example', origin: 'http://127.0.0.1' },
  ])('%j is refused', (headers) => {
    expect(hosts.refusal(headers)).toMatch(/^the embedded etcd answers no .*allowedHosts/);
  });
});

test.each([
  ['etcd', 'etcd:2379', 'http://etcd'],
  ['My.Site', 'my.site', 'https://my.site:8443'],
  ['192.168.1.7', '192.168.1.7:2379', 'http://192.168.1.7:3000'],
  ['fe80::1', '[fe80::1]:2379', 'http://[fe80::1]'],
  ['*', 'evil.example', 'null'],
])('%s is allowed where it was named', (name, host, origin) => {
  expect(new AllowedHosts('127.0.0.1', [name]).refusal({ host, origin })).toBeUndefined();
});

test('what the server listens on is allowed', () => {
  expect(new AllowedHosts('build-7', []).refusal({ host: 'build-7:2379' })).toBeUndefined();
  expect(new AllowedHosts('0.0.0.0', []).refusal({ host: '0.0.0.0:2379' })).toBeUndefined();
  expect(new AllowedHosts('0.0.0.0', []).refusal({ host: '10.1.2.3:2379' })).toBeDefined();
});

test('a page of another site neither reads nor writes, and may read no refusal', async () => {
  await start();
  const foreign = { origin: 'https://evil.example' };
  for (const answer of [
    await put(foreign),
    await ask('GET', foreign),
    await ask('DELETE', foreign),
    await ask('POST', foreign),
    await ask('GET', foreign, '/v2/keys/k?wait=true&stream=true'),
    await ask('PUT', foreign, '/v2/auth/enable'),
    await ask('OPTIONS', { ...foreign, 'access-control-request-method': 'PUT' }),
  ]) {
    expect(answer.status).toBe(403);
    expect(answer.headers).not.toContain('Access-Control-Allow-Origin');
    expect(JSON.parse(answer.body)).toEqual({
      message: expect.stringContaining('pages of the origin https://evil.example') as string,
    });
  }
  expect((await ask('GET', {})).status).toBe(404);
  expect(etcd!.member.requests.filter(({ headers }) => 'origin' in headers)).toHaveLength(7);
});

test('a name that was made to lead here is refused', async () => {
  await start();
  expect((await put({ host: 'rebound.example' })).status).toBe(403);
  expect((await put({ host: 'rebound.example', origin: 'http://rebound.example' })).status).toBe(403);
  expect((await ask('GET', {})).status).toBe(404);
});

test('a page on another port of this machine is answered as by etcd', async () => {
  await start();
  const near = { origin: 'http://localhost:4200' };
  const preflight = await ask('OPTIONS', { ...near, 'access-control-request-method': 'PUT' });
  for (const answer of [preflight, await put(near), await ask('GET', near)]) {
    expect([200, 201]).toContain(answer.status);
    const at = answer.headers.indexOf('Access-Control-Allow-Origin');
    expect(answer.headers[at + 1]).toBe('*');
  }
});

test('a refusal takes no fault that was meant for another request', async () => {
  await start();
  etcd!.member.faults.answerOnce({ status: 418 });
  expect((await put({ host: 'rebound.example' })).status).toBe(403);
  expect((await put({})).status).toBe(418);
});

test('the option lets them in', async () => {
  await start({ allowedHosts: ['dev.example'] });
  expect((await put({ host: 'dev.example:80', origin: 'https://dev.example' })).status).toBe(201);
  expect((await put({ host: 'evil.example' })).status).toBe(403);
});

test.each([
  [['http://dev.example']],
  [['dev.example:80']],
  [['']],
  [['a b']],
  [['a/b']],
  ['dev.example'],
  [[7]],
])('%j is no list of hosts', async (allowedHosts) => {
  const error = await rejectionOf(EmbeddedEtcd.start$({ allowedHosts } as never));
  expect(error).toMatchObject({ code: 'INVALID_OPTION', option: 'allowedHosts' });
});
