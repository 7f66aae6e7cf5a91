import { AuthenticationError, UnsupportedByServerError } from '../../../lib/errors.js';
import { decodeKeys, decodeObject, type Answer } from '../../../lib/v2/wire/decode.js';
import { record } from '../../../lib/v2/wire/shape.js';
import { api, details, faultFrom } from './decode-fault.js';

describe('a success', () => {
  test.each([200, 201])('%i with an action', (status) => {
    const body = { action: 'set', node: { key: '/a', value: '1' }, prevNode: { key: '/a', value: '0' } };
    expect(decodeKeys({ operation: 'set /a', status, body: JSON.stringify(body) })).toEqual(body);
  });

  test('is told by its content: neither content type nor line ends matter', () => {
    expect(decodeKeys({ operation: 'set /a', status: 200, body: '\n {"action":"set"}\r\n' })).toEqual({
      action: 'set',
    });
  });
});

describe('what is known of the exchange', () => {
  const errorFrom = (status: number, body: string, exchange: Partial<Answer>) =>
    faultFrom(status, body, exchange).config.toError(details);

  test('a redirect tells where to, and that nothing was executed', () => {
    const { config, message } = faultFrom(307, '', { redirect: 'http://b:2379' });
    expect(message).toBe('redirected to http://b:2379');
    expect(config).toMatchObject({ executed: 'no', redirect: { to: 'http://b:2379' }, leaderless: true });
  });

  test.each<[string, string, Partial<Answer>, string]>([
    ['none', api(110, 'x', ''), { anonymous: true }, '(no credentials were given: option auth)'],
    [
      'some',
      api(110, 'x', ''),
      { anonymous: false },
      '(the user name or password is wrong, or the user lacks the right)',
    ],
    [
      'none, a message alone',
      '{"message":"Insufficient credentials"}',
      { anonymous: true },
      '(no credentials were given: option auth)',
    ],
    [
      'some, a message alone',
      '{"message":"Insufficient credentials"}',
      {},
      '(the user name or password is wrong, or the user lacks the right)',
    ],
  ])('credentials: %s', (_, body, exchange, hint) => {
    const error = errorFrom(401, body, exchange);
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error.message.split('\n')[0]?.endsWith(hint)).toBe(true);
  });

  test.each<[string | undefined, string]>([
    [
      undefined,
      "the server has no v2 API (import from 'rxetcd/v3', or start etcd 3.4 or 3.5 with --enable-v2=true)",
    ],
    [
      '3.5.16',
      "this server (etcd 3.5.16) has no v2 API (import from 'rxetcd/v3', or start etcd 3.4 or 3.5 with --enable-v2=true)",
    ],
    ['2.3.8', 'etcd 2.3.8 has no such call'],
    ['0.4.9', 'etcd 0.4.9 has no such call'],
    [
      '20.1.0',
      "this server (etcd 20.1.0) has no v2 API (import from 'rxetcd/v3', or start etcd 3.4 or 3.5 with --enable-v2=true)",
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
    const body = '{"action":"set","key":"/a","value":"1","modifiedIndex":3}';
    expect(decodeKeys({ operation: 'set /a', status: 200, body, version: '0.2.0-rc1' })).toEqual({
      action: 'set',
      node: { key: '/a', value: '1', modifiedIndex: 3 },
    });
    for (const version of ['2.3.8', '3.4.23'])
      expect(decodeKeys({ operation: 'set /a', status: 200, body, version })).toEqual(JSON.parse(body));
  });

  test('a first read does not wait to learn the release: it may be an old one', () => {
    const flat = '{"action":"get","key":"/a","value":"1","modifiedIndex":3}';
    const node = { key: '/a', value: '1', modifiedIndex: 3 };
    expect(decodeKeys({ operation: 'get /a', status: 200, body: flat })).toEqual({ action: 'get', node });
    const modern = { action: 'get', node: { ...node, createdIndex: 3 } };
    expect(decodeKeys({ operation: 'get /a', status: 200, body: JSON.stringify(modern) })).toEqual(modern);
    const write = '{"action":"set"}';
    expect(decodeKeys({ operation: 'set /a', status: 200, body: write })).toEqual({ action: 'set' });
  });
});

describe('an answer that must be an object', () => {
  test.each([200, 201])('%i with one', (status) => {
    expect(decodeObject({ operation: 'members.list', status, body: '{"members":[]}' }, record({}))).toEqual({
      members: [],
    });
  });

  test.each<[string, number, string, string]>([
    ['a list', 200, '[]', '200, no answer of etcd (JSON of another kind)'],
    ['nothing', 200, '', '200 with a body that is empty'],
    ['half of one', 200, '{"members":[', '200, no answer of etcd (incomplete JSON)'],
    ['an error', 503, '{"message":"During election"}', '503 During election'],
  ])('%s is a Fault', (_, status, body, summary) => {
    const decode = (answer: Answer) => decodeObject(answer, record({}));
    expect(faultFrom(status, body, {}, decode).message).toBe(summary);
  });
});
