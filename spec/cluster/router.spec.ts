import { Router } from '../../lib/cluster/router.js';
import type { View } from '../../lib/cluster/view.js';

const urls = ['a', 'b', 'c'];
const view = (more: Partial<View> = {}): View => ({
  members: [],
  hasQuorum: undefined,
  raftTerm: undefined,
  leaderKnown: true,
  leaderEndpoint: undefined,
  live: urls,
  down: [],
  leaderless: [],
  doubts: 0,
  era: 0,
  candidates: urls,
  endpoints: urls,
  settled: true,
  partial: undefined,
  tlsFailure: undefined,
  unsupported: undefined,
  ...more,
});

/** Gives these numbers in turn. */
const dice = (...values: number[]) => {
  let n = 0;
  return () => values[n++ % values.length] ?? 0;
};

describe('Router', () => {
  test.each([
    [[0.1, 0.5, 0.9], 'a'],
    [[0.9, 0.1, 0.5], 'b'],
    [[0.5, 0.9, 0.1], 'c'],
  ])('the first pick is by chance (%j: %s)', (numbers, expected) => {
    expect(new Router(dice(...numbers)).pick(view())).toBe(expected);
  });

  test('by default every member has its chance', () => {
    const picks = Array.from({ length: 200 }, () => new Router().pick(view()));
    expect([...new Set(picks)].sort()).toEqual(urls);
  });

  test('the last good one is asked again', () => {
    const router = new Router(dice(0.1, 0.5, 0.9));
    router.good('c');
    expect([1, 2, 3].map(() => router.pick(view()))).toEqual(['c', 'c', 'c']);
    router.good('b');
    expect(router.pick(view())).toBe('b');
  });

  test.each<[string, Partial<View>, [string, number][], string]>([
    ['a dead one is asked last, even the last good one', { live: ['b', 'c'] }, [], 'b'],
    ['a live one without leader only if there is no better', { leaderless: ['a', 'b'] }, [], 'c'],
    ['but before a dead one', { live: ['b'], leaderless: ['b'] }, [], 'b'],
    ['if all are dead any will do', { live: [] }, [], 'a'],
    ['one that this call has tried comes after one that it has not', {}, [['a', 1]], 'b'],
    [
      'even after a dead one',
      { live: ['a', 'b'] },
      [
        ['a', 1],
        ['b', 1],
      ],
      'c',
    ],
    [
      'tries are evened out',
      {},
      [
        ['a', 2],
        ['b', 1],
        ['c', 2],
      ],
      'b',
    ],
    ['those of another cluster are never asked', { candidates: ['c'] }, [['c', 9]], 'c'],
    ['unless there is no other', { candidates: [], endpoints: ['x', 'y'] }, [], 'x'],
    ['nobody at all', { candidates: [], endpoints: [] }, [], ''],
  ])('%s', (_, more, tried, expected) => {
    const router = new Router(dice(0.1, 0.5, 0.9));
    router.good('a');
    expect(router.pick(view(more), new Map(tried))).toBe(expected);
  });

  test('a call asks every member once before it asks one again', () => {
    const router = new Router();
    const tried = new Map<string, number>();
    const asked = Array.from({ length: 6 }, () => {
      const url = router.pick(view({ live: ['a'] }), tried);
      tried.set(url, (tried.get(url) ?? 0) + 1);
      return url;
    });
    expect(asked[0]).toBe('a');
    expect(asked.slice(0, 3).sort()).toEqual(urls);
    expect(asked.slice(3).sort()).toEqual(urls);
  });
});
