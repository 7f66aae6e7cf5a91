import { concat, defer, finalize, mergeMap, NEVER, of, retry, Subject, take, throwError } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { TransportError } from '../../lib/transport/transport-error.js';
import type { LegItem } from '../../lib/watch/leg-item.js';
import { WatchSource } from '../../lib/watch/watch-source.js';
import { watchOver } from '../support/scripted/fake-member.js';
import {
  batch,
  FakeProtocol,
  fakeWatchContext,
  type FakePosition,
} from '../support/scripted/fake-protocol.js';

/* The loop of every watch: legs chained by `expand`, restarted by `retry`, around a position that outlives both. */

const here = 'http://a';
const live: LegItem<string> = { type: 'live', endpoint: here };
const end: LegItem<string> = { type: 'end' };
const reset = new TransportError('reset', 'ECONNRESET', true);

let protocol: FakeProtocol;
let fake: ReturnType<typeof fakeWatchContext>;
let ended: jest.Mock;
const open = (from?: number) =>
  new WatchSource<string, FakePosition>(
    fake.context,
    protocol,
    { id: 7, target: { key: '/a' }, from },
    () => undefined,
    ended,
  );

beforeEach(() => {
  jest.useFakeTimers();
  jest.spyOn(Math, 'random').mockReturnValue(1); // whole delays
  protocol = new FakeProtocol();
  fake = fakeWatchContext();
  ended = jest.fn();
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

describe('marbles', () => {
  const items: Record<string, LegItem<string>> = { l: live, a: batch(1), b: batch(2), c: batch(3), e: end };

  /** Legs as marbles (the last one outlives its subscriber by the grace), each begun when it is asked for; what comes out, and when each leg was open. */
  const expectLegs = (legs: string[], expected: string, subscriptions: string[], unsubscribe?: string) => {
    new TestScheduler((actual, wanted) => {
      expect(actual).toEqual(wanted);
    }).run(({ cold, expectObservable, expectSubscriptions }) => {
      const leg$s = legs.map((marbles) => cold(marbles, items, reset));
      protocol.onLeg = () => leg$s[protocol.sites.length - 1] ?? NEVER;
      expectObservable(open().events$, unsubscribe).toBe(expected, {
        a: '1.0',
        b: '2.0',
        c: '3.0',
      });
      leg$s.forEach((leg$, i) => {
        expectSubscriptions(leg$.subscriptions).toBe(subscriptions[i] ?? []);
      });
    });
  };

  test('a leg that ends is followed by the next at once, never by two at a time', () => {
    expectLegs(
      ['-l-a-e', '-b-e', '-c-'],
      '---a--b--c-----',
      ['^----!', '-----^--!', '--------^'],
      '--------------!',
    );
  });

  test('an error is followed by the next after a while, longer each time', () => {
    expectLegs(['-l-a-#', '#', '-b-'], '---a 302ms b---', ['^----!', '105ms (^!)', '305ms ^'], '310ms !');
  });
});

test('a hundred thousand legs that end at once follow each other', async () => {
  let legs = 0;
  protocol.onLeg = () => ((legs += 1) <= 100_000 ? of(end) : NEVER);
  const { subscription } = watchOver(open().events$);
  while (legs <= 100_000) await Promise.resolve();
  expect(legs).toBe(100_001);
  subscription.unsubscribe();
});

test('one leg is torn down before the next begins', async () => {
  let open$ = 0;
  const most: number[] = [];
  protocol.onLeg = () =>
    concat(
      defer(() => {
        most.push((open$ += 1));
        return of(live);
      }),
      protocol.sites.length < 5 ? of(end) : NEVER,
      NEVER,
    ).pipe(finalize(() => (open$ -= 1)));
  watchOver(open().events$);
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  expect(most).toEqual([1, 1, 1, 1, 1]);
});

test('the events of a batch come one by one; who has enough in its midst gets no more', () => {
  const leg$ = new Subject<LegItem<string>>();
  protocol.onLeg = () => leg$;
  const source = open();
  const all = watchOver(source.events$).seen;
  const two = watchOver(source.events$.pipe(take(2))).seen;
  leg$.next(batch(5, 3));
  expect([all.items, two.items]).toEqual([
    ['5.0', '5.1', '5.2'],
    ['5.0', '5.1'],
  ]);
  expect(source.run?.position.next).toBe(6);
});

test('what moves the position without an event is told to nobody', () => {
  const leg$ = new Subject<LegItem<string>>();
  protocol.onLeg = () => leg$;
  const source = open();
  const { seen } = watchOver(source.events$);
  leg$.next({ ...batch(5), events: [] });
  expect([seen.items, source.run?.position.next]).toEqual([[], 6]);
});

test('the position has moved before the next leg is made', async () => {
  const places: unknown[] = [];
  protocol.onLeg = ({ position }) => {
    places.push(position.next);
    return places.length < 3 ? of(batch(places.length * 10), end) : NEVER;
  };
  watchOver(open(3).events$);
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  expect(places).toEqual([3, 11, 21]);
});

test('it leaves its member when told to, and asks the next from the same place', () => {
  const gone: string[] = [];
  protocol.onLeg = ({ endpoint }) =>
    concat(of(live, batch(4)), NEVER).pipe(finalize(() => gone.push(endpoint)));
  const { seen } = watchOver(open().events$);
  fake.cluster.endpoint = 'http://b';
  fake.leave$.next('another member leads');
  expect(gone).toEqual([here]);
  jest.advanceTimersByTime(100);
  expect(protocol.sites.map(({ endpoint }) => endpoint)).toEqual([here, 'http://b']);
  expect(protocol.sites[1]?.position.next).toBe(5);
  expect(fake.told).toContainEqual(
    expect.objectContaining({ type: 'watch-lost', reason: 'another member leads' }),
  );
  expect(seen.error).toBeUndefined();
  // That is no failure of the member.
  expect(fake.cluster.dropped).not.toHaveBeenCalled();
});

test.each<[string, () => void]>([
  ['while a leg stands', () => watchOver(open().events$)],
  [
    'between two tries',
    () => {
      protocol.onLeg = () => throwError(() => reset);
    },
  ],
])('it completes when the client is closed, %s', (_, prepare) => {
  prepare();
  const { seen } = watchOver(open().events$);
  fake.closing$.next();
  expect([seen.done, seen.error, ended.mock.calls.length > 0]).toEqual([true, undefined, true]);
  jest.advanceTimersByTime(60_000);
  expect(seen.done).toBe(true);
});

describe('who follow it share one run', () => {
  const leg$ = new Subject<LegItem<string>>();
  beforeEach(() => {
    protocol.onLeg = () => leg$;
  });

  test('for a second after the last has gone; who comes meanwhile goes on with it', () => {
    const source = open();
    const [a, b] = [watchOver(source.events$), watchOver(source.events$)];
    leg$.next(batch(1));
    a.subscription.unsubscribe();
    leg$.next(batch(2));
    expect([source.subscribers, a.seen.items, b.seen.items]).toEqual([1, ['1.0'], ['1.0', '2.0']]);
    b.subscription.unsubscribe();
    jest.advanceTimersByTime(999);
    const c = watchOver(source.events$);
    jest.advanceTimersByTime(10_000);
    leg$.next(batch(3));
    expect([protocol.positions.length, c.seen.items, ended.mock.calls.length]).toEqual([1, ['3.0'], 0]);
    c.subscription.unsubscribe();
    jest.advanceTimersByTime(1_000);
    expect([leg$.observed, source.subscribers, ended.mock.calls.length]).toEqual([false, 0, 1]);
  });

  test('one that begins at a place of its own ends with its follower', () => {
    watchOver(open(3).events$).subscription.unsubscribe();
    jest.advanceTimersByTime(0);
    expect([leg$.observed, fake.cluster.entered]).toEqual([false, 0]);
  });

  test('who comes in the midst of a batch gets the rest of it', () => {
    const source = open();
    const { seen } = watchOver(
      source.events$.pipe(
        take(1),
        mergeMap(() => source.events$),
      ),
    );
    leg$.next(batch(5, 3));
    expect(seen.items).toEqual(['5.1', '5.2']);
  });
});

test('who asks again as it fails is told by the new run, whose end is its own', () => {
  const leg$s = [new Subject<LegItem<string>>(), new Subject<LegItem<string>>()];
  protocol.onLeg = () => leg$s[protocol.sites.length - 1] ?? NEVER;
  protocol.onError = () => new RangeError('bug');
  const source = open();
  const { seen, subscription } = watchOver(source.events$.pipe(retry(1)));
  leg$s[0]?.error(new Error('x'));
  leg$s[1]?.next(batch(1));
  expect([seen.items, seen.error, source.subscribers, fake.cluster.entered]).toEqual([
    ['1.0'],
    undefined,
    1,
    1,
  ]);
  subscription.unsubscribe();
  jest.advanceTimersByTime(1_000);
  expect([leg$s[1]?.observed, fake.cluster.entered]).toEqual([false, 0]);
});

test('the heartbeat is wanted as long as it is open', () => {
  const { subscription } = watchOver(open(1).events$);
  expect(fake.cluster.entered).toBe(1);
  subscription.unsubscribe();
  jest.advanceTimersByTime(0);
  expect(fake.cluster.entered).toBe(0);
});

test('who retries when it has ended gets a run of its own', () => {
  protocol.onError = () => new RangeError('bug');
  protocol.onLeg = () => (protocol.sites.length === 1 ? throwError(() => new Error('x')) : of(batch(1)));
  const source = open();
  watchOver(source.events$);
  const { seen } = watchOver(source.events$);
  expect([protocol.positions.length, seen.items]).toEqual([2, ['1.0']]);
});
