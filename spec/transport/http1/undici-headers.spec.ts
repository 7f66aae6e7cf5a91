import { UndiciHeaders } from '../../../lib/transport/http1/undici-headers.js';

const headers = (...list: string[]) => new UndiciHeaders(list.map((text) => Buffer.from(text, 'latin1')));

describe('UndiciHeaders', () => {
  const some = headers(
    'X-Etcd-Index',
    '42',
    'Content-Type',
    'text/plain',
    'set-cookie',
    'a',
    'Set-Cookie',
    'b',
  );

  test.each([
    ['by lower-case name', 'x-etcd-index', '42'],
    ['several as one list', 'set-cookie', 'a, b'],
    ['not one of the same length', 'x-etcd-other', undefined],
    ['not one that is missing', 'date', undefined],
  ])('%s', (_, name, value) => {
    expect(some.get(name)).toBe(value);
  });

  test('all as one object', () => {
    expect(some.toJSON()).toEqual({
      'x-etcd-index': '42',
      'content-type': 'text/plain',
      'set-cookie': 'a, b',
    });
  });

  test('bytes that are no ASCII stay as they are', () => {
    expect(headers('x-name', 'caf\u00e9').get('x-name')).toBe('caf\u00e9');
  });

  test('none', () => {
    expect([headers().get('date'), headers().toJSON()]).toEqual([undefined, {}]);
  });
});
