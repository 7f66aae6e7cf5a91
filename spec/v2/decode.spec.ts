import { Fault } from '../../lib/cluster/fault.js';
import {
  AuthenticationError,
  EtcdApiError,
  EtcdError,
  UnsupportedByServerError,
  type Attempt,
} from '../../lib/errors.js';
import { decodeKeys, decodeObject, faultOf, type Exchange } from '../../lib/v2/decode.js';

/** The Fault that decoding throws; fails if it throws none. */
function faultFrom(status: number, body: string, exchange?: Exchange, decode = decodeKeys): Fault {
  try {
    decode('get /a', status, body, exchange);
  } catch (error) {
    expect(error).toBeInstanceOf(Fault);
    return error as Fault;
  }
  throw new Error('nothing was thrown');
}

const attempts: Attempt[] = [{ endpoint: 'http://a', error: 'x', at: new Date(0), durationMs: 1 }];
const details = { endpoint: 'http://a', attempts };
const api = (errorCode: number, message = 'Key not found', cause = '/a', index = 7) =>
  JSON.stringify({ errorCode, message, cause, index });

describe('a success', () => {
  test.each([200, 201])('%i with an action', (status) => {
    const body = { action: 'set', node: { key: '/a', value: '1' }, prevNode: { key: '/a', value: '0' } };
    expect(decodeKeys('set /a', status, JSON.stringify(body))).toEqual(body);
  });

  test('is told by its content: neither content type nor line ends matter', () => {
    expect(decodeKeys('set /a', 200, '\n {"action":"set"}\r\n')).toEqual({ action: 'set' });
  });
});

describe('what an answer means', () => {
  const containing = (text: string): unknown => expect.stringContaining(text);
  type Row = [
    name: string,
    status: number,
    body: string,
    executed: 'no' | 'unknown' | undefined,
    leaderless: boolean,
    summary: string,
    type: typeof EtcdError | typeof EtcdApiError | typeof UnsupportedByServerError,
    more: object,
  ];
  const unexpected = { code: 'UNEXPECTED_RESPONSE' };
  test.each<Row>([
    // etcd's own errors.
    [
      'not found',
      404,
      api(100),
      undefined,
      false,
      '404 Key not found (/a)',
      EtcdApiError,
      { errorCode: 100, reason: '/a', index: 7, status: 404 },
    ],
    [
      'compare failed',
      412,
      api(101, 'Compare failed', '[1 != 2]'),
      undefined,
      false,
      '412 Compare failed ([1 != 2])',
      EtcdApiError,
      { errorCode: 101, reason: '[1 != 2]' },
    ],
    [
      'an error under 200',
      200,
      api(
        401,
        'The event in requested index is outdated and cleared',
        'the requested history has been cleared [1008/8]',
        2007,
      ),
      undefined,
      false,
      '200 The event in requested index is outdated and cleared (the requested history has been cleared [1008/8])',
      EtcdApiError,
      { errorCode: 401, index: 2007 },
    ],
    [
      'without index and cause',
      400,
      '{"errorCode":209,"message":"Invalid field"}',
      undefined,
      false,
      '400 Invalid field',
      EtcdApiError,
      { reason: '', index: 0 },
    ],
    [
      'with nonsense in its fields',
      400,
      '{"errorCode":209,"message":7,"cause":{},"index":"x"}',
      undefined,
      false,
      '400 ',
      EtcdApiError,
      { reason: '', index: 0 },
    ],
    [
      'no right',
      401,
      api(110, 'The request requires user authentication', 'Insufficient credentials', 0),
      undefined,
      false,
      '401 The request requires user authentication (Insufficient credentials)',
      AuthenticationError,
      { errorCode: 110, status: 401 },
    ],
    // The outcome of these is open.
    [
      'raft internal error',
      500,
      api(300, 'Raft Internal Error', 'etcdserver: request timed out', 0),
      'unknown',
      true,
      '500 Raft Internal Error (etcdserver: request timed out)',
      EtcdApiError,
      { errorCode: 300 },
    ],
    [
      'during leader election',
      500,
      api(301, 'During Leader Election', '', 0),
      'unknown',
      true,
      '500 During Leader Election',
      EtcdApiError,
      { errorCode: 301 },
    ],
    [
      'any error code above 500',
      503,
      api(300, 'x', ''),
      'unknown',
      true,
      '503 x',
      EtcdApiError,
      { status: 503 },
    ],
    ['empty 200', 200, '', 'unknown', false, '200 with a body that is empty', EtcdError, unexpected],
    [
      'truncated JSON',
      200,
      '{"action":"set","node":{"key":"/a","val',
      'unknown',
      false,
      '200 with a body that is no answer of etcd',
      EtcdError,
      unexpected,
    ],
    [
      'JSON without an action',
      200,
      '{"health":"true"}',
      'unknown',
      false,
      '200 with a body that is no answer of etcd',
      EtcdError,
      unexpected,
    ],
    [
      'JSON that is no object',
      200,
      '[{"action":"get"}]',
      'unknown',
      false,
      '200 with a body that is no answer of etcd',
      EtcdError,
      unexpected,
    ],
    [
      'null',
      200,
      'null',
      'unknown',
      false,
      '200 with a body that is no answer of etcd',
      EtcdError,
      unexpected,
    ],
    [
      'an action that is no text',
      200,
      '{"action":7}',
      'unknown',
      false,
      '200 with a body that is no answer of etcd',
      EtcdError,
      unexpected,
    ],
    [
      'a login page',
      200,
      '<html>Please log in</html>',
      'unknown',
      false,
      '200 with a body that is no answer of etcd',
      EtcdError,
      unexpected,
    ],
    [
      'HTML 502 of a proxy',
      502,
      '<html>502 Bad Gateway</html>',
      'unknown',
      false,
      '502',
      EtcdError,
      unexpected,
    ],
    ['HTML 504 of a proxy', 504, '<html>504</html>', 'unknown', false, '504', EtcdError, unexpected],
    [
      '500 with a message',
      500,
      '{"message":"Internal Server Error"}',
      'unknown',
      false,
      '500 Internal Server Error',
      EtcdApiError,
      { code: 'API_ERROR', errorCode: 0, reason: '', index: 0, status: 500 },
    ],
    [
      '503 with a message',
      503,
      '{"message":"no leader"}',
      'unknown',
      true,
      '503 no leader',
      EtcdApiError,
      { errorCode: 0, status: 503, message: containing('get /a: no leader [HTTP 503]') },
    ],
    ['an action under 500', 500, '{"action":"get"}', 'unknown', false, '500', EtcdError, unexpected],
    ['a redirect of a proxy', 302, '', 'unknown', false, '302', EtcdError, unexpected],
    // A follower that sends us to the leader has done nothing.
    [
      '307',
      307,
      '<a href="http://b">Temporary Redirect</a>',
      'no',
      true,
      'redirected to nowhere',
      EtcdError,
      unexpected,
    ],
    // Final, without an error code.
    [
      'text 404',
      404,
      '404 page not found\n',
      undefined,
      false,
      '404, and not from the v2 API',
      UnsupportedByServerError,
      { message: containing('--enable-v2=true') },
    ],
    ['empty 404', 404, '', undefined, false, '404', EtcdError, { code: 'UNEXPECTED_RESPONSE' }],
    [
      '401 with a message',
      401,
      '{"message":"Insufficient credentials"}',
      undefined,
      false,
      '401 Insufficient credentials',
      AuthenticationError,
      { errorCode: 110, message: containing('Insufficient credentials') },
    ],
    ['empty 401', 401, '', undefined, false, '401 Unauthorized', AuthenticationError, { errorCode: 110 }],
    ['HTML 401', 401, '<html>401</html>', undefined, false, '401 Unauthorized', AuthenticationError, {}],
    [
      '400 of an HTTPS port',
      400,
      'Client sent an HTTP request to an HTTPS server.\n',
      undefined,
      false,
      '400',
      EtcdError,
      unexpected,
    ],
    [
      '403 with a message',
      403,
      '{"message":"Forbidden"}',
      undefined,
      false,
      '403 Forbidden',
      EtcdApiError,
      { code: 'API_ERROR', errorCode: 0, status: 403 },
    ],
    // As of members and authentication.
    [
      '404',
      404,
      '{"message":"No such member: 1f"}',
      undefined,
      false,
      '404 No such member: 1f',
      EtcdApiError,
      { errorCode: 0, status: 404, message: containing('get /a: No such member: 1f [HTTP 404]') },
    ],
    [
      '409',
      409,
      '{"message":"auth: already enabled"}',
      undefined,
      false,
      '409 auth: already enabled',
      EtcdApiError,
      { errorCode: 0, status: 409 },
    ],
    [
      '410',
      410,
      '{"message":"Member permanently removed: 1f"}',
      undefined,
      false,
      '410 Member permanently removed: 1f',
      EtcdApiError,
      { status: 410 },
    ],
    [
      'a message under 200',
      200,
      '{"message":"hello"}',
      'unknown',
      false,
      '200 with a body that is no answer of etcd',
      EtcdError,
      unexpected,
    ],
    ['a message that is no text', 404, '{"message":7}', undefined, false, '404', EtcdError, unexpected],
    ['405', 405, 'Method Not Allowed', undefined, false, '405', EtcdError, unexpected],
    ['413 of a proxy', 413, '<html>', undefined, false, '413', EtcdError, unexpected],
  ])('%s', (...[, status, body, executed, leaderless, summary, type, more]) => {
    const { config, message } = faultFrom(status, body);
    expect(message).toBe(summary);
    expect([config.executed, config.leaderless ?? false]).toEqual([executed, leaderless]);
    expect([config.status, config.body]).toEqual([status, body]);
    const error = config.toError(details);
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject({ ...more, attempts, endpoint: 'http://a' });
    expect(error.message).toContain('get /a');
  });

  test('the body that was parsed already is not parsed again', () => {
    expect(faultOf('op', 404, 'not JSON', {}, { errorCode: 100, message: 'm' }).config.errorCode).toBe(100);
  });
});

describe('what is known of the exchange', () => {
  const errorFrom = (status: number, body: string, exchange: Exchange) =>
    faultFrom(status, body, exchange).config.toError(details);

  test('a redirect tells where to, and that nothing was executed', () => {
    const { config, message } = faultFrom(307, '', { redirect: 'http://b:2379' });
    expect(message).toBe('redirected to http://b:2379');
    expect(config).toMatchObject({ executed: 'no', redirect: 'http://b:2379', leaderless: true });
  });

  test.each<[string, string, Exchange, string]>([
    ['none', api(110, 'x', ''), { anonymous: true }, '(no credentials were given: option auth)'],
    [
      'some',
      api(110, 'x', ''),
      { anonymous: false },
      '(the user name or password is wrong, or the user lacks the right)',
    ],
    [
      'none, a message alone',
      '{"message":"x"}',
      { anonymous: true },
      '(no credentials were given: option auth)',
    ],
    [
      'some, a message alone',
      '{"message":"x"}',
      {},
      '(the user name or password is wrong, or the user lacks the right)',
    ],
  ])('credentials: %s', (_, body, exchange, hint) => {
    const error = errorFrom(401, body, exchange);
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error.message.split('\n')[0]?.endsWith(hint)).toBe(true);
  });

  test.each<[string | undefined, string]>([
    [undefined, 'the server has no v2 API (etcd 3.4 and 3.5 need --enable-v2=true; 3.6 has none)'],
    [
      '3.5.16',
      'this server (etcd 3.5.16) has no v2 API (etcd 3.4 and 3.5 need --enable-v2=true; 3.6 has none)',
    ],
    ['2.3.8', 'etcd 2.3.8 has no such call'],
    ['0.4.9', 'etcd 0.4.9 has no such call'],
    [
      '20.1.0',
      'this server (etcd 20.1.0) has no v2 API (etcd 3.4 and 3.5 need --enable-v2=true; 3.6 has none)',
    ],
  ])('a path that is not there, of etcd %s', (version, words) => {
    const error = errorFrom(404, '404 page not found\n', { version });
    expect(error).toBeInstanceOf(UnsupportedByServerError);
    expect(error.message.split('\n')[0]).toBe(`get /a: ${words}`);
  });

  test.each<[string | undefined, string]>([
    ['3.5.16', '3.5.16'],
    [undefined, '3.5'],
  ])('a directory that etcd %s cannot update: final, and no raft error', (version, shown) => {
    const body = api(300, 'Raft Internal Error', 'nodePath /1/d: Not a file (/1/d) [4]', 0);
    const fault = faultFrom(500, body, { version });
    expect([fault.config.executed, fault.config.leaderless]).toEqual([undefined, undefined]);
    const error = fault.config.toError(details);
    expect(error).toBeInstanceOf(UnsupportedByServerError);
    expect(error.message).toContain(`get /a: etcd ${shown} cannot update a directory, nor its TTL`);
  });

  test('another error under that code is one of raft', () => {
    const { config } = faultFrom(500, api(300, 'Raft Internal Error', 'etcdserver: request timed out'), {});
    expect(config).toMatchObject({ executed: 'unknown', leaderless: true });
  });

  test('an answer before etcd 2.0 is put into the form of today; a later one is taken as it is', () => {
    const body = '{"action":"get","key":"/a","value":"1","modifiedIndex":3}';
    expect(decodeKeys('get /a', 200, body, { version: '0.2.0-rc1' })).toEqual({
      action: 'get',
      node: { key: '/a', value: '1', modifiedIndex: 3 },
    });
    for (const version of ['2.3.8', '3.4.23'])
      expect(decodeKeys('get /a', 200, body, { version })).toEqual(JSON.parse(body));
  });

  test('a first read does not wait to learn the release: it may be an old one', () => {
    const flat = '{"action":"get","key":"/a","value":"1","modifiedIndex":3}';
    const node = { key: '/a', value: '1', modifiedIndex: 3 };
    expect(decodeKeys('get /a', 200, flat, {})).toEqual({ action: 'get', node });
    const modern = { action: 'get', node: { ...node, createdIndex: 3 } };
    expect(decodeKeys('get /a', 200, JSON.stringify(modern), {})).toEqual(modern);
    const write = '{"action":"set"}';
    expect(decodeKeys('set /a', 200, write, {})).toEqual({ action: 'set' });
  });
});

describe('an answer that must be an object', () => {
  test.each([200, 201])('%i with one', (status) => {
    expect(decodeObject('members.list', status, '{"members":[]}')).toEqual({ members: [] });
  });

  test.each<[string, number, string, string]>([
    ['a list', 200, '[]', '200 with a body that is no answer of etcd'],
    ['nothing', 200, '', '200 with a body that is empty'],
    ['half of one', 200, '{"members":[', '200 with a body that is no answer of etcd'],
    ['an error', 503, '{"message":"During election"}', '503 During election'],
  ])('%s is a Fault', (_, status, body, summary) => {
    const decode = decodeObject as unknown as typeof decodeKeys;
    expect(faultFrom(status, body, {}, decode).message).toBe(summary);
  });
});
