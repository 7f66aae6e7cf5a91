import { inspect } from 'node:util';
import * as errors from '../lib/errors.js';
import {
  AllNodesDownError,
  AuthenticationError,
  ClientClosedError,
  EtcdApiError,
  EtcdError,
  EtcdErrorCode,
  InvalidOptionError,
  OutcomeUnknownError,
  RequestTimeoutError,
  StaleReadError,
  TlsError,
  UnsupportedByServerError,
  WatchHistoryLostError,
  type ApiErrorAnswer,
  type Attempt,
  type LostRevisions,
} from '../lib/errors.js';

const at = new Date('2024-05-06T07:08:09.123Z');
const attempts: Attempt[] = [
  { endpoint: 'http://a:2379', error: 'ECONNREFUSED', at, durationMs: 1.4 },
  { endpoint: 'http://b:2379', error: '503 no leader', status: 503, body: '{}', at, durationMs: 20.6 },
];
const lines = [
  '  2024-05-06T07:08:09.123Z http://a:2379: ECONNREFUSED (1 ms)',
  '  2024-05-06T07:08:09.123Z http://b:2379: 503 no leader (21 ms)',
];

const answerOf = (errorCode: number, more: Partial<ApiErrorAnswer> = {}): ApiErrorAnswer => ({
  errorCode,
  message: 'Key not found',
  reason: '/a',
  index: 7,
  status: 404,
  ...more,
});

type Details = ConstructorParameters<typeof EtcdError>[2];
/** Each kind of error, its code, its guard, and its headline. */
const family: [string, (details?: Details) => EtcdError, string, string, string][] = [
  [
    'EtcdApiError',
    (d) => new EtcdApiError('get /a', answerOf(100), d),
    'API_ERROR',
    'isEtcdApiError',
    'get /a: Key not found (/a) [100]',
  ],
  [
    'AuthenticationError',
    (d) => new AuthenticationError('get /a', answerOf(110, { message: 'Denied', reason: '' }), d),
    'AUTHENTICATION',
    'isAuthenticationError',
    'get /a: Denied [110]',
  ],
  [
    'AllNodesDownError',
    (d) => new AllNodesDownError('set /a', 'unreachable', d),
    'ALL_NODES_DOWN',
    'isAllNodesDown',
    'set /a: no member can be reached',
  ],
  [
    'AllNodesDownError',
    (d) => new AllNodesDownError('set /a', 'no-quorum', d),
    'ALL_NODES_DOWN',
    'isAllNodesDown',
    'set /a: the cluster has no quorum',
  ],
  [
    'OutcomeUnknownError',
    (d) => new OutcomeUnknownError('set /a', 'ECONNRESET', d),
    'OUTCOME_UNKNOWN',
    'isOutcomeUnknown',
    'set /a: sent, but its outcome is unknown: ECONNRESET',
  ],
  [
    'RequestTimeoutError',
    (d) => new RequestTimeoutError('get /a', 500, d),
    'REQUEST_TIMEOUT',
    'isRequestTimeout',
    'get /a: no answer within 500 ms',
  ],
  [
    'TlsError',
    (d) => new TlsError('get /a', 'CERT_HAS_EXPIRED', d),
    'TLS',
    'isTlsError',
    'get /a: TLS failed: CERT_HAS_EXPIRED',
  ],
  [
    'InvalidOptionError',
    () => new InvalidOptionError('ttl', -1, 'a TTL'),
    'INVALID_OPTION',
    'isInvalidOption',
    'ttl: expected a TTL, got -1',
  ],
  [
    'UnsupportedByServerError',
    (d) => new UnsupportedByServerError('no v2 API', d),
    'UNSUPPORTED_BY_SERVER',
    'isUnsupportedByServer',
    'no v2 API',
  ],
  [
    'StaleReadError',
    (d) => new StaleReadError('get /a', 5, 9, d),
    'STALE_READ',
    'isStaleRead',
    'get /a: answered at index 5, but index 9 was seen before',
  ],
  [
    'WatchHistoryLostError',
    (d) => new WatchHistoryLostError('/a', { reason: 'cleared', from: 3, to: 8 }, d),
    'WATCH_HISTORY_LOST',
    'isWatchHistoryLost',
    'watch /a: the events from index 3 to 8 are gone from the server',
  ],
  [
    'WatchHistoryLostError',
    (d) => new WatchHistoryLostError<LostRevisions>('/a', { reason: 'compacted', from: 3, to: 8 }, d),
    'WATCH_HISTORY_LOST',
    'isWatchHistoryLost',
    'watch /a: what happened from 3 to 8 was compacted away',
  ],
  [
    'WatchHistoryLostError',
    (d) => new WatchHistoryLostError<LostRevisions>('/a', { reason: 'restored', from: 3 }, d),
    'WATCH_HISTORY_LOST',
    'isWatchHistoryLost',
    'watch /a: the cluster was put back to an older state; what it held from 3 on is gone',
  ],
  [
    'WatchHistoryLostError',
    (d) => new WatchHistoryLostError('/a', { reason: 'rebuilt', from: 3 }, d),
    'WATCH_HISTORY_LOST',
    'isWatchHistoryLost',
    'watch /a: the cluster was rebuilt; what it held from index 3 on is gone',
  ],
  [
    'WatchHistoryLostError',
    (d) => new WatchHistoryLostError('/a', { reason: 'another-cluster', from: 3 }, d),
    'WATCH_HISTORY_LOST',
    'isWatchHistoryLost',
    'watch /a: the cluster is another one; what the former held from index 3 on is gone',
  ],
  [
    'ClientClosedError',
    (d) => new ClientClosedError('get /a', d),
    'CLIENT_CLOSED',
    'isClientClosed',
    'get /a: the client is closed',
  ],
];
type Guard = (e: unknown) => boolean;
const guards = Object.entries(errors).filter(([name]) => name.startsWith('is')) as [string, Guard][];

describe.each(family)('%s', (name, make, code, guard, headline) => {
  test('is an EtcdError with a stable code and name', () => {
    const error = make();
    expect(error).toBeInstanceOf(EtcdError);
    expect(error).toBeInstanceOf(Error);
    expect([error.name, error.code]).toEqual([name, code]);
    expect(error.message).toBe(headline);
    expect(error.attempts).toEqual([]);
    expect('cause' in error).toBe(false);
  });

  test('only its own guards are true of it', () => {
    const error = make();
    const codes = error instanceof EtcdApiError;
    const expected = new Set([guard, ...(codes ? ['isEtcdApiError'] : [])]);
    if (codes && error.errorCode === EtcdErrorCode.KeyNotFound) expected.add('isKeyNotFound');
    if (codes && error.status === 404) expected.add('isNotFound');
    const positive = guards.filter(([, is]) => is(error)).map(([n]) => n);
    expect(new Set(positive)).toEqual(expected);
  });

  test('prints as one line', () => {
    const error = make({ attempts });
    expect(String(error)).toBe(`${name}: ${headline}`);
    expect(JSON.stringify({ error })).toBe(JSON.stringify({ error: `${name}: ${headline}` }));
  });

  test('util.inspect begins with its name and shows the stack', () => {
    const text = inspect(make());
    expect(text.split('\n')[0]).toBe(`${name}: ${headline}`);
    expect(text).toContain('errors.spec.ts');
  });
});

describe('attempts', () => {
  const withAttempts = family.filter(([, make]) => make({ attempts }).attempts.length > 0);
  test('every error but that of a bad option can list them', () => {
    expect(withAttempts).toHaveLength(family.length - 1);
  });

  test.each(withAttempts)('%s: a line for each in message and inspect, the last endpoint', (...row) => {
    const [, make, , , headline] = row;
    const error = make({ attempts });
    expect(error.message).toBe([headline, ...lines].join('\n'));
    for (const line of lines) expect(inspect(error)).toContain(line);
    expect(inspect({ nested: { error } })).toContain(lines[1]?.trim());
    expect(error.endpoint).toBe('http://b:2379');
    expect(error.attempts).toEqual(attempts);
  });

  test('an endpoint given by itself wins over the last attempt', () => {
    expect(new ClientClosedError('x', { endpoint: 'http://c', attempts }).endpoint).toBe('http://c');
    expect(new ClientClosedError().endpoint).toBeUndefined();
  });
});

describe('foreign text cannot break the lines of a log', () => {
  const nasty = 'a\nb\r\nFAKE 2024 all is well';
  const oneLine = /^[^\n\r]*$/;

  test('a key with line breaks', () => {
    const error = new EtcdApiError(`get /${nasty}`, answerOf(100, { reason: `/${nasty}` }));
    expect(String(error)).toMatch(oneLine);
  });

  test("line breaks in etcd's message", () => {
    const error = new AuthenticationError('get /a', answerOf(110, { message: nasty }));
    expect(String(error)).toMatch(oneLine);
  });

  test('an attempt whose error has line breaks stays one line of the message', () => {
    const error = new AllNodesDownError('get /a', 'unreachable', {
      attempts: [{ endpoint: 'http://a', error: nasty, at, durationMs: 1 }],
    });
    expect(error.message.split(/\r\n|\n|\r/)).toHaveLength(2);
  });
});

describe('guards of etcd error codes', () => {
  test.each([
    ['isKeyNotFound', 100],
    ['isCompareFailed', 101],
    ['isNotFile', 102],
    ['isNotDirectory', 104],
    ['isKeyExists', 105],
    ['isDirectoryNotEmpty', 108],
  ] as const)('%s is true of %i alone', (name, errorCode) => {
    const is = errors[name];
    expect(is(new EtcdApiError('x', answerOf(errorCode)))).toBe(true);
    for (const other of Object.values(EtcdErrorCode).filter((c) => c !== errorCode))
      expect(is(new EtcdApiError('x', answerOf(other)))).toBe(false);
  });

  test.each<['isNotFound' | 'isConflict' | 'isGone', number]>([
    ['isNotFound', 404],
    ['isConflict', 409],
    ['isGone', 410],
  ])('%s is true of the status %i, where etcd gives no code', (name, status) => {
    const is = errors[name];
    expect(is(new EtcdApiError('x', answerOf(0, { status })))).toBe(true);
    for (const other of [400, 401, 403, 404, 409, 410, 412, 500].filter((s) => s !== status))
      expect(is(new EtcdApiError('x', answerOf(0, { status: other })))).toBe(false);
    // A status alone is no error of etcd.
    expect(is(new EtcdError('UNEXPECTED_RESPONSE', 'x'))).toBe(false);
    expect(is(Object.assign(new Error('x'), { status }))).toBe(false);
  });

  test('a key that is not there is not found, whatever the status', () => {
    expect(errors.isNotFound(new EtcdApiError('x', answerOf(100, { status: 400 })))).toBe(true);
  });

  test('the map of codes is the one of etcd', () => {
    expect(EtcdErrorCode).toMatchObject({
      KeyNotFound: 100,
      CompareFailed: 101,
      NotFile: 102,
      NotDirectory: 104,
      KeyExists: 105,
      RootReadOnly: 107,
      DirectoryNotEmpty: 108,
      PrevValueRequired: 201,
      TtlNotANumber: 202,
      IndexNotANumber: 203,
      InvalidField: 209,
      InvalidForm: 210,
      RaftInternal: 300,
      LeaderElect: 301,
      WatcherCleared: 400,
      EventIndexCleared: 401,
    });
  });

  test('nothing else passes any guard', () => {
    const others = [undefined, null, 'x', 7, {}, { code: 'ECONNRESET' }, new Error('x'), new TypeError()];
    for (const [name, is] of guards)
      for (const other of others) expect([name, other, is(other)]).toEqual([name, other, false]);
  });

  test('an error of another copy of the library, or of another realm, passes', () => {
    const foreign = { code: 'ALL_NODES_DOWN' };
    expect(errors.isAllNodesDown(foreign)).toBe(true);
    const foreignApi = { code: 'API_ERROR', errorCode: 105 };
    expect([errors.isKeyExists(foreignApi), errors.isEtcdApiError(foreignApi)]).toEqual([true, true]);
  });
});

describe('what an error tells besides', () => {
  test('EtcdApiError', () => {
    const error = new EtcdApiError('get /a', answerOf(100));
    expect(error).toMatchObject({ errorCode: 100, reason: '/a', index: 7, status: 404 });
  });
  test('AuthenticationError is an EtcdApiError', () => {
    expect(new AuthenticationError('x', answerOf(110))).toBeInstanceOf(EtcdApiError);
  });
  test('the others', () => {
    expect(new AllNodesDownError('x', 'no-quorum').reason).toBe('no-quorum');
    expect(new RequestTimeoutError('x', 5).timeoutMs).toBe(5);
    expect(new StaleReadError('x', 5, 9)).toMatchObject({ index: 5, seen: 9 });
    expect(new WatchHistoryLostError('/a', { reason: 'cleared', from: 1, to: 2 })).toMatchObject({
      key: '/a',
      lost: { reason: 'cleared', from: 1, to: 2 },
    });
  });
});

describe('InvalidOptionError', () => {
  test.each<[unknown, string]>([
    ['text', '"text"'],
    ['a "quote"\n', '"a \\"quote\\"\\n"'],
    ['x'.repeat(100), `"${'x'.repeat(80)}..."`],
    [1.5, '1.5'],
    [NaN, 'NaN'],
    [10n, '10'],
    [undefined, 'undefined'],
    [null, 'null'],
    [true, 'true'],
    [Symbol('s'), 'Symbol(s)'],
    [() => 1, 'a function'],
    [[1, 2], 'an array of 2'],
    [{ a: 1 }, 'an object'],
    [new Proxy({}, {}), 'an object'],
  ])('shows %p as %s', (value, shown) => {
    const error = new InvalidOptionError('x', value, 'more');
    expect(error.message).toBe(`x: expected more, got ${shown}`);
    expect(error.value).toBe(value);
  });

  test('shows text that is no Unicode so that it can be printed and sent', () => {
    const long = `${'x'.repeat(79)}\u{1F600}`;
    for (const value of ['/a\uD800', '\uDC00b', long, `${long}y`]) {
      const { message } = new InvalidOptionError('key', value, 'a key');
      expect(() => encodeURIComponent(message)).not.toThrow();
    }
    expect(new InvalidOptionError('key', '/\uD800', 'a key').message).toContain('"/\\ud800"');
  });

  test('a secret is in none of its parts', () => {
    const error = new InvalidOptionError('x', 'hush-hush', 'more', { secret: true });
    expect(
      [error.message, inspect(error), JSON.stringify(error), inspect(Object.entries(error))].join(),
    ).not.toContain('hush');
    expect(error.value).toBeUndefined();
  });
});
