import { responseInfo } from '../../../lib/v2/wire/response-info.js';

const headersOf = (headers: Record<string, unknown>) => ({ get: (name: string) => headers[name] });

describe('responseInfo', () => {
  test('reads all that etcd says', () => {
    const headers = headersOf({
      'x-etcd-index': '42',
      'x-raft-index': '1042',
      'x-raft-term': '7',
      'x-etcd-cluster-id': 'cdf818194e3a8c32',
    });
    expect(responseInfo('http://a', 404, headers)).toEqual({
      etcdIndex: 42,
      raftIndex: 1042,
      raftTerm: 7,
      clusterId: 'cdf818194e3a8c32',
      endpoint: 'http://a',
      status: 404,
    });
  });

  test.each([
    ['nothing', {}],
    ['null, as some clients say', { 'x-etcd-index': null, 'x-etcd-cluster-id': null }],
    [
      'nonsense',
      { 'x-etcd-index': 'NaN', 'x-raft-index': '-1', 'x-raft-term': '1.5', 'x-etcd-cluster-id': 7 },
    ],
    ['emptiness', { 'x-etcd-index': '', 'x-raft-term': ' ', 'x-etcd-cluster-id': '' }],
    ['lists', { 'x-etcd-index': ['1', '2'], 'x-etcd-cluster-id': ['a'] }],
  ])('a server or browser that shows %s', (_, headers) => {
    expect(responseInfo('http://a', 200, headersOf(headers))).toEqual({ endpoint: 'http://a', status: 200 });
  });

  test('index 0 is an index', () => {
    expect(responseInfo('http://a', 200, headersOf({ 'x-etcd-index': '0' })).etcdIndex).toBe(0);
  });
});
