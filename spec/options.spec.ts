import axios from 'axios';
import { InvalidOptionError } from '../lib/errors.js';
import { resolveCall, resolveOptions, type ClientOptions } from '../lib/options.js';
import { refusal, type Given } from './options-refusal.js';

const pem = '-----BEGIN CERTIFICATE-----';

describe('defaults', () => {
  test('nothing given', () => {
    expect(resolveOptions()).toEqual({
      endpoints: ['http://127.0.0.1:2379'],
      tls: {},
      heartbeat: 5_000,
      connectTimeout: 1_000,
      probeTimeout: 1_000,
      maxResponseBytes: 64 * 1024 * 1024,
      timeout: 10_000,
      deadline: 30_000,
      retry: { max: Infinity, initialDelay: 50, maxDelay: 2_000, writes: 'unsent' },
      discover: true,
      watchOn: 'leader',
    });
  });

  test.each<[string, Given]>([
    ['{}', [{}]],
    ['undefined values', [{ timeout: undefined, retry: undefined, tls: undefined }]],
    ['endpoints: undefined', [{ endpoints: undefined }]],
    ['the endpoint itself', ['http://127.0.0.1:2379']],
    ['an array and empty options', [['127.0.0.1'], {}]],
    ['undefined options', ['127.0.0.1:2379', undefined]],
    ['undefined within retry', [{ retry: { max: undefined } }]],
  ])('%s', (_, given) => {
    expect(resolveOptions(...given)).toEqual(resolveOptions());
  });

  test('what is given replaces a default and leaves the others', () => {
    const instance = axios.create();
    const given = {
      auth: { username: 'root', password: 'pw' },
      tls: { ca: pem, rejectUnauthorized: false },
      heartbeat: false,
      connectTimeout: 11,
      probeTimeout: 12,
      timeout: 13,
      deadline: 14,
      discover: false,
      watchOn: 'any',
      axios: instance,
    } satisfies ClientOptions;
    const settings = resolveOptions('etcd', { ...given, retry: { max: 0 } });
    expect(settings).toMatchObject({
      ...given,
      endpoints: ['https://etcd:2379'],
      axios: instance,
    });
    expect(settings.axios).toBe(instance);
    expect(settings.retry).toEqual({ max: 0, initialDelay: 50, maxDelay: 2_000, writes: 'unsent' });
  });

  test('what the caller does to its options later changes nothing', () => {
    const options = { endpoints: ['a'], tls: { ca: pem }, retry: { max: 1 } };
    const settings = resolveOptions(options);
    options.endpoints.push('b');
    options.tls.ca = 'other';
    options.retry.max = 9;
    expect(settings).toMatchObject({ endpoints: ['https://a:2379'], tls: { ca: pem }, retry: { max: 1 } });
  });

  test('nor to its credentials', () => {
    const options = { auth: { username: 'root', password: 'pw' } };
    const settings = resolveOptions(options);
    options.auth.password = 'other';
    expect(settings.auth).toEqual({ username: 'root', password: 'pw' });
  });
});

describe('TLS material that is none', () => {
  test.each<[string, object]>([
    ['a path', { ca: '/etc/ssl/ca.pem' }],
    ['a path of the key', { key: './client-key.pem' }],
    ['one path among several', { ca: [pem, 'ca.pem'] }],
    ['DER', { cert: Uint8Array.from([0x30, 0x82, 1, 2]) }],
    ['nothing', { ca: '' }],
  ])('%s', (_, tls) => {
    const error = refusal({ tls });
    expect(error.message).toContain('a path or no PEM');
    expect([error.value, error.message.includes('.pem')]).toEqual([undefined, false]);
  });
});

describe('numbers', () => {
  const times = ['timeout', 'deadline', 'connectTimeout', 'probeTimeout', 'heartbeat'];
  const badTimes = [0, -1, NaN, Infinity, -Infinity, 2 ** 31, '1000', null, true, {}, []];

  test.each(times.flatMap((name) => badTimes.map((bad) => [name, bad] as const)))('%s: %p', (name, bad) => {
    const error = refusal({ [name]: bad });
    expect([error.option, error.value]).toEqual([name, bad]);
    expect(error.message).toContain('milliseconds above 0');
    expect(error.message.endsWith('and at most 2147483647, or false, got ' + shownValue(bad))).toBe(
      name === 'heartbeat',
    );
  });

  test.each(times)('%s takes from a fraction to the longest timer', (name) => {
    expect(resolveOptions({ [name]: 0.1 })).toMatchObject({ [name]: 0.1 });
    expect(resolveOptions({ [name]: 2 ** 31 - 1 })).toMatchObject({ [name]: 2 ** 31 - 1 });
  });

  test.each<[string, unknown]>([
    ['max', -1],
    ['max', 0.5],
    ['max', NaN],
    ['max', '3'],
    ['max', false],
    ['initialDelay', 0],
    ['initialDelay', -50],
    ['initialDelay', Infinity],
    ['maxDelay', NaN],
    ['maxDelay', 2 ** 31],
    ['writes', 'all'],
    ['writes', true],
  ])('retry.%s: %p', (name, bad) => {
    const error = refusal({ retry: { [name]: bad } });
    expect([error.option, error.value]).toEqual([`retry.${name}`, bad]);
  });

  test('retry.max may be 0 or Infinity', () => {
    expect(resolveOptions({ retry: { max: 0 } }).retry.max).toBe(0);
    expect(resolveOptions({ retry: { max: Infinity } }).retry.max).toBe(Infinity);
  });

  function shownValue(value: unknown): string {
    if (Array.isArray(value)) return 'an array of 0';
    if (typeof value === 'object' && value !== null) return 'an object';
    return typeof value === 'string' ? JSON.stringify(value) : String(value);
  }
});

describe('wrong types', () => {
  test.each<[string, unknown, string]>([
    ['discover', 'yes', 'discover'],
    ['discover', 1, 'discover'],
    ['watchOn', 'follower', 'watchOn'],
    ['watchOn', null, 'watchOn'],
    ['heartbeat', true, 'heartbeat'],
    ['axios', {}, 'axios'],
    ['axios', () => undefined, 'axios'],
    ['axios', null, 'axios'],
    ['retry', 3, 'retry'],
    ['retry', null, 'retry'],
    ['retry', [], 'retry'],
    ['tls', true, 'tls'],
    ['tls', null, 'tls'],
    ['auth', 'root:pw', 'auth'],
    ['auth', null, 'auth'],
    ['auth', {}, 'auth.username'],
    ['auth', { username: 'root' }, 'auth.password'],
    ['auth', { password: 'pw' }, 'auth.username'],
    ['auth', { username: '', password: 'pw' }, 'auth.username'],
    ['auth', { username: 'a:b', password: 'pw' }, 'auth.username'],
    ['auth', { username: 7, password: 'pw' }, 'auth.username'],
    ['auth', { username: 'root', password: 7 }, 'auth.password'],
    ['auth', { username: 'root', password: '\uD800' }, 'auth.password'],
    ['tls', { ca: 7 }, 'tls.ca'],
    ['tls', { ca: ['CA', 7] }, 'tls.ca'],
    ['tls', { cert: {} }, 'tls.cert'],
    ['tls', { key: true }, 'tls.key'],
    ['tls', { passphrase: 7 }, 'tls.passphrase'],
    ['tls', { servername: 7 }, 'tls.servername'],
    ['tls', { rejectUnauthorized: 'no' }, 'tls.rejectUnauthorized'],
  ])('%s: %j', (name, bad, option) => {
    expect(refusal({ [name]: bad }).option).toBe(option);
    expect(refusal('a:1', { [name]: bad }).option).toBe(option);
  });

  test('TLS material may be text, bytes, or for ca a list of them; an empty password is one', () => {
    const bytes = Uint8Array.from(Buffer.from(pem));
    const tls = { ca: [pem, Buffer.from(`# of a friend\n${pem}`)], cert: pem, key: bytes, passphrase: '' };
    expect(resolveOptions({ tls }).tls).toEqual(tls);
    const auth = { username: 'root', password: '' };
    expect(resolveOptions({ auth }).auth).toEqual(auth);
  });

  test.each<[unknown, string]>([
    [null, 'options'],
    ['text', 'options'],
    [[], 'options'],
    [7, 'options'],
  ])('%j instead of options', (rest, option) => {
    expect(refusal('a', rest).option).toBe(option);
  });
});

describe('unknown options are refused, nested ones too', () => {
  test.each<[unknown, string, string]>([
    [{ endpoint: 'a' }, 'endpoint', 'endpoints'],
    [{ timeOut: 1 }, 'timeOut', 'timeout'],
    [{ retries: 3 }, 'retries', 'retry'],
    [{ retry: { maximum: 3 } }, 'retry.maximum', 'max, initialDelay, maxDelay, writes'],
    [{ tls: { verify: false } }, 'tls.verify', 'rejectUnauthorized'],
    [{ auth: { username: 'a', password: 'b', realm: 'c' } }, 'auth.realm', 'username, password'],
  ])('%j', (given, option, hint) => {
    const error = refusal(given);
    expect(error.option).toBe(option);
    expect(error.message).toContain('expected one of the options');
    expect(error.message).toContain(hint);
  });
});

describe('resolveCall', () => {
  const client = resolveOptions({ timeout: 1_000, deadline: 2_000, retry: { max: 5, writes: 'idempotent' } });

  test('without options of its own a call runs with those of the client', () => {
    for (const call of [undefined, {}, { timeout: undefined, retry: {} } as unknown as object]) {
      expect(resolveCall(client, call)).toMatchObject({
        timeout: 1_000,
        deadline: 2_000,
        retry: client.retry,
      });
    }
  });

  test('lays the call over the client, option by option', () => {
    expect(resolveCall(client, { deadline: 9, retry: { max: 0 } })).toEqual({
      timeout: 1_000,
      deadline: 9,
      retry: { max: 0, initialDelay: 50, maxDelay: 2_000, writes: 'idempotent' },
    });
  });

  test('undefined within retry means the client, not the absence of a limit', () => {
    expect(resolveCall(client, { retry: { max: undefined } as unknown as object }).retry.max).toBe(5);
  });

  test.each([{ max: -1 }, { unknown: 1 }, { writes: 'no' }])('retry: %j is refused', (retry) => {
    expect(() => resolveCall(client, { retry } as object)).toThrow(InvalidOptionError);
  });
});
