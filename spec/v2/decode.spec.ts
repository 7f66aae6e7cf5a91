import { Fault } from '../../lib/cluster/fault.js';
import {
  AuthenticationError,
  EtcdApiError,
  EtcdError,
  UnsupportedByServerError,
  type Attempt,
} from '../../lib/errors.js';
import { decodeKeys, faultOf, parseJson } from '../../lib/v2/decode.js';

/** The Fault that decoding throws; fails if it throws none. */
function faultFrom(status: number, body: string): Fault {
  try {
    decodeKeys('get /a', status, body);
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
    expect(decodeKeys('get /a', 200, '\n {"action":"get"}\r\n')).toEqual({ action: 'get' });
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
      '500',
      EtcdError,
      unexpected,
    ],
    ['503 with a message', 503, '{"message":"no leader"}', 'unknown', false, '503', EtcdError, unexpected],
    ['an action under 500', 500, '{"action":"get"}', 'unknown', false, '500', EtcdError, unexpected],
    ['a redirect of a proxy', 302, '', 'unknown', false, '302', EtcdError, unexpected],
    // A follower that sends us to the leader has done nothing.
    [
      '307',
      307,
      '<a href="http://b">Temporary Redirect</a>',
      'no',
      true,
      'redirected to the leader',
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
    ['403 with a message', 403, '{"message":"Forbidden"}', undefined, false, '403', EtcdError, unexpected],
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
    expect(faultOf('op', 404, 'not JSON', { errorCode: 100, message: 'm' }).config.errorCode).toBe(100);
  });
});

test.each([
  ['{"a":1}', { a: 1 }],
  ['7', 7],
  ['', undefined],
  ['{', undefined],
  ['undefined', undefined],
])('parseJson(%j)', (text, value) => {
  expect(parseJson(text)).toEqual(value);
});
