import { of, throwError } from 'rxjs';
import type { ProbeAnswer } from '../../../lib/cluster/probe.js';
import type { HttpResponse } from '../../../lib/transport/http.js';
import { TransportError } from '../../../lib/transport/transport-error.js';
import { legacyProbe$ } from '../../../lib/v2/old/legacy-probe.js';

type Reply = [status: number, body: unknown];

const machinesPath = '/v2/keys/_etcd/machines';
const leaderPath = '/v2/leader';
const selfPath = '/v2/stats/self';

const form = (name: string): string => `etcd=http%3A%2F%2F${name}%3A4001&raft=http%3A%2F%2F${name}%3A7001`;
const machines = (...nodes: object[]): Reply => [
  200,
  { action: 'get', node: { key: '/_etcd/machines', dir: true, nodes } },
];
const machine = (name: string, value = form(name)) => ({ key: `/_etcd/machines/${name}`, value });
const member = (name: string) => ({
  id: name,
  name,
  clientURLs: [`http://${name}:4001`],
  peerURLs: [`http://${name}:7001`],
});

const good: Record<string, Reply> = {
  [machinesPath]: machines(machine('n0'), machine('n1')),
  [leaderPath]: [200, 'http://n1:7001'],
  [selfPath]: [200, { name: 'n0', state: 'follower', leaderInfo: { leader: 'n9' } }],
};

let asked: string[];
function probe(replies: Record<string, Reply> = {}, endpoint = 'http://m:4001'): ProbeAnswer {
  asked = [];
  let answer: ProbeAnswer | undefined;
  legacyProbe$((path) => {
    asked.push(path);
    const [status, body] = replies[path] ?? good[path] ?? [404, ''];
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return of<HttpResponse>({ status, headers: { get: () => undefined, toJSON: () => ({}) }, body: text });
  }, endpoint).subscribe((value) => (answer = value));
  if (answer === undefined) throw new Error('no answer came');
  return answer;
}

test('a member is its name, and the leader the one with that peer URL', () => {
  expect(probe()).toEqual({ id: 'n0', leader: 'n1', members: [member('n0'), member('n1')] });
  expect(asked.sort()).toEqual([machinesPath, leaderPath, selfPath].sort());
});

describe('who is there', () => {
  test.each<[string, Reply, unknown]>([
    [
      'encoded or not, in any order',
      machines(machine('n0', 'raft=http://n0:7001&etcd=http://n0:4001')),
      [member('n0')],
    ],
    [
      'without URLs',
      machines({ key: '/_etcd/machines/n0' }),
      [{ id: 'n0', name: 'n0', clientURLs: [], peerURLs: [] }],
    ],
    ['without a name', machines({ key: '' }, machine('n1')), [member('n1')]],
    [
      'flat, as of 0.2.0-rc1',
      [200, { action: 'get', key: '/_etcd/machines', dir: true, kvs: [machine('n0')] }],
      [member('n0')],
    ],
    ['nobody', machines(), undefined],
    [
      'not there: its directory was deleted',
      [404, { errorCode: 100, message: 'Key not found', index: 3 }],
      undefined,
    ],
    ['an error', [500, { errorCode: 300, message: 'Raft Internal Error', index: 3 }], undefined],
  ])('%s', (_, reply, members) => {
    const answer = probe({ [machinesPath]: reply });
    expect(answer.members).toEqual(members);
  });
});

describe('its own name', () => {
  test.each<[string, Reply]>([
    ['empty before it has joined', [200, { name: '' }]],
    ['no text', [200, { name: 7 }]],
    ['not told', [200, {}]],
    ['an empty body', [200, '']],
    ['not there', [404, '404 page not found']],
  ])('%s: a single member is known all the same', (_, reply) => {
    const alone = { [machinesPath]: machines(machine('n0')), [selfPath]: reply };
    expect(probe(alone).id).toBe('n0');
  });

  test('of several it is the one that has this URL', () => {
    const mute: Record<string, Reply> = { [selfPath]: [200, { name: '' }] };
    expect(probe(mute, 'http://n1:4001').id).toBe('n1');
    const slashed = machines(machine('n0'), machine('n1', form('n1').replace('4001', '4001%2F')));
    expect(probe({ ...mute, [machinesPath]: slashed }, 'http://n1:4001').id).toBe('n1');
    expect(probe(mute, 'http://elsewhere:4001').id).toBeUndefined();
  });

  test('its own word counts for more than its URL', () => {
    expect(probe({}, 'http://n1:4001').id).toBe('n0');
  });
});

describe('the leader', () => {
  test.each<[string, Reply, string | null | undefined]>([
    ['with a slash behind', [200, 'http://n1:7001/'], 'n1'],
    ['with a line end', [200, 'http://n0:7001\n'], 'n0'],
    ['one that is in no list', [200, 'http://n9:7001'], undefined],
    ['an election', [500, { errorCode: 301, message: 'During Leader Election', index: 3 }], null],
    ['an empty body, as after its machines were deleted', [200, ''], undefined],
    ['not there', [404, '404 page not found'], undefined],
  ])('%s', (_, reply, leader) => {
    const answer = probe({ [leaderPath]: reply });
    expect(answer.leader).toBe(leader);
  });
});

test.each([machinesPath, leaderPath, selfPath])('fails when %s is not answered', (path) => {
  const reset = new TransportError('reset', 'ECONNRESET', true);
  let error: unknown;
  legacyProbe$(
    (asking) => (asking === path ? throwError(() => reset) : of({} as HttpResponse)),
    'http://m',
  ).subscribe({
    error: (e: unknown) => (error = e),
  });
  expect(error).toBe(reset);
});
