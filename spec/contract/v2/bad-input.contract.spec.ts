import {
  EtcdClient,
  InvalidOptionError,
  isInvalidOption,
  type ClientOptions,
  type CompareAndSwapOptions,
  type GetOptions,
  type WatchOptions,
} from 'rxetcd';
import type { Observable } from 'rxjs';
import { firstValueFrom } from 'rxjs';
import { rejectionOf } from '../../support/jest/rejection.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';
import type { TcpProxy } from '../../support/proxies/tcp-proxy.js';

/*
 * Bad input is refused before anything is sent: every client here stands before a proxy that counts connections.
 * Values are cast as TypeScript would refuse most of them; a program in JavaScript has no such help.
 */
const server = serverUnderTest();
let proxy: TcpProxy;
let client: EtcdClient;

beforeEach(async () => {
  proxy = await server.proxy();
  client = server.client({ endpoints: proxy.url });
});

/** The refusal of a call: by its Observable, never thrown at the caller, naming the option, nothing sent. */
async function refusal(call: () => Observable<unknown>): Promise<InvalidOptionError> {
  const error = (await rejectionOf(call())) as InvalidOptionError;
  expect(error).toBeInstanceOf(InvalidOptionError);
  expect(isInvalidOption(error)).toBe(true);
  expect(error).toMatchObject({ name: 'InvalidOptionError', code: 'INVALID_OPTION', attempts: [] });
  expect(error.message.startsWith(`${error.option}: expected `)).toBe(true);
  // A connection attempted meanwhile would have been accepted before this one's answer.
  await server.fetch('/keys/');
  expect(proxy.accepted).toBe(0);
  return error;
}

async function expectRefused(call: () => Observable<unknown>, option: string, value: unknown): Promise<void> {
  const error = await refusal(call);
  expect(error.option).toBe(option);
  // What an object or a function holds could be secret: the error may withhold it.
  const withheld = ['object', 'function'].includes(typeof value) && error.value === undefined;
  if (!withheld) expect(error.value).toBe(value);
}

const loneSurrogate = 'a\uD83Eb';
const loneLowSurrogate = '\uDD8A';
/** What TypeScript would refuse. */
const bad = (value: unknown): never => value as never;

/** All calls on a key, with an argument that each takes. */
const callsOnKeys: [string, (key: string) => Observable<unknown>][] = [
  ['get$', (key) => client.get$(key)],
  ['getValue$', (key) => client.getValue$(key)],
  ['exists$', (key) => client.exists$(key)],
  ['set$', (key) => client.set$(key, 'v')],
  ['create$', (key) => client.create$(key, 'v')],
  ['update$', (key) => client.update$(key, 'v')],
  ['refresh$', (key) => client.refresh$(key, 1)],
  ['createInOrder$', (key) => client.createInOrder$(key, 'v')],
  ['delete$', (key) => client.delete$(key)],
  ['compareAndSwap$', (key) => client.compareAndSwap$(key, 'v', { prevIndex: 1 })],
  ['compareAndDelete$', (key) => client.compareAndDelete$(key, { prevIndex: 1 })],
  ['watch$', (key) => client.watch$(key)],
  ['watchOnce$', (key) => client.watchOnce$(key)],
];

/** All calls with options, the needed ones given. */
const callsWithOptions: [string, (options: unknown) => Observable<unknown>][] = [
  ['get$', (o) => client.get$('/k', bad(o))],
  ['getValue$', (o) => client.getValue$('/k', bad(o))],
  ['exists$', (o) => client.exists$('/k', bad(o))],
  ['set$', (o) => client.set$('/k', 'v', bad(o))],
  ['create$', (o) => client.create$('/k', 'v', bad(o))],
  ['update$', (o) => client.update$('/k', 'v', bad(o))],
  ['refresh$', (o) => client.refresh$('/k', 1, bad(o))],
  ['createInOrder$', (o) => client.createInOrder$('/k', 'v', bad(o))],
  ['delete$', (o) => client.delete$('/k', bad(o))],
  ['watch$', (o) => client.watch$('/k', bad(o))],
  ['watchOnce$', (o) => client.watchOnce$('/k', bad(o))],
];
const withCondition = (options: unknown) => ({ prevIndex: 1, ...(options as object) });
const conditionalCalls: typeof callsWithOptions = [
  ['compareAndSwap$', (o) => client.compareAndSwap$('/k', 'v', withCondition(o))],
  ['compareAndDelete$', (o) => client.compareAndDelete$('/k', withCondition(o))],
];

const callsWithValues: [string, (value: string) => Observable<unknown>][] = [
  ['set$', (value) => client.set$('/k', value)],
  ['create$', (value) => client.create$('/k', value)],
  ['update$', (value) => client.update$('/k', value)],
  ['createInOrder$', (value) => client.createInOrder$('/k', value)],
  ['compareAndSwap$', (value) => client.compareAndSwap$('/k', value, { prevIndex: 1 })],
];

const callsWithTtl: [string, (ttl: number) => Observable<unknown>][] = [
  ['set$', (ttl) => client.set$('/k', 'v', { ttl })],
  ['create$', (ttl) => client.create$('/k', 'v', { ttl })],
  ['update$', (ttl) => client.update$('/k', 'v', { ttl })],
  ['refresh$', (ttl) => client.refresh$('/k', ttl)],
  ['createInOrder$', (ttl) => client.createInOrder$('/k', 'v', { ttl })],
  ['compareAndSwap$', (ttl) => client.compareAndSwap$('/k', 'v', { prevIndex: 1, ttl })],
];

const callsWithConditions: [string, (condition: unknown) => Observable<unknown>][] = [
  ['compareAndSwap$', (condition) => client.compareAndSwap$('/k', 'v', bad(condition))],
  ['compareAndDelete$', (condition) => client.compareAndDelete$('/k', bad(condition))],
];

test('good input is sent, so that the proxy would tell', async () => {
  expect(proxy.accepted).toBe(0);
  await firstValueFrom(
    client.set$('/k', 'v', { ttl: 1, timeout: 5_000, deadline: 5_000, retry: { max: 1 } }),
  );
  expect(proxy.accepted).toBeGreaterThan(0);
});

describe('keys', () => {
  test.each(callsOnKeys)('%s refuses what is no string', async (_, call) => {
    for (const key of [undefined, null, 7, {}, ['/k']]) await expectRefused(() => call(bad(key)), 'key', key);
  });

  test.each(callsOnKeys)('%s refuses segments that etcd would redirect away', async (_, call) => {
    for (const key of ['/a//b', '/a/./b', '/a/..', '../b', '.'])
      await expectRefused(() => call(key), 'key', key);
  });

  test.each(callsOnKeys)('%s refuses a lone surrogate', async (_, call) => {
    for (const key of [loneSurrogate, loneLowSurrogate]) await expectRefused(() => call(key), 'key', key);
  });

  test.each(callsOnKeys)('%s refuses a key that no request line can hold', async (_, call) => {
    const key = `/${'k'.repeat(5_000)}`;
    const error = await refusal(() => call(key));
    expect(error.option).toBe('key');
    expect(error.value).toBe(key);
    expect(error.message.length).toBeLessThan(300);
  });
});

describe('values', () => {
  test.each(callsWithValues)('%s refuses what is no string', async (_, call) => {
    for (const value of [undefined, null, 1, true, { a: 1 }, ['a']])
      await expectRefused(() => call(bad(value)), 'value', value);
  });

  test.each(callsWithValues)('%s refuses a lone surrogate, which etcd would change', async (_, call) => {
    for (const value of [loneSurrogate, loneLowSurrogate])
      await expectRefused(() => call(value), 'value', value);
  });

  test.each(callsWithValues)('%s refuses a form above 10 MiB', async (_, call) => {
    // Three bytes each as UTF-8, nine once encoded.
    const error = await refusal(() => call('東'.repeat(1_200_000)));
    expect(error.option).toBe('value');
    expect(error.message).toContain('10485760');
    expect(error.message.length).toBeLessThan(300);
  });
});

describe('TTLs', () => {
  test.each(callsWithTtl)('%s refuses what is no whole number of seconds', async (_, call) => {
    for (const ttl of [-1, 1.5, NaN, Infinity, '10', null, 10n, 9_999_999_999_999])
      await expectRefused(() => call(bad(ttl)), 'ttl', ttl);
  });

  test('refresh$ needs one', () =>
    expectRefused(() => client.refresh$('/k', bad(undefined)), 'ttl', undefined));
});

describe('conditions', () => {
  test.each(callsWithConditions)('%s refuses to go without one', async (_, call) => {
    for (const none of [{}, undefined, null, { prevValue: undefined, prevIndex: undefined }])
      expect((await refusal(() => call(none))).message).toMatch(/prevValue and prevIndex/);
  });

  test.each(callsWithConditions)(
    '%s refuses an empty prevValue, which etcd would not compare',
    async (_, call) => {
      await expectRefused(() => call({ prevValue: '' }), 'prevValue', '');
      await expectRefused(() => call({ prevValue: '', prevIndex: 1 }), 'prevValue', '');
    },
  );

  test.each(callsWithConditions)('%s refuses a prevValue that is no whole string', async (_, call) => {
    for (const prevValue of [1, null, {}, loneSurrogate])
      await expectRefused(() => call({ prevValue }), 'prevValue', prevValue);
  });

  test.each(callsWithConditions)('%s refuses prevIndex: 0, which etcd would not compare', async (_, call) => {
    await expectRefused(() => call({ prevIndex: 0 }), 'prevIndex', 0);
    await expectRefused(() => call({ prevIndex: 0, prevValue: 'v' }), 'prevIndex', 0);
  });

  test.each(callsWithConditions)('%s refuses a prevIndex that is no index', async (_, call) => {
    for (const prevIndex of [-1, 1.5, NaN, '7', null])
      await expectRefused(() => call({ prevIndex }), 'prevIndex', prevIndex);
  });

  test('compareAndDelete$ refuses a prevValue that no request line can hold', async () => {
    const prevValue = 'v'.repeat(5_000);
    const error = await refusal(() => client.compareAndDelete$('/k', { prevValue }));
    expect(error).toMatchObject({ option: 'prevValue', value: prevValue });
    expect(error.message).toContain('prevIndex');
  });

  test('compareAndSwap$ refuses a prevValue that no form can hold, and names it', async () => {
    const error = await refusal(() =>
      client.compareAndSwap$('/k', 'v', { prevValue: 'v'.repeat(11_000_000) }),
    );
    expect(error.option).toBe('prevValue');
  });
});

describe('options of a call', () => {
  test.each([...callsWithOptions, ...conditionalCalls])('%s refuses an unknown one', async (_, call) => {
    await expectRefused(() => call({ recursiv: true }), 'recursiv', true);
    // What nobody knows could be a secret.
    await expectRefused(() => call({ prevExist: 'yes' }), 'prevExist', undefined);
  });

  test.each(callsWithOptions)('%s refuses options that are no object', async (_, call) => {
    for (const options of [null, 5, 'recursive', true, [{ recursive: true }]])
      await expectRefused(() => call(options), 'options', options);
  });

  const timed = callsWithOptions.filter(([name]) => !name.startsWith('watch'));
  test.each([...timed, ...conditionalCalls])('%s refuses times that are none', async (_, call) => {
    for (const time of [-1, 0, NaN, Infinity, '100', null, 2 ** 31]) {
      await expectRefused(() => call({ timeout: time }), 'timeout', time);
      await expectRefused(() => call({ deadline: time }), 'deadline', time);
    }
  });

  test.each([...timed, ...conditionalCalls])('%s refuses a bad retry', async (_, call) => {
    await expectRefused(() => call({ retry: true }), 'retry', true);
    await expectRefused(() => call({ retry: { max: -1 } }), 'retry.max', -1);
    await expectRefused(() => call({ retry: { max: 1.5 } }), 'retry.max', 1.5);
    await expectRefused(() => call({ retry: { initialDelay: -5 } }), 'retry.initialDelay', -5);
    await expectRefused(() => call({ retry: { maxDelay: 0 } }), 'retry.maxDelay', 0);
    await expectRefused(() => call({ retry: { writes: 'always' } }), 'retry.writes', 'always');
    await expectRefused(() => call({ retry: { times: 3 } }), 'retry.times', 3);
  });

  test.each<[keyof GetOptions, unknown]>([
    ['recursive', 1],
    ['sorted', 'true'],
    ['quorum', null],
  ])('a read refuses %s: %p', async (name, value) => {
    for (const [, call] of callsWithOptions.slice(0, 3))
      await expectRefused(() => call({ [name]: value }), name, value);
  });

  test('set$ refuses a noValueOnSuccess that is no boolean', () =>
    expectRefused(() => client.set$('/k', 'v', { noValueOnSuccess: bad('yes') }), 'noValueOnSuccess', 'yes'));

  test('delete$ refuses a recursive that is no boolean', () =>
    expectRefused(() => client.delete$('/k', { recursive: bad('false') }), 'recursive', 'false'));

  const notAFunction = /a/;
  test.each<[keyof WatchOptions, unknown]>([
    ['recursive', 'yes'],
    ['initial', 1],
    ['fromIndex', 0],
    ['fromIndex', -1],
    ['fromIndex', 1.5],
    ['fromIndex', '5'],
    ['onHistoryLost', 'ignore'],
    ['until', notAFunction],
  ])('watch$ refuses %s: %p', (name, value) =>
    expectRefused(() => client.watch$('/k', { [name]: value }), name, value),
  );

  test('watch$ refuses fromIndex beside initial', () =>
    expectRefused(() => client.watch$('/k', { initial: true, fromIndex: 7 }), 'fromIndex', 7));

  test.each([-1, 0, NaN, Infinity, '100'])('watchOnce$ refuses timeout: %p', (timeout) =>
    expectRefused(() => client.watchOnce$('/k', { timeout: bad(timeout) }), 'timeout', timeout),
  );

  test.each([
    ['recursive', 1],
    ['fromIndex', 0],
    ['initial', true],
    ['until', () => true],
  ])('watchOnce$ refuses %s: %p', (name, value) =>
    expectRefused(() => client.watchOnce$('/k', { [name]: value }), name, value),
  );

  test('undefined stands for the default', async () => {
    const unset = { timeout: undefined, deadline: undefined, retry: undefined, ttl: undefined };
    const { node } = await firstValueFrom(client.set$('/unset', 'v', unset));
    expect(node).not.toHaveProperty('ttl');
  });
});

describe('options of the client', () => {
  const refused = (make: () => EtcdClient): InvalidOptionError => {
    try {
      make().close();
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidOptionError);
      return error as InvalidOptionError;
    }
    throw new Error('no error was thrown');
  };

  test.each([
    '',
    ' ',
    'http://',
    'http://host:port',
    'localhost:99999',
    'localhost:0',
    'local host:2379',
    'ftp://localhost',
    'unix:///run/etcd',
    'http://localhost:2379/v2',
    'http://localhost:2379?a=b',
    'http://localhost:2379#a',
    'http://a:2379,http://b:2379',
    'localhost:2379,localhost:4001',
  ])('the endpoint %p is refused, wherever it stands', (endpoint) => {
    expect(refused(() => new EtcdClient(endpoint))).toMatchObject({ option: 'endpoints', value: endpoint });
    expect(refused(() => new EtcdClient({ endpoints: endpoint }))).toMatchObject({
      option: 'endpoints',
      value: endpoint,
    });
    expect(refused(() => new EtcdClient(['localhost', endpoint]))).toMatchObject({
      option: 'endpoints[1]',
      value: endpoint,
    });
  });

  test.each([null, 5, true])('the endpoint %p is refused', (endpoint) => {
    expect(refused(() => new EtcdClient(bad(endpoint)))).toMatchObject({ value: endpoint });
    expect(refused(() => new EtcdClient({ endpoints: bad(endpoint) }))).toMatchObject({
      option: 'endpoints',
      value: endpoint,
    });
    expect(refused(() => new EtcdClient([bad(endpoint)]))).toMatchObject({
      option: 'endpoints[0]',
      value: endpoint,
    });
  });

  test('an empty list of endpoints is refused, and endpoints in two places', () => {
    expect(refused(() => new EtcdClient([])).option).toBe('endpoints');
    expect(refused(() => new EtcdClient('a', { endpoints: 'b' })).option).toBe('endpoints');
  });

  test('a password in an endpoint is refused and not shown', () => {
    const error = refused(() => new EtcdClient('http://root:pa55word@localhost:2379'));
    expect(error.option).toBe('endpoints');
    expect([error.message, String(error.value), JSON.stringify(error), error.stack].join()).not.toContain(
      'pa55',
    );
  });

  test.each(['timeout', 'deadline', 'connectTimeout', 'probeTimeout', 'heartbeat'] as const)(
    '%s must be a time',
    (option) => {
      for (const value of [-1, 0, NaN, Infinity, 2 ** 31, '5', null, true]) {
        const error = refused(() => new EtcdClient('localhost', { [option]: value }));
        expect(error).toMatchObject({ option, value });
      }
    },
  );

  test.each<[string, unknown, string, unknown]>([
    ['endpoint', 'localhost', 'endpoint', undefined],
    ['timeOut', 5, 'timeOut', 5],
    ['toString', 5, 'toString', 5],
    ['discover', 'yes', 'discover', 'yes'],
    ['watchOn', 'follower', 'watchOn', 'follower'],
    ['retry', 3, 'retry', 3],
    ['retry', { max: -1 }, 'retry.max', -1],
    ['retry', { maximum: 1 }, 'retry.maximum', 1],
  ])('%s: %p is refused', (name, value, option, shown) => {
    const options = { [name]: value } as ClientOptions;
    expect(refused(() => new EtcdClient(options))).toMatchObject({ option, value: shown });
    expect(refused(() => new EtcdClient('localhost', options))).toMatchObject({ option, value: shown });
  });

  test.each<[string, ClientOptions]>([
    ['tls.verify', { tls: { verify: false } as object }],
    ['tls.rejectUnauthorized', { tls: { rejectUnauthorized: bad('no') } }],
    ['auth.username', { auth: { username: 'a:b', password: 'p' } }],
    ['auth.username', { auth: { username: '', password: 'p' } }],
    ['auth.username', { auth: bad({ password: 'p' }) }],
    ['auth.password', { auth: bad({ username: 'u' }) }],
  ])('a bad %s is refused', (option, options) => {
    expect(refused(() => new EtcdClient(options)).option).toBe(option);
  });

  test('an axios that is none is refused', () => {
    expect(refused(() => new EtcdClient({ axios: bad({ get: () => undefined }) })).option).toBe('axios');
  });

  test.each<[string, ClientOptions]>([
    ['auth.password', { auth: { username: 'root', password: bad(['pa55word']) } }],
    ['auth.password', { auth: { username: 'root', password: 'pa55word\uD800' } }],
    ['auth', { auth: bad('root:pa55word') }],
    ['tls.passphrase', { tls: { passphrase: 'pa55word\uD800' } }],
    ['tls.key', { tls: { key: bad({ pem: 'pa55word' }) } }],
  ])('a bad %s is refused and not shown', (option, options) => {
    const error = refused(() => new EtcdClient(options));
    expect(error).toMatchObject({ option, value: undefined });
    expect([error.message, JSON.stringify(error), error.stack].join()).not.toContain('pa55');
  });

  test.each([null, 5, 'timeout', [5_000]])('options %p behind the endpoints are refused', (options) => {
    expect(refused(() => new EtcdClient('localhost', bad(options))).option).toBe('options');
  });

  test('connect$ refuses by its Observable, and sends nothing', async () => {
    const error = await refusal(() => EtcdClient.connect$(proxy.url, { heartbeat: -1 }));
    expect(error).toMatchObject({ option: 'heartbeat', value: -1 });
  });

  test('a client that is made and never used opens nothing', async () => {
    expect(server.client({ endpoints: proxy.url }).endpoints).toEqual([proxy.url]);
    await server.fetch('/keys/');
    expect(proxy.accepted).toBe(0);
  });
});

test('options are checked in TypeScript too', () => {
  // @ts-expect-error a condition is needed
  const none: CompareAndSwapOptions = {};
  expect(none).toEqual({});
});
