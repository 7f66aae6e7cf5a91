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
const good: Record<string, Answer> = {
  [leaderPath]: [200, { id: 'a1', name: 'x', clientURLs: [], peerURLs: [] }, 'c1'],
  [selfPath]: [200, { id: 'b2', name: 'y', leaderInfo: { leader: 'zz' }, state: 'StateLeader' }, 'c1'],
  [membersPath]: [
    200,
    { members: [{ id: 'a1', name: 'x', clientURLs: ['http://a'], peerURLs: ['http://a:1'] }] },
    'c1',
  ],
};

let requests: HttpRequest[];
function ask(replies: Record<string, Reply>, full = true): { answer?: ProbeAnswer; error?: unknown } {
  requests = [];
  const exchange$ = (request: HttpRequest): Observable<HttpResponse> => {
    requests.push(request);
    const reply = replies[request.path] ?? good[request.path] ?? [404, ''];
    if (reply instanceof Error) return throwError(() => reply);
    const [status, body, clusterId] = reply;
    return of({
      status,
      headers: { get: (name) => (name === 'x-etcd-cluster-id' ? clusterId : undefined) },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  };
  const result: { answer?: ProbeAnswer; error?: unknown } = {};
  v2Probe({ exchange$ } as unknown as Transport, { probeTimeout: 77 })('http://m', full).subscribe({
    next: (answer) => (result.answer = answer),
    error: (error: unknown) => (result.error = error),
  });
  return result;
}

describe('v2Probe', () => {
  test('in full: the leader, its own id and the members; only the id of /v2/stats/self is trusted', () => {
    expect(ask({}).answer).toEqual({
      id: 'b2',
      clusterId: 'c1',
      leader: 'a1',
      members: [{ id: 'a1', name: 'x', clientURLs: ['http://a'], peerURLs: ['http://a:1'] }],
    });
    expect(requests.map((r) => r.path).sort()).toEqual([membersPath, leaderPath, selfPath].sort());
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
    ['no leader, in words', [503, 'Service Unavailable'], { leader: null }],
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
    ['empty, as for a second after an election', [200, '']],
    ['without id', [200, { name: 'y' }]],
    ['with an empty id', [200, { id: '' }]],
    ['refused', [401, '']],
    ['not there', [404, '']],
  ])('/v2/stats/self that is %s: the id is not known', (_, reply) => {
    const { answer } = ask({ [selfPath]: reply });
    expect(answer).not.toHaveProperty('id');
    expect(answer).toMatchObject({ leader: 'a1', clusterId: 'c1' });
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
    expect(ask(replies).answer).not.toHaveProperty('clusterId');
  });

  test.each([leaderPath, selfPath, membersPath])('fails when %s is not answered', (path) => {
    const reset = new TransportError('reset', 'ECONNRESET', true);
    expect(ask({ [path]: reset }).error).toBe(reset);
  });
});
