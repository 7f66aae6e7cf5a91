import axios from 'axios';
import {
  isAllNodesDown,
  isInvalidOption,
  isOutcomeUnknown,
  isRequestTimeout,
  type EtcdClient,
  type RawOptions,
} from 'rxetcd';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { freePorts } from '../../support/ports/free-port.js';
import { headlineOf } from '../../support/jest/headline.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { startScriptedServer } from '../../support/scripted/scripted-server.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';

const server = serverUnderTest();
let client: EtcdClient;
let key: string;

beforeEach(() => {
  client = server.client();
  key = server.key();
});

const raw = (...args: Parameters<EtcdClient['raw$']>) => firstValueFrom(client.raw$(...args));
const valueOf = (name = key) => firstValueFrom(client.getValue$(name));
const keys = (name = key) => `/v2/keys${name}`;

describe('raw$', () => {
  test('emits the answer as it came and completes; JSON is parsed', async () => {
    const { node } = await firstValueFrom(client.set$(key, 'v'));
    const answers = await lastValueFrom(client.raw$('GET', keys()).pipe(toArray()));
    expect(answers).toEqual([
      {
        status: 200,
        headers: expect.objectContaining({
          'content-type': 'application/json',
          'x-etcd-index': String(node.modifiedIndex),
        }) as Record<string, string>,
        data: { action: 'get', node },
        info: {
          etcdIndex: node.modifiedIndex,
          raftIndex: expect.any(Number) as number,
          raftTerm: expect.any(Number) as number,
          clusterId: expect.any(String) as string,
          endpoint: server.url,
          status: 200,
        },
      },
    ]);
    const [{ headers } = { headers: {} }] = answers;
    for (const [name, value] of Object.entries(headers)) {
      expect(name).toBe(name.toLowerCase());
      expect(typeof value).toBe('string');
    }
  });

  test('a status is no error', async () => {
    const { status, data } = await raw('GET', keys());
    expect(status).toBe(404);
    expect(data).toMatchObject({ errorCode: 100, cause: key });
    expect((await raw('PATCH', keys())).status).toBe(405);
    expect(await raw('GET', '/nothing/there')).toMatchObject({ status: 404, data: '404 page not found\n' });
  });

  test('what is not JSON stays text; nothing is an empty text', async () => {
    expect((await raw('GET', '/v2/machines')).data).toBe(server.url);
    expect((await raw('GET', '/metrics')).data).toContain('# HELP');
    await firstValueFrom(client.set$(key, 'v'));
    const head = await raw('HEAD', keys());
    expect(head).toMatchObject({ status: 200, data: '' });
    expect(head.info.etcdIndex).toBeGreaterThan(0);
    expect((await raw('OPTIONS', keys())).data).toBe('');
  });

  test('text that looks like a number, or is null, is what it says', async () => {
    const scripted = await firstValueFrom(
      startScriptedServer(({ path }) => ({ status: 200, body: decodeURIComponent(path.slice(1)) })),
    );
    server.afterwards(() => firstValueFrom(scripted.close$()));
    const other = server.client({ endpoints: scripted.url });
    const data = async (body: string) => (await firstValueFrom(other.raw$('GET', `/${body}`))).data;
    expect(await data('null')).toBeNull();
    expect(await data('5')).toBe(5);
    expect(await data('%7B%22a%22')).toBe('{"a"');
    expect(await data('%22text%22')).toBe('text');
  });

  test.each<[string, RawOptions]>([
    ['an object', { data: { value: 'a;b=c&d +%é', ttl: 100 } }],
    ['URLSearchParams', { data: new URLSearchParams({ value: 'a;b=c&d +%é', ttl: '100' }) }],
    ['text', { data: 'value=a%3Bb%3Dc%26d%20%2B%25%C3%A9&ttl=100' }],
    ['a query', { params: { value: 'a;b=c&d +%é', ttl: 100, prevExist: undefined, refresh: false } }],
  ])('writes a key by %s', async (_, options) => {
    const { status, data } = await raw('PUT', keys(), options);
    expect(status).toBe(201);
    expect(data).toMatchObject({ action: 'set', node: { key, value: 'a;b=c&d +%é', ttl: 100 } });
    expect(await valueOf()).toBe('a;b=c&d +%é');
  });

  test('an object of undefined and false writes neither', async () => {
    const { data } = await raw('PUT', keys(), { data: { value: 'v', ttl: undefined, dir: false } });
    expect(data).toMatchObject({ node: { key, value: 'v' } });
  });

  test('POST and DELETE, conditions in the query', async () => {
    const made = await raw('POST', keys(), { data: { value: 'first' } });
    expect(made.data).toMatchObject({ action: 'create', node: { value: 'first' } });
    const { key: name } = (made.data as { node: { key: string } }).node;
    expect((await raw('DELETE', keys(name), { params: { prevValue: 'x' } })).status).toBe(412);
    expect((await raw('DELETE', keys(name), { params: { prevValue: 'first' } })).status).toBe(200);
    expect(await valueOf(name)).toBeUndefined();
    const query = { recursive: true, sorted: true, quorum: true };
    expect((await raw('GET', keys(), { params: query })).data).toMatchObject({ node: { key, dir: true } });
  });

  test('elsewhere an object is JSON', async () => {
    const user = key.slice(1);
    const { status, data } = await raw('PUT', `/v2/auth/users/${user}`, { data: { user, password: 'pw' } });
    expect({ status, data }).toEqual({ status: 201, data: { user, roles: null } });
    expect((await firstValueFrom(client.auth.user$(user))).user).toBe(user);
    const bad = await raw('POST', '/v2/members', { data: 'x', headers: { 'content-type': 'text/plain' } });
    expect(bad.status).toBe(415);
  });

  test("reaches etcd's v3 API", async () => {
    const path = server.release === '3.3' ? '/v3beta/maintenance/status' : '/v3/maintenance/status';
    const { status, data } = await raw('POST', path, { data: {} });
    expect(status).toBe(200);
    expect(data).toMatchObject({ header: { cluster_id: expect.any(String) as string } });
  });

  test('sends more headers, and theirs win', async () => {
    const scripted = await firstValueFrom(startScriptedServer(() => ({ status: 200, body: {} })));
    server.afterwards(() => firstValueFrom(scripted.close$()));
    const own = { authorization: 'Bearer t' };
    for (const options of [{}, { axios: axios.create() }]) {
      const auth = { username: 'u', password: 'p' };
      const other = server.client({ endpoints: scripted.url, auth, ...options });
      const sent = async (rawOptions?: RawOptions) => {
        const path = `/raw/${key.slice(1)}`;
        await firstValueFrom(other.raw$('GET', path, rawOptions));
        return scripted.requests.filter((request) => request.path === path).at(-1)!.headers;
      };
      expect((await sent()).authorization).toBe(`Basic ${btoa('u:p')}`);
      expect(await sent({ headers: { 'X-More': 'yes', Authorization: own.authorization } })).toMatchObject({
        'x-more': 'yes',
        ...own,
      });
    }
  });

  test('is cold, and each subscription sends again', async () => {
    const put$ = client.raw$('PUT', keys(), { data: { value: 'v' } });
    expect(await valueOf()).toBeUndefined();
    expect((await firstValueFrom(put$)).status).toBe(201);
    expect((await firstValueFrom(put$)).status).toBe(200);
  });

  test('an answer that never comes ends by timeout; a write may have been executed', async () => {
    const params = { wait: true };
    const limits = { timeout: 150, retry: { max: 0 } };
    const waited = await rejectionOf(client.raw$('GET', keys(), { params, ...limits }));
    expect(isRequestTimeout(waited)).toBe(true);
    expect(headlineOf(waited)).toBe(`raw GET ${keys()}: no answer within 150 ms`);
    const late = await rejectionOf(client.raw$('GET', keys(), { params, deadline: 150 }));
    expect(isRequestTimeout(late)).toBe(true);

    const proxy = await server.proxy();
    const through = server.client({ endpoints: proxy.url, discover: false });
    await firstValueFrom(through.set$(key, 'v'));
    proxy.pause('toClient');
    const written = await rejectionOf(through.raw$('PUT', keys(), { data: { value: 'w' }, ...limits }));
    proxy.resume();
    expect(isOutcomeUnknown(written)).toBe(true);
    expect(headlineOf(written)).toContain(`raw PUT ${keys()}: sent, but its outcome is unknown`);
  });

  test('nobody there is an error', async () => {
    const [port] = await firstValueFrom(freePorts(1));
    const nowhere = server.client({ endpoints: `127.0.0.1:${String(port)}`, deadline: 2_000 });
    const methods = ['GET', 'PUT'] as const;
    const errors = await Promise.all(methods.map((method) => rejectionOf(nowhere.raw$(method, keys()))));
    expect(errors.map(isAllNodesDown)).toEqual([true, true]);
    expect(errors.map(headlineOf)).toEqual(
      methods.map((method) => `raw ${method} ${keys()}: no member can be reached`),
    );
  });
});

describe('raw$ refuses', () => {
  const bad = (value: unknown): never => value as never;

  test.each<[string, string, unknown, () => Parameters<EtcdClient['raw$']>]>([
    ['a method', 'method', 'BREW', () => [bad('BREW'), '/version']],
    ['a method in lower case', 'method', 'get', () => [bad('get'), '/version']],
    ['a path that is none', 'path', 'version', () => ['GET', 'version']],
    ['a URL', 'path', 'http://evil:1/', () => ['GET', 'http://evil:1/']],
    ['another host', 'path', '//evil/x', () => ['GET', '//evil/x']],
    ['a query in the path', 'path', '/v2/keys/a?b=c', () => ['GET', '/v2/keys/a?b=c']],
    ['a fragment', 'path', '/v2/keys/a#b', () => ['GET', '/v2/keys/a#b']],
    ['a line end', 'path', '/a\r\nX: y', () => ['GET', '/a\r\nX: y']],
    ['no path', 'path', undefined, () => ['GET', bad(undefined)]],
    ['params in params', 'params', undefined, () => ['GET', '/a', { params: bad({ a: { b: 1 } }) }]],
    ['params that are text', 'params', 'a=b', () => ['GET', '/a', { params: bad('a=b') }]],
    ['data that is a number', 'data', undefined, () => ['PUT', '/a', { data: bad(5) }]],
    ['data in data of a key', 'data', undefined, () => ['PUT', '/v2/keys/a', { data: { value: { a: 1 } } }]],
    ['headers of the connection', 'headers', undefined, () => ['GET', '/a', { headers: { Host: 'evil' } }]],
    ['a header with a line end', 'headers', undefined, () => ['GET', '/a', { headers: { a: 'b\r\nc: d' } }]],
    ['an unknown option', 'query', undefined, () => ['GET', '/a', bad({ query: 'a' })]],
    ['a timeout', 'timeout', -1, () => ['GET', '/a', { timeout: -1 }]],
    ['a deadline', 'deadline', 0, () => ['GET', '/a', { deadline: 0 }]],
    ['a retry', 'retry.max', -1, () => ['GET', '/a', { retry: { max: -1 } }]],
    ['a long path', 'path', `/${'a'.repeat(5_000)}`, () => ['GET', `/${'a'.repeat(5_000)}`]],
  ])('%s', async (_, option, value, args) => {
    const proxy = await server.proxy();
    const error = await rejectionOf(server.client({ endpoints: proxy.url }).raw$(...args()));
    expect(isInvalidOption(error)).toBe(true);
    expect(error).toMatchObject({ option, value, attempts: [] });
    expect((error as Error).message.startsWith(`${option}: expected `)).toBe(true);
    expect((error as Error).message.length).toBeLessThan(300);
    await server.fetch('/keys/');
    expect(proxy.accepted).toBe(0);
  });

  test('what may be a secret without showing it', async () => {
    for (const options of [
      { data: bad(Symbol('hush-hush')) },
      { data: 'hush-hush\uD800' },
      { headers: { authorization: 'hush-hush\n' } },
      { headers: bad('authorization: hush-hush') },
    ]) {
      const error = (await rejectionOf(client.raw$('PUT', '/a', options))) as Error;
      expect(isInvalidOption(error)).toBe(true);
      expect([error.message, error.stack, JSON.stringify(Object.entries(error))].join()).not.toContain(
        'hush',
      );
    }
  });
});
