import {
  AuthenticationError,
  EtcdApiError,
  EtcdError,
  UnsupportedByServerError,
} from '../../../lib/errors.js';
import { decodeObject, faultOf } from '../../../lib/v2/wire/decode.js';
import { record } from '../../../lib/v2/wire/shape.js';
import { api, containing, expectMeaning, unexpected, type Answer } from './decode-fault.js';

describe('what an answer means', () => {
  test.each<Answer>([
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
    // Not etcd's word, but that of a gateway.
    ['empty 401', 401, '', undefined, false, '401', EtcdError, unexpected],
    [
      'HTML 401',
      401,
      '<html>401</html>',
      undefined,
      false,
      '401, no answer of etcd (HTML)',
      EtcdError,
      unexpected,
    ],
    ...[401, 403, 404].map((status): Answer => [
      `${String(status)} with the message of another`,
      status,
      '{"message":"Unauthorized"}',
      undefined,
      false,
      `${String(status)}, no answer of etcd (JSON of another kind)`,
      EtcdError,
      unexpected,
    ]),
    [
      'a page that says page not found',
      404,
      '<html>404 page not found</html>',
      undefined,
      false,
      '404, no answer of etcd (HTML)',
      EtcdError,
      unexpected,
    ],
    [
      '400 of an HTTPS port',
      400,
      'Client sent an HTTP request to an HTTPS server.\n',
      undefined,
      false,
      '400, no answer of etcd (text)',
      EtcdError,
      unexpected,
    ],
    [
      'a message that is no text',
      404,
      '{"message":7}',
      undefined,
      false,
      '404, no answer of etcd (JSON of another kind)',
      EtcdError,
      unexpected,
    ],
    [
      '405',
      405,
      'Method Not Allowed',
      undefined,
      false,
      '405, no answer of etcd (text)',
      EtcdError,
      unexpected,
    ],
    [
      '407 of a proxy',
      407,
      '<html>',
      undefined,
      false,
      '407, no answer of etcd (HTML)',
      EtcdError,
      unexpected,
    ],
    [
      '413 of a proxy',
      413,
      '<html>',
      undefined,
      false,
      '413, no answer of etcd (HTML)',
      EtcdError,
      unexpected,
    ],
  ])('%s', (...answer) => {
    expectMeaning(answer);
  });

  test.each<Answer>([
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
  ])('beside the keys API: %s', (...answer) => {
    expectMeaning(answer, (given) => decodeObject(given, record({})));
  });

  test('the body that was parsed already is not parsed again', () => {
    const answer = { operation: 'op', status: 404, body: 'not JSON' };
    expect(faultOf(answer, { errorCode: 100, message: 'm' }).config.errorCode).toBe(100);
  });
});
