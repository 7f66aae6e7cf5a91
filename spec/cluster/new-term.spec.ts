import type { ClusterState } from '../../lib/cluster/cluster-state.js';
import { a, b, c, refused, says, threeMembers, urls } from '../faults/three-members.js';

const world = threeMembers();
let states: ClusterState[];
const shown = () => states.map(({ leader, raftTerm }) => [leader?.id, raftTerm]);
const { allName } = world;

/* No heartbeat: nothing but what is learnt makes a probe. */
beforeEach(async () => {
  await world.settle();
  world.cluster.sawTerm(2, a);
  await jest.advanceTimersByTimeAsync(50);
  states = [];
  world.cluster.state$.subscribe((state) => states.push(state));
  world.probes = [];
});

describe('an answer of a higher term', () => {
  test('leaves nobody to lead until members were asked anew, which is at once', async () => {
    allName('B');
    const from = performance.now();
    world.cluster.sawTerm(3, a);
    expect(world.cluster.view.leaderEndpoint).toBeUndefined();
    await jest.advanceTimersByTimeAsync(5);
    expect(world.cluster.view.leaderEndpoint).toBe(b);
    for (const url of urls) expect(world.probes).toContainEqual({ url, full: true, at: from });
    expect(shown()).toEqual([
      ['A', 2],
      [undefined, 3],
      ['B', 3],
    ]);
    expect(states.every(({ hasQuorum }) => hasQuorum)).toBe(true);
  });

  test('costs the leader that still leads no more than the time to say so', async () => {
    world.cluster.sawTerm(3, a);
    await jest.advanceTimersByTimeAsync(5);
    expect(world.cluster.view.leaderEndpoint).toBe(a);
    expect(shown()).toEqual([
      ['A', 2],
      [undefined, 3],
      ['A', 3],
    ]);
    // One probe of each, and then quiet.
    await jest.advanceTimersByTimeAsync(10_000);
    expect(world.probes.map(({ url }) => url).sort()).toEqual(urls);
  });

  test('does not take the word of a probe that was sent before', async () => {
    for (const url of urls) world.cluster.check$(url).subscribe();
    // These answer still as it was before.
    allName('B');
    world.cluster.sawTerm(3, a);
    await jest.advanceTimersByTimeAsync(5);
    expect(world.cluster.view.leaderEndpoint).toBe(b);
    expect(states.filter(({ leader, raftTerm }) => leader?.id === 'A' && raftTerm === 3)).toEqual([]);
  });

  test('an old one that comes late changes nothing, nor does the same again', async () => {
    world.cluster.sawTerm(3, a);
    await jest.advanceTimersByTimeAsync(50);
    const before = states.length;
    world.probes = [];
    for (const term of [2, 3, 2, 3, 2]) world.cluster.sawTerm(term, a);
    expect(world.cluster.view.leaderEndpoint).toBe(a);
    await jest.advanceTimersByTimeAsync(50);
    expect(states).toHaveLength(before);
    expect(world.cluster.view).toMatchObject({ leaderEndpoint: a, raftTerm: 3 });
    // Asked once, as it may be one of a cluster that was rebuilt.
    expect(world.probes.map(({ url }) => url).sort()).toEqual(urls);
  });

  test('one of a cluster that was rebuilt, and each election there, finds who leads', async () => {
    world.cluster.sawTerm(30, a);
    await jest.advanceTimersByTimeAsync(50);
    for (const [term, name, url] of [
      [2, 'B', b],
      [3, 'C', c],
    ] as const) {
      allName(name);
      world.cluster.sawTerm(term, a);
      await jest.advanceTimersByTimeAsync(5);
      expect(world.cluster.view.leaderEndpoint).toBe(url);
    }
  });

  test('terms that follow each other leave the last one its leader', async () => {
    allName('B');
    world.cluster.sawTerm(3, a);
    await jest.advanceTimersByTimeAsync(1);
    allName('C');
    world.cluster.sawTerm(4, a);
    await jest.advanceTimersByTimeAsync(50);
    expect(world.cluster.view).toMatchObject({ leaderEndpoint: c, raftTerm: 4 });
    expect(shown().filter(([leader, term]) => term === 4 && leader !== 'C')).toEqual([[undefined, 4]]);
  });
});

describe('members that tell the term in which their leader leads', () => {
  const probeAll = async () => {
    for (const url of urls) world.cluster.check$(url).subscribe();
    await jest.advanceTimersByTimeAsync(50);
  };
  const say = (id: string, leader: string | null, raftTerm: number) => says(id, { leader, raftTerm });

  test('are believed at once, and an answer to a call in that term is no news', async () => {
    world.words = { [a]: say('A', 'B', 3), [b]: say('B', 'B', 3), [c]: say('C', 'B', 3) };
    await probeAll();
    expect(world.cluster.view).toMatchObject({ leaderEndpoint: b, raftTerm: 3 });
    states = [];
    world.probes = [];
    world.cluster.sawTerm(3, a);
    await jest.advanceTimersByTimeAsync(50);
    expect(world.cluster.view).toMatchObject({ leaderEndpoint: b, raftTerm: 3 });
    expect(states).toEqual([]);
    expect(world.probes).toEqual([]);
  });

  test('have no vote with what they say of a term that is over', async () => {
    world.words = { [a]: refused, [b]: say('B', 'B', 3), [c]: say('C', 'A', 2) };
    await probeAll();
    expect(world.cluster.view.leaderEndpoint).toBeUndefined();
    world.words[c] = say('C', 'B', 3);
    await probeAll();
    expect(world.cluster.view.leaderEndpoint).toBe(b);
  });

  test('tell none while they name nobody: whoever is cut off counts terms by itself', async () => {
    world.words = { [a]: say('A', 'A', 2), [b]: say('B', 'A', 2), [c]: say('C', null, 90) };
    await probeAll();
    expect(world.cluster.view).toMatchObject({ leaderEndpoint: a, raftTerm: 2 });
  });
});

test('the first term that is seen has members asked, but takes nobody his place', async () => {
  world.cluster.close();
  world.setUp();
  await world.settle();
  // Who led when they were asked leads no more.
  allName('B');
  world.cluster.sawTerm(7, a);
  expect(world.cluster.view.leaderEndpoint).toBe(a);
  await jest.advanceTimersByTimeAsync(5);
  expect(world.cluster.view).toMatchObject({ leaderEndpoint: b, raftTerm: 7 });
});

describe('a lower term', () => {
  beforeEach(async () => {
    world.cluster.sawTerm(30, a);
    await jest.advanceTimersByTimeAsync(50);
    states = [];
  });

  test('is the present one once enough members told it, and none the known one for a second', async () => {
    world.cluster.sawTerm(2, b);
    await jest.advanceTimersByTimeAsync(949);
    world.cluster.sawTerm(2, c);
    expect(world.cluster.view.raftTerm).toBe(30);
    await jest.advanceTimersByTimeAsync(1);
    world.cluster.sawTerm(2, c);
    expect(world.cluster.view.raftTerm).toBe(2);
    await jest.advanceTimersByTimeAsync(50);
    expect(world.cluster.view).toMatchObject({ leaderEndpoint: a, raftTerm: 2 });
    expect(world.cluster.leads(a, 2)).toBe(true);
  });

  test('is not while one member alone tells it: that one lags', async () => {
    for (let i = 0; i < 5; i += 1) {
      await jest.advanceTimersByTimeAsync(1_000);
      world.cluster.sawTerm(29, b);
    }
    expect(world.cluster.view.raftTerm).toBe(30);
  });

  test('is not while another member still tells the known one', async () => {
    for (let i = 0; i < 5; i += 1) {
      await jest.advanceTimersByTimeAsync(500);
      world.cluster.sawTerm(29, b);
      world.cluster.sawTerm(29, c);
      world.cluster.sawTerm(30, a);
    }
    expect(world.cluster.view.raftTerm).toBe(30);
  });

  test('is at once when the cluster is known to be rebuilt', async () => {
    world.cluster.wasRebuilt();
    world.cluster.sawTerm(2, b);
    expect(world.cluster.view).toMatchObject({ raftTerm: 2, leaderEndpoint: undefined });
    await jest.advanceTimersByTimeAsync(50);
    expect(world.cluster.view).toMatchObject({ raftTerm: 2, leaderEndpoint: a });
  });
});
