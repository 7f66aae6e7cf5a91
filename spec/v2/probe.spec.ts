import { of, throwError, type Observable } from 'rxjs';
import type { ProbeAnswer } from '../../lib/cluster/probe.js';
import type { HttpRequest, HttpResponse } from '../../lib/transport/http.js';
import type { Transport } from '../../lib/transport/transport.js';
import { TransportError } from '../../lib/transport/transport-error.js';
import { v2Probe } from '../../lib/v2/probe.js';

type Answer = [status: number, body: unknown, clusterId?: string | null | undefined];
type Reply = Answer | Error;

const leaderPath = '/v2/members/leader';
const selfPath = '/v2/stats/self';
const membersPath = '/v2/members';
const versionPath = '/version';
const good: Record<string, Answer> = {
  [leaderPath]: [200, { id: 'a1', name: 'x', clientURLs: [], peerURLs: [] }, 'c1'],
  [selfPath]: [200, { id: 'b2', name: 'y', leaderInfo: { leader: 'zz' }, state: 'StateLeader' }, 'c1'],
  [membersPath]: [
    200,
    { members: [{ id: 'a1', name: 'x', clientURLs: ['http://a'], peerURLs: ['http://a:1'] }] },
    'c1',
  ],
  [versionPath]: [200, { etcdserver: '3.4.23', etcdcluster: '3.4.0' }],
};

let requests: HttpRequest[];
/** A probe that remembers, of servers that answer as `replies` says at that moment. */
function probeOf(replies: () => Record<string, Reply>) {
  const exchange$ = (request: HttpRequest): Observable<HttpResponse> => {
    requests.push(request);
    const reply = replies()[request.path] ?? good[request.path] ?? [404, ''];
    if (reply instanceof Error) return throwError(() => reply);
    const [status, body, clusterId] = reply;
    return of({
      status,
      headers: { get: (name) => (name === 'x-etcd-cluster-id' ? clusterId : undefined), toJSON: () => ({}) },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  };
  const probe = v2Probe({ exchange$ } as unknown as Transport, { probeTimeout: 77 });
  const askOf = (endpoint: string, full: boolean): { answer?: ProbeAnswer; error?: unknown } => {
    requests = [];
    const result: { answer?: ProbeAnswer; error?: unknown } = {};
    probe(endpoint, full).subscribe({
      next: (answer) => (result.answer = answer),
      error: (error: unknown) => (result.error = error),
    });
    return result;
  };
  return Object.assign(askOf, { forget: probe.forget });
}

function ask(replies: Record<string, Reply>, full = true): { answer?: ProbeAnswer; error?: unknown } {
  return probeOf(() => replies)('http://m', full);
}

describe('v2Probe', () => {
  test('in full: the leader, its own id, its release and the members; only the id of /v2/stats/self is trusted', () => {
    expect(ask({}).answer).toEqual({
      id: 'b2',
      clusterId: 'c1',
      leader: 'a1',
      version: '3.4.23',
      members: [{ id: 'a1', name: 'x', clientURLs: ['http://a'], peerURLs: ['http://a:1'] }],
    });
    expect(requests.map((r) => r.path).sort()).toEqual(
      [membersPath, leaderPath, selfPath, versionPath].sort(),
    );
  });

  test('else the leader alone', () => {
    expect(ask({}, false).answer).toEqual({ clusterId: 'c1', leader: 'a1' });
    expect(requests.map((r) => r.path)).toEqual([leaderPath]);
  });

  test('goes without credentials, with the limit for probes, beside the commands', () => {
    ask({});
    for (const request of requests) {
      expect(request).toMatchObject({
        endpoint: 'http://m',
        method: 'GET',
        timeout: 77,
        pool: 'watch',
        operation: 'probe',
      });
      expect(request).not.toHaveProperty('authorization');
    }
  });

  test.each<[string, Reply, ProbeAnswer]>([
    ['no leader', [503, { message: 'during election' }], { leader: null }],
    ['no leader, in other words', [503, { message: 'during leader election' }], { leader: null }],
    ['no such API', [404, '404 page not found'], {}],
    ['nonsense', [200, '<html>'], {}],
    ['no id', [200, { name: 'x' }], {}],
    ['an empty body', [200, ''], {}],
    ['a refusal', [401, { message: 'Insufficient credentials' }], {}],
    ['an internal error', [500, ''], {}],
  ])('%s', (_, reply, expected) => {
    expect(ask({ [leaderPath]: reply }, false).answer).toEqual(expected);
  });

  test.each<[string, Reply]>([
    ['a page', [503, '<html><body>503 Service Unavailable</body></html>']],
    ['plain text', [503, 'Service Unavailable']],
    ['nothing', [503, '']],
    ['JSON of its own', [503, { message: 'no healthy upstream' }]],
    ['a page for a bad gateway', [502, '<html>']],
    ['a page for a late one', [504, '<html>']],
  ])('fails when a balancer answers in the place of the member: %s', (_, reply) => {
    const { answer, error } = ask({ [leaderPath]: reply }, false);
    expect(answer).toBeUndefined();
    expect(error).toMatchObject({ config: { status: (reply as Answer)[0], isStrange: true } });
  });

  test.each<[string, Reply]>([
    ['empty, as for a second after an election', [200, '']],
    ['without id', [200, { name: 'y' }]],
    ['with an empty id', [200, { id: '' }]],
    ['refused', [401, '']],
    ['not there', [404, '']],
  ])('/v2/stats/self that is %s: the id is not known', (_, reply) => {
    const { answer } = ask({ [selfPath]: reply });
    expect(answer).toMatchObject({ id: undefined, leader: 'a1', clusterId: 'c1' });
  });

  test.each<[string, Reply, string | undefined]>([
    ['one of today', [200, { etcdserver: '3.5.16', etcdcluster: '3.5.0' }], '3.5.16'],
    ['in words', [200, 'etcd 2.0.0'], '2.0.0'],
    ['not there', [404, '404 page not found'], undefined],
    ['nonsense', [200, '<html>'], undefined],
    ['an error in the right form', [500, { etcdserver: '3.5.16' }], undefined],
  ])('a release that is %s', (_, reply, version) => {
    const { answer } = ask({ [versionPath]: reply });
    expect(answer?.version).toBe(version);
    expect(answer).toMatchObject({ id: 'b2', leader: 'a1' });
  });

  test.each<[string, Reply, unknown]>([
    ['not there', [404, ''], undefined],
    ['refused', [401, { message: 'x' }], undefined],
    ['nonsense', [200, '<html>'], undefined],
    ['no list', [200, { members: {} }], undefined],
    ['empty', [200, { members: [] }], []],
    [
      'with gaps',
      [
        200,
        {
          members: [
            null,
            7,
            {},
            { id: '' },
            { id: 'a1' },
            { id: 'b2', name: 7, clientURLs: ['http://b', 7], peerURLs: 'x' },
          ],
        },
      ],
      [
        { id: 'a1', name: '', clientURLs: [], peerURLs: [] },
        { id: 'b2', name: '', clientURLs: ['http://b'], peerURLs: [] },
      ],
    ],
  ])('a member list that is %s', (_, reply, expected) => {
    expect(ask({ [membersPath]: reply }).answer?.members).toEqual(expected);
  });

  test.each([[undefined], [null], ['']])('a cluster id that cannot be read (%p)', (id) => {
    const replies: Record<string, Reply> = Object.fromEntries(
      Object.entries(good).map(([path, [status, body]]) => [path, [status, body, id]]),
    );
    expect(ask(replies).answer?.clusterId).toBeUndefined();
  });

  test.each([leaderPath, selfPath, membersPath, versionPath])('fails when %s is not answered', (path) => {
    const reset = new TransportError('reset', 'ECONNRESET', true);
    expect(ask({ [path]: reset }).error).toBe(reset);
  });
});

describe('a release before 2.0', () => {
  const machinesPath = '/v2/keys/_etcd/machines';
  const oldLeaderPath = '/v2/leader';
  const machine = (name: string) => ({
    key: `/_etcd/machines/${name}`,
    value: `raft=http%3A%2F%2F${name}%3A7001&etcd=http%3A%2F%2F${name}%3A4001`,
  });
  const old: Record<string, Reply> = {
    [versionPath]: [200, 'etcd 0.4.9'],
    [leaderPath]: [404, '404 page not found'],
    [membersPath]: [404, '404 page not found'],
    [selfPath]: [200, { name: 'n0', state: 'leader' }],
    [oldLeaderPath]: [200, 'http://n0:7001'],
    [machinesPath]: [
      200,
      { action: 'get', node: { key: '/_etcd/machines', dir: true, nodes: [machine('n0')] } },
    ],
  };
  const members = [{ id: 'n0', name: 'n0', clientURLs: ['http://n0:4001'], peerURLs: ['http://n0:7001'] }];
  const known = { id: 'n0', leader: 'n0', members };
  const oldPaths = [machinesPath, oldLeaderPath, selfPath].sort();
  const paths = () => requests.map((r) => r.path).sort();

  test('is asked in its own way as soon as its release is known', () => {
    const probe = probeOf(() => old);
    expect(probe('http://m', true).answer).toEqual({ ...known, version: '0.4.9' });
    expect(paths()).toEqual([versionPath, leaderPath, membersPath, selfPath, ...oldPaths].sort());
    expect(probe('http://m', false).answer).toEqual(known);
    expect(paths()).toEqual(oldPaths);
    expect(probe('http://m', true).answer).toEqual({ ...known, version: '0.4.9' });
    expect(paths()).toEqual([versionPath, ...oldPaths].sort());
  });

  test('is remembered for its own endpoint alone', () => {
    const probe = probeOf(() => old);
    probe('http://m', true);
    probe('http://other', false);
    expect(paths()).toEqual([leaderPath]);
  });

  test('is forgotten once it is no endpoint any more: who comes there is asked as one asks today', () => {
    let replies = old;
    const probe = probeOf(() => replies);
    probe('http://m', true);
    probe.forget('http://m');
    replies = {};
    expect(probe('http://m', false).answer).toEqual({ clusterId: 'c1', leader: 'a1' });
    expect(paths()).toEqual([leaderPath]);
  });

  test('may be upgraded: the next probe after the full one asks as one asks today', () => {
    let replies = old;
    const probe = probeOf(() => replies);
    probe('http://m', true);
    replies = {};
    expect(probe('http://m', true).answer).toMatchObject({ version: '3.4.23' });
    expect(probe('http://m', false).answer).toEqual({ clusterId: 'c1', leader: 'a1' });
    expect(paths()).toEqual([leaderPath]);
  });

  test('fails when one of its paths is not answered', () => {
    const reset = new TransportError('reset', 'ECONNRESET', true);
    for (const path of oldPaths) expect(ask({ ...old, [path]: reset }).error).toBe(reset);
  });
});
