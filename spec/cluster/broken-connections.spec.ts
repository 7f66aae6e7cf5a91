import type { ClusterState } from '../../lib/cluster/cluster-state.js';
import type { ClientEvent } from '../../lib/insight/events.js';
import { TransportError } from '../../lib/transport/transport-error.js';
import { a, b, c, refused, reset, says, threeMembers, urls } from '../faults/three-members.js';

/* What a connection that ends says of its member, and when a probe has the last word. */
const world = threeMembers();
let states: ClusterState[];
let events: ClientEvent[];
const leaders = () => states.map(({ leader }) => leader?.id);
/** The probes of the endpoint since then. */
const probed = (url: string) => world.probes.filter((probe) => probe.url === url);

beforeEach(async () => {
  await world.settle();
  states = [];
  events = [];
  world.cluster.state$.subscribe((state) => states.push(state));
  world.events.events$.subscribe((event) => events.push(event));
  world.probes = [];
});

describe('the connection of a watch to the leader', () => {
  test('ends, as a balancer does it: the gate waits for a probe, the state and its followers do not', async () => {
    world.cluster.dropped(a, reset);
    expect(world.cluster.view.leaderEndpoint).toBeUndefined();
    await jest.advanceTimersByTimeAsync(5);
    expect(world.cluster.view.leaderEndpoint).toBe(a);
    expect([leaders(), events]).toEqual([['A'], []]);
    expect(probed(a)).toHaveLength(1);
  });

  test('ends because the leader is gone: the state says so as soon as the probe does', async () => {
    world.words[a] = refused;
    world.cluster.dropped(a, reset);
    expect(leaders()).toEqual(['A']);
    await jest.advanceTimersByTimeAsync(5);
    expect(leaders()).toEqual(['A', undefined]);
    expect(world.cluster.view.down).toEqual([a]);
  });

  test('is refused: that is as good as a probe', () => {
    world.cluster.dropped(a, refused);
    expect([world.cluster.view.leaderEndpoint, leaders()]).toEqual([undefined, ['A', undefined]]);
  });

  test('and then that of a request: now it is suspected', async () => {
    world.words[a] = 'silence';
    world.cluster.dropped(a, reset);
    world.cluster.blame(a, reset);
    expect(leaders()).toEqual(['A', undefined]);
    await jest.advanceTimersByTimeAsync(500);
    expect(world.cluster.view.leaderEndpoint).toBeUndefined();
  });
});

test('a request that breaks makes the leader suspect: nothing is sent there before a probe is answered', async () => {
  world.cluster.blame(a, reset);
  expect([world.cluster.view.leaderEndpoint, leaders()]).toEqual([undefined, ['A', undefined]]);
  await jest.advanceTimersByTimeAsync(5);
  expect([world.cluster.view.leaderEndpoint, leaders()]).toEqual([a, ['A', undefined, 'A']]);
});

describe('a probe', () => {
  test('whose connection had just been ended is sent again before anybody is judged', async () => {
    world.words[a] = reset;
    world.cluster.check$(a).subscribe();
    await jest.advanceTimersByTimeAsync(0);
    world.words[a] = says('A');
    await jest.advanceTimersByTimeAsync(5);
    expect(probed(a)).toHaveLength(2);
    expect([leaders(), events]).toEqual([['A'], []]);
  });

  test('that is reset each time has failed', async () => {
    world.words[a] = reset;
    world.cluster.check$(a).subscribe();
    await jest.advanceTimersByTimeAsync(5);
    expect([leaders(), world.cluster.view.down]).toEqual([['A', undefined], [a]]);
  });

  test('that was sent before its member failed does not revive it', async () => {
    world.cluster.check$(a).subscribe();
    await jest.advanceTimersByTimeAsync(0.5);
    world.words[a] = 'silence';
    world.cluster.blame(a, reset);
    await jest.advanceTimersByTimeAsync(100);
    expect(world.cluster.view.live).toEqual([b, c]);
  });

  const ends: [string, TransportError][] = [
    ['reset', reset],
    ['refused', refused],
    ['not answered', new TransportError('timeout', 'timed out', true, 100)],
  ];
  test.each(ends)('comes at once after a request to a follower was %s, of that one', async (_, error) => {
    const from = performance.now();
    world.cluster.blame(b, error);
    await jest.advanceTimersByTimeAsync(5);
    expect(probed(b)[0]?.at).toBe(from);
  });
});

/* Several connections to one member end one after the other, and its probe is under way by then. */
describe('what befalls a member while it is probed has it probed once more', () => {
  test.each<[string, () => void]>([
    ['the end of a second watch', () => world.cluster.dropped(b, reset)],
    ['a request that breaks', () => world.cluster.blame(b, reset)],
  ])('%s', async (_, happens) => {
    world.cluster.dropped(b, reset);
    await jest.advanceTimersByTimeAsync(0.5);
    happens();
    await jest.advanceTimersByTimeAsync(10);
    expect(world.cluster.view.live).toEqual(urls);
    expect(probed(b)).toHaveLength(2);
  });

  test('a doubt about all of them', async () => {
    world.cluster.dropped(b, reset);
    await jest.advanceTimersByTimeAsync(0.5);
    world.cluster.doubt();
    await jest.advanceTimersByTimeAsync(10);
    for (const url of urls) expect(probed(url).map(({ full }) => full)).toEqual([false, true]);
  });

  test('but not what befell it before, nor its own failure', async () => {
    world.cluster.dropped(b, reset);
    world.words[b] = refused;
    await jest.advanceTimersByTimeAsync(1_000);
    expect(probed(b)).toHaveLength(1);
  });
});

test('a doubt that changes nothing tells nobody anything', async () => {
  for (let i = 0; i < 3; i += 1) {
    world.cluster.doubt();
    await jest.advanceTimersByTimeAsync(50);
  }
  expect([states.length, events]).toEqual([1, []]);
  for (const url of urls) expect(probed(url)).toHaveLength(3);
});
