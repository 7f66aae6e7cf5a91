import { of, throwError, type Observable } from 'rxjs';
import type { ProbeAnswer } from '../../lib/cluster/probe.js';
import type { HttpRequest, HttpResponse } from '../../lib/transport/http.js';
import { Secrets } from '../../lib/transport/secrets.js';
import { TransportError } from '../../lib/transport/transport-error.js';
import type { Transport } from '../../lib/transport/transport.js';
import { v3Probe } from '../../lib/v3/probe.js';
import { header } from './wire/answers.js';

type Reply = [status: number, body: unknown] | Error;

const statusPath = '/v3/maintenance/status';
const listPath = '/v3/cluster/member/list';
const rangePath = '/v3/kv/range';
const txnPath = '/v3/kv/txn';
const good: Record<string, Reply> = {
  [statusPath]: [200, { header, version: '3.4.23', leader: '11', raftTerm: '2', dbSize: '20480' }],
  [listPath]: [
    200,
    {
      header,
      members: [
        { ID: '10', name: 'x', peerURLs: ['http://a:1'], clientURLs: ['http://a'] },
        { ID: '11', peerURLs: ['http://b:1'], isLearner: true },
      ],
    },
  ],
  '/version': [200, { etcdserver: '3.4.23', etcdcluster: '3.4.0' }],
  [txnPath]: [200, { header, succeeded: true }],
};

let requests: HttpRequest[];

function ask(replies: Record<string, Reply>, full = true): { answer?: ProbeAnswer; error?: unknown } {
  requests = [];
  const exchange$ = (request: HttpRequest): Observable<HttpResponse> => {
    requests.push(request);
    const reply = replies[request.path] ?? good[request.path]!;
    if (reply instanceof Error) return throwError(() => reply);
    const [status, body] = reply;
    return of({
      status,
      headers: { get: () => undefined, toJSON: () => ({}) },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  };
  const transport = { exchange$, secrets: new Secrets(undefined) } as unknown as Transport;
  const result: { answer?: ProbeAnswer; error?: unknown } = {};
  v3Probe(transport, { probeTimeout: 77 })('http://m', full).subscribe({
    next: (answer) => (result.answer = answer),
    error: (error: unknown) => (result.error = error),
  });
  return result;
}

const paths = (): string[] => requests.map(({ path }) => path);
/** What is told, without what is not. */
const told = (answer: ProbeAnswer | undefined): unknown => JSON.parse(JSON.stringify(answer));

test('in full: its status, and the members that it knows of', () => {
  expect(told(ask({}).answer)).toEqual({
    id: 'a',
    clusterId: 'cdf818194e3a8c32',
    leader: 'b',
    raftTerm: 2,
    isLearner: false,
    version: '3.4.23',
    members: [
      { id: 'a', name: 'x', clientURLs: ['http://a'], peerURLs: ['http://a:1'] },
      { id: 'b', name: '', clientURLs: [], peerURLs: ['http://b:1'], isLearner: true },
    ],
  });
  expect(paths()).toEqual([statusPath, listPath]);
});

test('else its status alone', () => {
  expect(ask({}, false).answer).toMatchObject({ id: 'a', leader: 'b', members: undefined });
  expect(paths()).toEqual([statusPath]);
});

test('goes without credentials, with the limits for probes, beside the commands', () => {
  ask({});
  for (const request of requests) {
    expect(request).toMatchObject({ endpoint: 'http://m', timeout: 77, operation: 'probe', pool: 'watch' });
    expect(request.maxBytes).toBe(256 * 1024);
    expect(request.authorization).toBeUndefined();
  }
});

test('a learner says so', () => {
  expect(ask({ [statusPath]: [200, { header, leader: '11', isLearner: true }] }).answer).toMatchObject({
    isLearner: true,
  });
});

test('a member without a leader says so', () => {
  expect(
    ask({ [statusPath]: [200, { header, version: '3.5.16', errors: ['etcdserver: no leader'] }] }).answer,
  ).toMatchObject({
    id: 'a',
    leader: null,
  });
  const refusal = { code: 14, message: 'etcdserver: no leader' };
  expect(told(ask({ [statusPath]: [503, refusal] }, false).answer)).toEqual({ leader: null });
});

describe('who refuses its status for want of a right is alive, and withholds who leads', () => {
  const empty: Reply = [400, { code: 3, message: 'etcdserver: user name is empty' }];
  const denied: Reply = [403, { code: 7, message: 'etcdserver: permission denied' }];
  const withheld = (range: Reply, refusal = empty): Record<string, Reply> => ({
    [statusPath]: refusal,
    [listPath]: refusal,
    [rangePath]: range,
  });
  const identity = { id: 'a', clusterId: 'cdf818194e3a8c32' };

  test.each([
    ['no name', empty],
    ['no right', denied],
  ])(
    '%s: its release and its id are open, and it has asked a majority before it refuses a read',
    (_, reply) => {
      const { answer } = ask(withheld(reply, reply));
      expect(told(answer)).toEqual({ ...identity, version: '3.4.23', hasQuorum: true });
      expect(paths()).toEqual([statusPath, listPath, rangePath, txnPath, '/version']);
      expect(told(ask(withheld(reply, reply), false).answer)).toEqual({ ...identity, hasQuorum: true });
      for (const { authorization } of requests) expect(authorization).toBeUndefined();
    },
  );

  test('or answers it, if authentication is off by then', () => {
    expect(ask(withheld([200, { header }])).answer).toMatchObject({ hasQuorum: true });
  });

  test.each<[string, Reply]>([
    ['is answered too late', new TransportError('timeout', 'no answer', true)],
    ['finds no leader', [503, { code: 14, message: 'etcdserver: no leader' }]],
    ['times out at the server', [503, { code: 14, message: 'etcdserver: request timed out' }]],
  ])('without a majority where that read %s', (_, reply) => {
    expect(told(ask(withheld(reply)).answer)).toMatchObject({ ...identity, hasQuorum: false });
  });

  test('a learner is told by that read', () => {
    const refusal: Reply = [503, { code: 14, message: 'etcdserver: rpc not supported for learner' }];
    const { answer } = ask({ ...withheld(refusal), [txnPath]: refusal });
    expect(told(answer)).toEqual({ isLearner: true, version: '3.4.23' });
  });

  test('what came between, or never left, tells nothing: the probe fails', () => {
    expect(ask(withheld([502, '<html>bad gateway</html>'])).error).toMatchObject({ name: 'Fault' });
    const unsent = new TransportError('timeout', 'no connection', false);
    expect(ask(withheld(unsent)).error).toBe(unsent);
  });
});

test('a member list that is refused says nothing against the member', () => {
  const reply: Reply = [503, { code: 14, message: 'etcdserver: rpc not supported for learner' }];
  expect(ask({ [listPath]: reply }).answer).toMatchObject({ id: 'a', leader: 'b', members: undefined });
});

test.each<[string, string]>([
  ['3.3.25', 'etcd 3.3.25 is older than 3.4.0, the first release that is spoken here'],
  [
    '3.6.14',
    'this server (etcd 3.6.14) has no such call, or its gateway is off (--enable-grpc-gateway=false)',
  ],
])('etcd %s without these paths cannot serve', (version, unsupported) => {
  const gone: Reply = [404, '404 page not found\n'];
  const replies = {
    [statusPath]: gone,
    [listPath]: gone,
    '/version': [200, { etcdserver: version }] as Reply,
  };
  expect(ask(replies).answer).toEqual({ version, unsupported });
  expect(told(ask(replies, false).answer)).toEqual({});
});

test('what is no etcd answers, and cannot tell: a call shall find out what it is', () => {
  const page: Reply = [200, '<html>'];
  expect(told(ask({ [statusPath]: page, [listPath]: page, '/version': page }).answer)).toEqual({});
  const gone: Reply = [404, '404 page not found\n'];
  expect(told(ask({ [statusPath]: gone, [listPath]: gone, '/version': page }).answer)).toEqual({});
});

test.each<[string, Reply]>([
  ['a page of a gateway', [502, '<html>bad gateway</html>']],
  ['the gateway of a member that ends', [503, { code: 14, message: 'transport is closing' }]],
])('%s stands for nobody: the probe fails', (_, reply) => {
  expect(ask({ [statusPath]: reply }).error).toMatchObject({ name: 'Fault' });
});

test('a connection that breaks fails it', () => {
  const error = new TransportError('reset', 'ECONNRESET', true);
  expect(ask({ [statusPath]: error }).error).toBe(error);
  expect(ask({ [listPath]: error }).error).toBe(error);
});
