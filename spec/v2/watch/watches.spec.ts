import { defer, retry } from 'rxjs';
import type { Target } from '../../../lib/v2/watch/target.js';
import type { WatchEvent } from '../../../lib/v2/model/model.js';
import type { Cursor } from '../../../lib/v2/watch/cursor.js';
import { V2Watch } from '../../../lib/v2/watch/v2-watch.js';
import { Watches } from '../../../lib/watch/watches.js';
import { FakeMember, here, watchOver } from '../../support/scripted/fake-member.js';

const a: Target = { key: '/a', recursive: true };

let member: FakeMember;
let watches: Watches<WatchEvent, Cursor, Target>;
const source = (target = a, fromIndex?: number) => watches.source(member.context, target, fromIndex);

beforeEach(() => {
  jest.useFakeTimers();
  member = new FakeMember();
  watches = new Watches((target) => new V2Watch(member.context, target));
});
afterEach(() => jest.useRealTimers());

describe('sources', () => {
  test('are one for the same key and recursive', () => {
    expect(source({ ...a })).toBe(source({ ...a }));
    expect(source({ ...a, recursive: false })).not.toBe(source());
    expect(source({ ...a, key: '/b' })).not.toBe(source());
  });

  test('with a start of their own are never shared', () => {
    const own = source(a, 10);
    expect(source(a, 10)).not.toBe(own);
    expect(source()).not.toBe(own);
  });

  test('who watches from now on does not follow one with a start of its own, opened just before', () => {
    const own = source(a, 10);
    const plain = source();
    expect(plain).not.toBe(own);
    expect(source(a, 10)).not.toBe(plain);
    expect(source()).toBe(plain);
  });

  test('each has its number', () => {
    expect([source(), source(), source(a, 5), source({ ...a, key: '/b' })].map(({ id }) => id)).toEqual([
      1, 1, 2, 3,
    ]);
  });

  test('one that has ended is followed by a new one, also for who retries at once', () => {
    const ids: number[] = [];
    watchOver(
      defer(() => {
        const next = source();
        ids.push(next.id);
        return next.events$;
      }).pipe(retry(1)),
    );
    member.streams[0]?.head(9, undefined, 404).answer('404 page not found');
    expect([ids, member.streams.length]).toEqual([[1, 2], 2]);
    // The late end of the first does not put the second aside.
    jest.advanceTimersByTime(10_000);
    expect(source().id).toBe(2);
  });

  test('where the client has rights is known: at the key of the latest', () => {
    expect(watches.latestKey).toBeUndefined();
    source();
    const { subscription } = watchOver(source({ ...a, key: '/b' }).events$);
    expect(watches.latestKey).toBe('/b');
    subscription.unsubscribe();
    jest.advanceTimersByTime(1_000);
    expect(watches.latestKey).toBe('/a');
  });
});

describe('list$', () => {
  test('the list now, then again after each change, told together', () => {
    const { seen } = watchOver(watches.list$);
    expect(seen.items).toEqual([[]]);
    const opened = source();
    const following = [opened, opened].map(({ events$ }) => watchOver(events$).subscription);
    watches.changed();
    watches.changed();
    expect(seen.items).toHaveLength(1);
    jest.advanceTimersByTime(10);
    expect(seen.items.slice(1)).toEqual([
      [
        {
          id: 1,
          key: '/a',
          recursive: true,
          state: 'connecting',
          endpoint: here,
          subscribers: 2,
          since: expect.any(Date) as unknown,
        },
      ],
    ]);
    member.streams[0]?.head(9);
    jest.advanceTimersByTime(10);
    expect(seen.items.at(-1)).toMatchObject([{ state: 'live', index: 9 }]);
    member.streams[0]?.lines([15]).end();
    jest.advanceTimersByTime(10);
    expect(seen.items.at(-1)).toMatchObject([{ state: 'lost', index: 15, endpoint: here }]);
    for (const one of following) one.unsubscribe();
    jest.advanceTimersByTime(1_010);
    expect(seen.items.at(-1)).toEqual([]);
  });

  test('who comes later gets the list of then', () => {
    watchOver(source().events$);
    member.streams[0]?.head(9);
    const { seen } = watchOver(watches.list$);
    expect(seen.items).toMatchObject([[{ id: 1, state: 'live' }]]);
  });

  test('a state began when it was entered', () => {
    watchOver(source().events$);
    const begun = Date.now();
    jest.advanceTimersByTime(100);
    member.streams[0]?.head(9);
    jest.advanceTimersByTime(500);
    const [watch] = watchOver(watches.list$).seen.items[0] ?? [];
    expect(watch?.since.getTime()).toBe(begun + 100);
  });

  test('one that nobody follows yet has no place', () => {
    source();
    const [watch] = watchOver(watches.list$).seen.items[0] ?? [];
    expect(watch).toMatchObject({ state: 'connecting', subscribers: 0 });
    expect(Object.keys(watch ?? {})).not.toContain('endpoint');
    expect(Object.keys(watch ?? {})).not.toContain('index');
  });
});
