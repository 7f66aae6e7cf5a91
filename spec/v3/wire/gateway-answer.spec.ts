import * as fc from 'fast-check';
import { EtcdError, isUnsupportedByServer } from '../../../lib/errors.js';
import { Fault } from '../../../lib/cluster/fault.js';
import { Secrets } from '../../../lib/transport/secrets.js';
import { decodeAnswer } from '../../../lib/v3/wire/gateway-answer.js';
import { methodOf } from '../../../lib/v3/wire/methods.js';
import { forAll } from '../../support/values/for-all.js';
import { errorBodies, errorFrom, faultFrom, header } from './answers.js';

const range = methodOf('KV', 'Range');

describe('a success', () => {
  test('is read by its table; what is left out is there', () => {
    const body = JSON.stringify({ header, kvs: [{ key: 'YQ==', mod_revision: '7' }], count: '1' });
    expect(decodeAnswer({ operation: 'get a', status: 200, body }, range)).toMatchObject({
      header: { cluster_id: 'cdf818194e3a8c32', member_id: 'a', revision: 7, raft_term: 2 },
      kvs: [{ key: Uint8Array.of(97), mod_revision: 7, version: 0, lease: undefined }],
      count: 1,
      more: false,
    });
  });

  test('without a header is what any page may say, and no empty range', () => {
    for (const body of ['{}', '{"kvs":[]}', '{"header":{}}', '{"header":{"cluster_id":"5"}}'])
      expect([faultFrom(200, body).message, faultFrom(200, body).config.executed]).toEqual([
        '200, no answer of etcd (RangeResponse.header names no member)',
        'unknown',
      ]);
  });

  test.each([
    ['Alarm', 'alarms'],
    ['Defragment', 'header'],
    ['MoveLeader', 'header'],
  ] as const)('of %s may have none: old members leave it out', (name, field) => {
    const answer = decodeAnswer({ operation: 'x', status: 200, body: '{}' }, methodOf('Maintenance', name));
    expect(answer).toHaveProperty(field);
  });

  test.each<[string, unknown, string]>([
    ['a list', [], 'JSON of another kind'],
    ['half of one', '{"header":', 'incomplete JSON'],
    ['a page', '<html>sign in</html>', 'HTML'],
    ['text', 'OK', 'text'],
    [
      'a revision that no number holds',
      { header: { ...header, revision: '9007199254740993' } },
      'RangeResponse.header.revision is above 2^53, which no number here can hold',
    ],
    ['keys that are no base64', { header, kvs: [{ key: '*' }] }, 'RangeResponse.kvs[0].key is not base64'],
    ['keys of another API', { header, kvs: { a: 1 } }, 'RangeResponse.kvs is an object'],
  ])('of a wrong shape is none: %s', (_, body, kind) => {
    expect(faultFrom(200, body, { endpoint: 'http://a' }).message).toBe(
      `200, no answer of etcd (${kind} from http://a)`,
    );
    expect(errorFrom(200, body)).toMatchObject({ code: 'UNEXPECTED_RESPONSE' });
  });

  test('nothing at all', () => {
    expect(faultFrom(200, '').message).toBe('200 with a body that is empty');
  });
});

describe('an error of etcd', () => {
  test.each(Object.entries(errorBodies))('of %s', (_, bodyOf) => {
    const body = bodyOf(3, 'etcdserver: key is not provided');
    const error = errorFrom(400, body);
    expect(error).toMatchObject({ code: 'API_ERROR', errorCode: 3, status: 400, reason: '', index: 0 });
    expect(error.message.split('\n')[0]).toBe('get a: etcdserver: key is not provided [3]');
    expect(faultFrom(400, body).config).toMatchObject({ executed: undefined, errorCode: 3 });
  });

  test('white space between its parts is nothing', () => {
    const body = '{"code":3, "message":"etcdserver: key is not provided", "details":[]}\n';
    expect(errorFrom(400, body)).toMatchObject({ code: 'API_ERROR', errorCode: 3 });
  });

  test('shows no credentials', () => {
    const secrets = new Secrets({ username: 'root', password: 'hunter22' });
    const own = { authorization: 'QhcCzfumaLrVJVzm.12', secret: 'correct horse' };
    const message = 'no hunter22, no QhcCzfumaLrVJVzm.12, no correct horse';
    const fault = faultFrom(400, { code: 3, message }, { secrets, own });
    const error = errorFrom(400, { code: 3, message }, { secrets, own });
    for (const text of [fault.message, fault.config.body, error.message])
      expect(text).toContain('no ***, no ***, no ***');
    expect(faultFrom(400, { code: 3, message }, { own: { keepsNoBody: true } }).config.body).toBeUndefined();
  });
});

describe('what is not there', () => {
  const gone: [string, number, unknown][] = [
    ['no gateway', 404, '404 page not found\n'],
    ['no such path, before gateway v2', 404, 'Not Found\n'],
    ['no such path', 404, { code: 5, message: 'Not Found', details: [] }],
  ];

  test.each(gone)('%s', (_, status, body) => {
    const { message, config } = faultFrom(status, body);
    expect([message, config.executed, config.isStrange]).toEqual([
      '404, and not from the v3 API',
      undefined,
      true,
    ]);
    expect(isUnsupportedByServer(errorFrom(status, body))).toBe(true);
  });

  test.each<[string | undefined, string]>([
    [undefined, 'the server has no such call, or its gateway is off (--enable-grpc-gateway=false)'],
    [
      '3.4.23',
      'this server (etcd 3.4.23) has no such call, or its gateway is off (--enable-grpc-gateway=false)',
    ],
    ['3.3.25', 'etcd 3.3.25 is older than 3.4.0, the first release that is spoken here'],
  ])('told by etcd %s', (version, words) => {
    expect(errorFrom(404, '404 page not found\n', { version }).message.split('\n')[0]).toBe(
      `get a: ${words}`,
    );
  });

  test('a member or a lease that is not there is another thing', () => {
    expect(errorFrom(404, { code: 5, message: 'etcdserver: member not found' })).toMatchObject({
      code: 'API_ERROR',
      status: 404,
    });
  });

  test('a call that the server behind the gateway lacks', () => {
    const body = { code: 12, message: 'unknown method Hash for service etcdserverpb.Maintenance' };
    expect(faultFrom(501, body).config.executed).toBeUndefined();
    expect(isUnsupportedByServer(errorFrom(501, body))).toBe(true);
  });

  test('a client certificate with a name is told apart', () => {
    const body =
      'CommonName of client sending a request against gateway will be ignored and not used as expected\n';
    expect(faultFrom(400, body).config.executed).toBeUndefined();
    const error = errorFrom(400, body);
    expect(isUnsupportedByServer(error)).toBe(true);
    expect(error.message).toContain('(use one without, and the option auth)');
  });
});

describe('what is not the word of etcd', () => {
  test.each<[string, number, unknown, string, string | undefined, boolean]>([
    ['a page of a gateway', 502, '<html>', '502, no answer of etcd (HTML)', 'unknown', true],
    ['an empty one', 503, '', '503', 'unknown', true],
    [
      'JSON with the status as its code',
      503,
      { code: 503, message: 'no upstream' },
      '503, no answer of etcd (JSON of another kind)',
      'unknown',
      true,
    ],
    [
      'JSON with a text for a code',
      403,
      { code: 'DENIED', message: 'no' },
      '403, no answer of etcd (JSON of another kind)',
      undefined,
      false,
    ],
    [
      'JSON with a message alone',
      401,
      { message: 'Unauthorized' },
      '401, no answer of etcd (JSON of another kind)',
      undefined,
      false,
    ],
    [
      'a code of gRPC without a message',
      400,
      { code: 3 },
      '400, no answer of etcd (JSON of another kind)',
      undefined,
      false,
    ],
    ['a redirect', 302, '', '302', 'unknown', false],
    ['too many requests', 429, 'slow down', '429, no answer of etcd (text)', 'refused', false],
    ['misdirected', 421, 'misdirected', '421, no answer of etcd (text)', 'refused', false],
    [
      'an error with a status that is none',
      200,
      { code: 5, message: 'x' },
      '200, no answer of etcd (RangeResponse.header names no member)',
      'unknown',
      false,
    ],
  ])('%s', (_, status, body, summary, executed, isStrange) => {
    const { config, message } = faultFrom(status, body);
    expect([message, config.executed, config.isStrange]).toEqual([summary, executed, isStrange]);
    expect(errorFrom(status, body)).toMatchObject({ code: 'UNEXPECTED_RESPONSE' });
  });

  test('whatever comes, it is a message, or a Fault that makes an error of the family', async () => {
    const status = fc.constantFrom(200, 302, 400, 401, 404, 429, 500, 503);
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((inner) => `{"header":${inner}}`),
    );
    await forAll(300, fc.tuple(status, body), async ([code, text]) => {
      try {
        decodeAnswer({ operation: 'x', status: code, body: text }, range);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        expect(error.config.toError({ endpoint: '', attempts: [] })).toBeInstanceOf(EtcdError);
      }
    });
  });
});
