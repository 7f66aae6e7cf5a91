import { inspect } from 'node:util';
import axios from 'axios';
import { InvalidOptionError } from '../lib/errors.js';
import { resolveCall, resolveOptions, type ClientOptions } from '../lib/options.js';

type Given = Parameters<typeof resolveOptions>;

/** What it threw; fails if it threw nothing. */
function refusal(first: unknown, rest?: unknown): InvalidOptionError {
  try {
    resolveOptions(...([first, rest] as Given));
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOptionError);
    return error as InvalidOptionError;
  }
  throw new Error('nothing was thrown');
}

/** All that may reach a log. */
const shownOf = (error: InvalidOptionError): string =>
  [
    error.message,
    String(error),
    JSON.stringify(error),
    JSON.stringify(Object.entries(error)),
    inspect(error),
    inspect(error.value, { depth: null }),
    inspect(Object.entries(error), { depth: null }),
    error.stack,
  ].join('\n');

describe('defaults', () => {
  test('nothing given', () => {
    expect(resolveOptions()).toEqual({
      endpoints: ['http://127.0.0.1:2379'],
      tls: {},
      heartbeat: 5_000,
      connectTimeout: 1_000,
      probeTimeout: 1_000,
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
      tls: { ca: 'CA', rejectUnauthorized: false },
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
    const options = { endpoints: ['a'], tls: { ca: 'CA' }, retry: { max: 1 } };
    const settings = resolveOptions(options);
    options.endpoints.push('b');
    options.tls.ca = 'other';
    options.retry.max = 9;
    expect(settings).toMatchObject({ endpoints: ['https://a:2379'], tls: { ca: 'CA' }, retry: { max: 1 } });
  });

  test('nor to its credentials', () => {
    const options = { auth: { username: 'root', password: 'pw' } };
    const settings = resolveOptions(options);
    options.auth.password = 'other';
    expect(settings.auth).toEqual({ username: 'root', password: 'pw' });
  });
});

describe('endpoints', () => {
  test.each<[string | string[], string[]]>([
    ['localhost', ['http://localhost:2379']],
    ['localhost:4001', ['http://localhost:4001']],
    ['localhost:80', ['http://localhost']],
    ['localhost:80/', ['http://localhost']],
    ['localhost:443', ['http://localhost:443']],
    ['localhost:2379/', ['http://localhost:2379']],
    ['LOCALHOST:2379', ['http://localhost:2379']],
    ['http://localhost:2379', ['http://localhost:2379']],
    ['http://localhost:2379/', ['http://localhost:2379']],
    ['HTTP://Host:1', ['http://host:1']],
    ['https://etcd.example.com', ['https://etcd.example.com']],
    ['https://etcd.example.com:2379', ['https://etcd.example.com:2379']],
    ['10.0.0.1', ['http://10.0.0.1:2379']],
    ['10.0.0.1:4001', ['http://10.0.0.1:4001']],
    ['[::1]', ['http://[::1]:2379']],
    ['[::1]:4001', ['http://[::1]:4001']],
    ['[2001:DB8::80]', ['http://[2001:db8::80]:2379']],
    ['http://[::1]:2379', ['http://[::1]:2379']],
    ['my_host-1.local', ['http://my_host-1.local:2379']],
    [
      ['a:1', 'https://b:2', 'c'],
      ['http://a:1', 'https://b:2', 'http://c:2379'],
    ],
    [['a:1', 'http://a:1', 'http://A:1/'], ['http://a:1']],
  ])('%j', (given, expected) => {
    expect(resolveOptions(given).endpoints).toEqual(expected);
    expect(resolveOptions({ endpoints: given }).endpoints).toEqual(expected);
  });

  test.each<[string, string]>([
    ['localhost', 'https://localhost:2379'],
    ['localhost:443', 'https://localhost'],
    ['localhost:443/', 'https://localhost'],
    ['localhost:80', 'https://localhost:80'],
    ['[::1]', 'https://[::1]:2379'],
    ['http://plain:2379', 'http://plain:2379'],
  ])('%s beside the option tls', (given, expected) => {
    expect(resolveOptions(given, { tls: {} }).endpoints).toEqual([expected]);
  });

  test.each<[unknown, string]>([
    ['', 'host:port or a URL'],
    ['  ', 'host:port or a URL'],
    [':2379', 'host:port or a URL'],
    ['http://', 'host:port or a URL'],
    ['http:host', 'host:port or a URL'],
    ['::1', 'host:port or a URL'],
    ['::1:2379', 'host:port or a URL'],
    ['[::1', 'host:port or a URL'],
    ['[fe80::1%eth0]:2379', 'host:port or a URL'],
    ['a b:2379', 'host:port or a URL'],
    ['host:port', 'host:port or a URL'],
    ['host:65536', 'host:port or a URL'],
    ['host:-1', 'host:port or a URL'],
    ['unix:///var/run/etcd.sock', 'host:port or a URL'],
    ['ftp://host', 'an http or https URL'],
    ['ws://host:2379', 'an http or https URL'],
    ['etcd://host:2379', 'an http or https URL'],
    ['http://host:2379/v2', 'a URL without path, query or fragment'],
    ['host/v2/keys', 'a URL without path, query or fragment'],
    ['http://host?x=1', 'a URL without path, query or fragment'],
    ['http://host#x', 'a URL without path, query or fragment'],
    ['a:1,b:2', 'one endpoint; pass an array for several'],
    ['http://a:1,http://b:2', 'one endpoint; pass an array for several'],
  ])('%j is refused', (given, expected) => {
    const alone = refusal(given);
    expect([alone.option, alone.value]).toEqual(['endpoints', given]);
    expect(alone.message).toBe(`endpoints: expected ${expected}, got ${JSON.stringify(given)}`);
    expect(refusal({ endpoints: given }).message).toBe(alone.message);
    // In a list, the message names the one that is wrong.
    const listed = refusal(['good:1', given]);
    expect([listed.option, listed.value]).toEqual(['endpoints[1]', given]);
    expect(listed.message).toContain(expected);
  });

  test.each<[unknown]>([[7], [true], [null], [new Date(0)], [() => 'a']])('%p is no endpoint', (given) => {
    expect(refusal({ endpoints: given })).toMatchObject({ option: 'endpoints' });
    expect(refusal(['a', given])).toMatchObject({ option: 'endpoints[1]' });
  });

  test('an empty list is refused', () => {
    expect(refusal([]).message).toBe('endpoints: expected at least one endpoint, got an array of 0');
    expect(refusal({ endpoints: [] }).option).toBe('endpoints');
  });

  test.each<[unknown]>([[7], [true], [null], [() => 'a']])('%p as the only argument is refused', (given) => {
    expect(refusal(given)).toMatchObject({ option: 'endpoints', value: given });
  });

  test('a URL object is not taken for options', () => {
    const given = new URL('http://etcd.example.com:2379');
    expect(refusal(given).option).toBe('endpoints');
  });

  test('endpoints in two places are refused', () => {
    expect(refusal('a', { endpoints: 'b' }).message).toContain('endpoints in one place only');
  });

  test('two options objects are refused', () => {
    expect(refusal({}, {}).option).toBe('endpoints');
  });
});

describe('credentials in a URL are refused and never shown', () => {
  const secret = 'hush-hush';
  test.each<[string, unknown[]]>([
    ['user and password', [`http://root:${secret}@host:2379`]],
    ['user alone', [`http://${secret}@host:2379`]],
    ['without a scheme', [`root:${secret}@host:2379`]],
    ['in a list', [['a:1', `http://root:${secret}@host`]]],
    ['among options', [{ endpoints: `http://root:${secret}@host` }]],
    ['with an @ in the password', [`http://root:${secret}@@host`]],
    ['in a URL that is wrong besides', [`http://root:${secret}@host:port/path`]],
    ['in a joined list', [`http://root:${secret}@a,http://root:${secret}@b`]],
    ['in a foreign scheme', [`ftp://root:${secret}@host`]],
    ['in endpoints of two places', ['a', { endpoints: `http://root:${secret}@host` }]],
    ['in a nested list', [[[`http://root:${secret}@host`]]]],
    ['in a URL object', [{ endpoints: new URL(`http://root:${secret}@host`) }]],
    ['in a list of URL objects', [[new URL(`http://root:${secret}@host`)]]],
    ['in objects that name a URL', [[{ url: `http://root:${secret}@host` }]]],
  ])('%s', (_, [first, rest]) => {
    const error = refusal(first, rest);
    expect(error.option).toMatch(/^endpoints/);
    expect(shownOf(error)).not.toContain(secret);
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
    const tls = { ca: ['CA', Buffer.from('CA2')], cert: 'C', key: new Uint8Array(1), passphrase: '' };
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

describe('secrets are never shown', () => {
  const secret = 'hush-hush';
  const auth = { username: 'root', password: secret };
  test.each<[string, unknown[]]>([
    ['a password of the wrong type', [{ auth: { username: 'root', password: [secret] } }]],
    ['auth as text', [{ auth: `root:${secret}` }]],
    ['auth as a list', [{ auth: ['root', secret] }]],
    ['a password without a user', [{ auth: { password: secret } }]],
    ['a misspelt password', [{ auth: { username: 'root', passwort: secret } }]],
    ['a password by another name', [{ auth: { username: 'root', pwd: secret } }]],
    ['a password by a short name', [{ auth: { user: 'root', pw: secret } }]],
    ['a username with a password in it', [{ auth: { username: `root:${secret}`, password: 'x' } }]],
    ['misspelt auth', [{ Auth: auth }]],
    ['credentials by another name', [{ login: auth }]],
    ['a password at the top', [{ password: secret }]],
    ['tls as text', [{ tls: secret }]],
    ['misspelt tls', [{ ssl: { key: secret, passphrase: secret } }]],
    ['a key of the wrong type', [{ tls: { key: { pem: secret } } }]],
    ['a ca of the wrong type', [{ tls: { ca: { pem: secret } } }]],
    ['a passphrase of the wrong type', [{ tls: { passphrase: [secret] } }]],
    ['an unknown TLS option', [{ tls: { pfx: secret } }]],
    ['an unknown TLS option of bytes', [{ tls: { pem: secret } }]],
    ['two options objects', [{}, { auth }]],
    ['options behind nothing', [undefined, { auth }]],
    ['options in a list', ['a', [{ auth }]]],
    ['wrong options elsewhere', [{ auth, tls: { key: secret }, timeout: -1 }]],
    ['wrong endpoints beside', [{ auth, tls: { key: secret }, endpoints: 'a b' }]],
    ['an axios configuration instead of an instance', [{ axios: { auth } }]],
    ['options where endpoints belong', [[{ auth }]]],
  ])('%s', (_, [first, rest]) => {
    expect(shownOf(refusal(first, rest))).not.toContain(secret);
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
