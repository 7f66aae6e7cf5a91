import type { ProbeAnswer } from '../../lib/cluster/probe.js';
import { TransportError } from '../../lib/transport/transport-error.js';
import {
  a,
  b,
  c,
  info,
  refused,
  reset,
  says,
  three,
  threeMembers,
  type Word,
} from '../faults/three-members.js';

/* A found member gets what is meant for the cluster, credentials too, while a probe has found it there since anything
   happened. `b` is found, `a` configured. */
const world = threeMembers();
const trusts = (url: string): boolean => world.cluster.isTrusted(url);
const isAsked = (url: string): boolean =>
  world.cluster.view.candidates.includes(url) ||
  world.cluster.view.live.includes(url) ||
  world.cluster.view.leaderEndpoint === url;

beforeEach(async () => {
  world.setUp({ endpoints: [a] });
  await world.settle();
  expect([a, b, c].map(trusts)).toEqual([true, true, true]);
});

const timedOut = new TransportError('timeout', 'timed out', true, 100);
const ends: [string, TransportError][] = [
  ['refused', refused],
  ['reset', reset],
  ['not answered', timedOut],
];

describe('a member found in the cluster', () => {
  test.each(ends)(
    'gets nothing once a request to it was %s, until a probe has found it there',
    async (_, error) => {
      world.probes = [];
      world.cluster.blame(b, error);
      expect([trusts(b), isAsked(b)]).toEqual([false, false]);
      // An answer to somebody who came without credentials is no proof.
      world.cluster.answered(b, performance.now() + 0.5);
      expect([trusts(b), isAsked(b)]).toEqual([false, false]);
      await jest.advanceTimersByTimeAsync(50);
      expect(world.probes).toContainEqual(expect.objectContaining({ url: b, full: true }));
      expect([trusts(b), isAsked(b)]).toEqual([true, true]);
    },
  );

  test('nor once the connection of a watch ended', async () => {
    world.cluster.dropped(b, reset);
    expect([trusts(b), isAsked(b)]).toEqual([false, false]);
    await jest.advanceTimersByTimeAsync(50);
    expect([trusts(b), isAsked(b)]).toEqual([true, true]);
  });

  test('nor while a probe is under way that was sent before', async () => {
    world.cluster.check$(b).subscribe();
    world.cluster.blame(b, reset);
    world.words[b] = 'silence';
    await jest.advanceTimersByTimeAsync(200);
    expect([trusts(b), isAsked(b)]).toEqual([false, false]);
  });

  const strangers: [string, Word][] = [
    ['another member', says('C')],
    ['a member of another cluster', says('B', { clusterId: 'foreign' })],
    ['one that shows the id and no cluster', { id: 'B', leader: 'A', members: three }],
    ['one that shows the cluster and no id', { clusterId: 'ours', leader: 'A' }],
    ['one that shows the cluster and another id', says('X', { members: [info('X', b)] })],
    ['no etcd', {}],
    ['nobody', 'silence'],
  ];
  test.each(strangers)('nor when %s answers there now', async (_, word) => {
    world.words[b] = word;
    world.cluster.blame(b, reset);
    for (let i = 0; i < 100; i += 1) {
      expect([trusts(b), isAsked(b)]).toEqual([false, false]);
      expect(world.cluster.redirected(a, b)).toBe(false);
      await jest.advanceTimersByTimeAsync(5);
    }
  });

  test.each<[string, ProbeAnswer]>([
    ['of another cluster', says('B', { clusterId: 'foreign' })],
    ['of none', { id: 'B', leader: 'A' }],
    ['that cannot tell a leader', {}],
  ])('nor when a light probe is answered by one %s, though nothing has failed', async (_, word) => {
    world.words[b] = word;
    world.cluster.check$(b).subscribe();
    await jest.advanceTimersByTimeAsync(50);
    expect([trusts(b), isAsked(b)]).toEqual([false, false]);
  });

  test('nor once it was removed, or its URL is that of another', async () => {
    for (const url of [a, b, c])
      world.words[url] = says(url === a ? 'A' : 'C', { members: [info('A', a), info('C', b, c)] });
    world.words[b] = refused;
    world.cluster.doubt();
    await jest.advanceTimersByTimeAsync(50);
    expect(world.cluster.view.members.map(({ id }) => id)).toEqual(['A', 'C']);
    expect([trusts(b), isAsked(b)]).toEqual([false, false]);
    world.words[b] = says('C', { members: [info('A', a), info('C', b, c)] });
    world.cluster.doubt();
    await jest.advanceTimersByTimeAsync(50);
    expect(trusts(b)).toBe(true);
  });

  test('nor once the cluster is another one, though it had shown the id of that', async () => {
    world.words[b] = says('B', { clusterId: 'next' });
    world.cluster.doubt();
    await jest.advanceTimersByTimeAsync(50);
    world.words[b] = 'silence';
    world.words[a] = says('A', { clusterId: 'next' });
    world.cluster.doubt();
    await jest.advanceTimersByTimeAsync(50);
    expect([trusts(b), isAsked(b)]).toEqual([false, false]);
  });

  test('nor after a time in which nobody looked', async () => {
    world.cluster.close();
    world.setUp({ endpoints: [a] });
    const watching = world.cluster.state$.subscribe();
    await jest.advanceTimersByTimeAsync(50);
    watching.unsubscribe();
    await jest.advanceTimersByTimeAsync(60_000);
    const states: string[] = [];
    world.cluster.state$.subscribe((state) => states.push(state.toString()));
    expect([a, b, c].map(trusts)).toEqual([true, false, false]);
    await jest.advanceTimersByTimeAsync(50);
    expect([a, b, c].map(trusts)).toEqual([true, true, true]);
    // Nothing of that is news to whoever follows the state.
    expect(states).toHaveLength(1);
  });

  test('that is down still counts as a member that this client has reached', async () => {
    for (const url of [b, c]) {
      world.words[url] = refused;
      world.cluster.blame(url, refused);
    }
    await jest.advanceTimersByTimeAsync(50);
    expect(world.cluster.view).toMatchObject({ hasQuorum: false, leaderEndpoint: undefined });
  });
});

test('a configured endpoint is trusted, whatever happens', async () => {
  world.words[a] = refused;
  world.cluster.blame(a, refused);
  await jest.advanceTimersByTimeAsync(50);
  expect([trusts(a), trusts('http://elsewhere:2379')]).toEqual([true, false]);
});
