import { BehaviorSubject, defer, endWith, filter, ignoreElements, map, of, retry, take } from 'rxjs';
import { unrefScheduler } from '../../../lib/util/unref-scheduler.js';
import { UnsupportedByServerError } from '../../../lib/errors.js';
import type { WatchEvent } from '../../../lib/v2/model/model.js';
import type { Cursor } from '../../../lib/v2/watch/cursor.js';
import { V2Watch } from '../../../lib/v2/watch/v2-watch.js';
import { WatchSource } from '../../../lib/watch/watch-source.js';
import { TransportError } from '../../../lib/transport/transport-error.js';
import { answerOf, FakeMember, here, watchOver } from '../../support/scripted/fake-member.js';

const target = { key: '/a', recursive: true };
let member: FakeMember;
let ended: jest.Mock;
const open = (fromIndex?: number) =>
  new WatchSource(
    member.context,
    new V2Watch(member.context, target),
    { id: 7, target, from: fromIndex },
    () => undefined,
    ended,
  );
const types = () => member.told.map(({ type }) => type);

beforeEach(() => {
  jest.useFakeTimers();
  member = new FakeMember();
  ended = jest.fn();
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

test('nothing is sent before it is subscribed', () => {
  const source = open();
  expect([member.requests, source.run]).toEqual([[], undefined]);
  watchOver(source.events$);
  expect([member.streams.length, source.run?.stage, source.run?.endpoint]).toEqual([1, 'connecting', here]);
});

test('all who follow it share one connection, and each sees every event from then on', () => {
  const source = open();
  const first = watchOver(source.events$).seen;
  member.streams[0]?.head(9).lines([10]);
  const others = Array.from({ length: 1_000 }, () => watchOver(source.events$).seen);
  member.streams[0]?.lines([11]);
  expect(first.items.map(({ index }) => index)).toEqual([10, 11]);
  for (const { items } of others) expect(items.map(({ index }) => index)).toEqual([11]);
  expect(member.requests).toHaveLength(1);
});

test('it outlives its last subscriber by a second, on timers that keep no process alive', () => {
  const schedule = jest.spyOn(unrefScheduler, 'schedule');
  const source = open();
  const { subscription } = watchOver(source.events$);
  member.streams[0]?.head(9);
  subscription.unsubscribe();
  expect(schedule.mock.calls.map(([, delay]) => delay)).toEqual([1_000]);
  jest.advanceTimersByTime(999);
  const { seen, subscription: second } = watchOver(source.events$);
  member.streams[0]?.lines([10]);
  expect([seen.items.length, member.requests.length]).toEqual([1, 1]);
  jest.advanceTimersByTime(5_000);
  expect(ended).not.toHaveBeenCalled();
  second.unsubscribe();
  jest.advanceTimersByTime(1_000);
  expect([ended.mock.calls.length > 0, member.streams[0]?.gone]).toEqual([true, true]);
  expect(types()).toEqual(['watch-live', 'watch-ended']);
  expect(jest.getTimerCount()).toBe(0);
});

test('one with a start of its own ends with its subscriber', () => {
  const { subscription } = watchOver(open(10).events$);
  subscription.unsubscribe();
  jest.advanceTimersByTime(0);
  expect([ended.mock.calls.length > 0, member.streams[0]?.gone]).toEqual([true, true]);
});

test('legs are chained from the cursor on', async () => {
  const { seen } = watchOver(open().events$);
  member.streams[0]?.head(9).lines([10]);
  // A follower that leaves out what a snapshot held: the next leg asks for it.
  member.leader = 'http://b';
  member.streams[0]?.lines([2_000]);
  expect([member.streams.length, member.streams[0]?.gone]).toEqual([1, true]);
  await Promise.resolve();
  expect(member.streams).toHaveLength(2);
  member.streams[1]?.head(2_000);
  expect(member.polls[0]?.waitIndex).toBe('11');
  expect(seen.error).toBeUndefined();
});

test('a failure restarts it after a while, from the cursor on', () => {
  const { seen } = watchOver(open().events$);
  member.streams[0]?.head(9).lines([10]).end();
  expect(types()).toEqual(['watch-live', 'watch-lost']);
  jest.advanceTimersByTime(member.context.settings.retry.initialDelay);
  expect(member.streams).toHaveLength(2);
  member.streams[1]?.head(10).lines([11]);
  expect(seen.items.map(({ index }) => index)).toEqual([10, 11]);
});

test('what no retry can mend ends it; it has ended before its subscribers hear of it', () => {
  const order: string[] = [];
  ended.mockImplementation(() => order.push('ended'));
  const source = open();
  source.events$.subscribe({ error: () => order.push('error') });
  member.streams[0]?.head(9, undefined, 404).answer('404 page not found');
  expect(order.slice(0, 2)).toEqual(['ended', 'error']);
  expect(member.told.at(-1)).toMatchObject({ type: 'watch-ended', error: expect.any(String) as unknown });
});

test('an error resets: who retries at once gets a new source', () => {
  const sources: WatchSource<WatchEvent, Cursor>[] = [];
  const { seen } = watchOver(
    defer(() => {
      const source = ended.mock.calls.length > 0 || sources.length === 0 ? open() : sources[0]!;
      sources.push(source);
      return source.events$;
    }).pipe(retry(1)),
  );
  member.streams[0]?.head(9, undefined, 404).answer('404 page not found');
  expect([new Set(sources).size, member.streams.length]).toEqual([2, 2]);
  member.streams[1]?.head(9).lines([10]);
  expect(seen.items.map(({ index }) => index)).toEqual([10]);
  member.streams[1]?.fail(new RangeError('bug'));
  expect(seen.error).toBeInstanceOf(RangeError);
  expect(seen.error).not.toBeInstanceOf(UnsupportedByServerError);
});

test('it completes when the client is closed', () => {
  const { seen } = watchOver(open().events$);
  member.streams[0]?.head(9);
  member.closing$.next();
  expect([seen.done, member.streams[0]?.gone, ended.mock.calls.length > 0]).toEqual([true, true, true]);
});

test('it completes at once when the client is closed between two tries', () => {
  const { seen } = watchOver(open().events$);
  member.streams[0]?.head(9).end();
  expect([types().at(-1), seen.done]).toEqual(['watch-lost', false]);
  member.closing$.next();
  expect([seen.done, seen.error, ended.mock.calls.length > 0]).toEqual([true, undefined, true]);
  jest.advanceTimersByTime(60_000);
  expect(member.streams).toHaveLength(1);
});

test('it completes when the client is closed while its next leg waits for an endpoint', async () => {
  const view$ = new BehaviorSubject(true);
  const closing$ = view$.pipe(ignoreElements(), endWith(undefined));
  Object.assign(member.context.cluster, {
    watchEndpoint$: () =>
      view$.pipe(
        filter((named) => named),
        map(() => here),
        take(1),
      ),
    leave$: () => closing$.pipe(ignoreElements()),
    closing$,
  });
  const { seen } = watchOver(open().events$);
  member.streams[0]?.head(9);
  member.leader = 'http://b';
  view$.next(false);
  // Its leg ends with the word to chain.
  member.streams[0]?.lines([2_000]);
  await Promise.resolve();
  expect([seen.done, member.requests.length]).toEqual([false, 1]);
  view$.complete();
  expect([seen.done, seen.error, member.requests.length]).toEqual([true, undefined, 1]);
  expect(types().at(-1)).toBe('watch-ended');
});

test('somebody else has found out that the cluster was rebuilt: the next leg starts with the state, once', () => {
  jest.spyOn(Math, 'random').mockReturnValue(1); // whole delays
  const { initialDelay } = member.context.settings.retry;
  const source = open();
  const { seen } = watchOver(source.events$);
  member.streams[0]!.head(9);
  const { mark } = member.watermark;
  member.watermark.restart(mark, { etcdIndex: 12 });
  // It is above the position: nothing else tells of it.
  member.onRead = () => of(answerOf(200, 12, { action: 'get', node: { key: '/a', value: 'new' } }));
  member.streams[0]!.end();
  jest.advanceTimersByTime(initialDelay);
  expect(source.run?.position.lost).toBe('rebuilt');
  jest.advanceTimersByTime(2 * initialDelay);
  member.streams[1]!.head(12).lines([13]);
  member.streams[1]!.end();
  jest.advanceTimersByTime(4 * initialDelay);
  member.streams[2]!.head(13).lines([14]);
  expect(seen.items.map(({ action, index }) => `${action}@${String(index)}`)).toEqual([
    'resync@12',
    'set@13',
    'set@14',
  ]);
});

describe('a position that history does not hold any more', () => {
  const cleared = { errorCode: 401, message: 'x' };
  const state = (index: number, modifiedIndex: number) => () =>
    of(answerOf(200, index, { action: 'get', node: { key: '/a', value: 'now', modifiedIndex } }));
  /** After a failure the next leg has begun; and what it asks for is not overdue. */
  const soon = 200;
  /** A watch that was idle at 10 while the store went to 600, and whose stream fails. */
  function leave(at = 600) {
    const { seen } = watchOver(open(10).events$);
    member.streams[0]?.head(9);
    for (let index = 300; index <= at; index += 300) {
      jest.advanceTimersByTime(1_100);
      member.tellIndex(index);
      member.polls.at(-1)?.head(index);
    }
    jest.advanceTimersByTime(1_100);
    member.tellIndex(at);
    member.streams[0]?.fail(new TransportError('reset', 'x', true));
    jest.advanceTimersByTime(soon);
    return seen;
  }
  const sets = (seen: { items: WatchEvent[] }) => seen.items.map(({ action, index }) => `${action}@${index}`);

  test('is asked from again as long as it may do', () => {
    const seen = leave();
    member.streams[1]?.head(601);
    expect([member.polls.at(-1)?.waitIndex, member.reads]).toEqual(['10', []]);
    member.polls.at(-1)?.head(601).event(100);
    expect(sets(seen)).toEqual(['set@100']);
  });

  test.each([600, 1_200])('is passed if the state shows nothing new: no resync (%i)', (at) => {
    member.onRead = state(2_000, 5);
    const seen = leave(at);
    if (at === 600) {
      member.streams[1]?.head(1_200);
      member.polls.at(-1)?.head(1_200, undefined, 400).answer(cleared);
      jest.advanceTimersByTime(soon);
    }
    expect(member.reads).toHaveLength(1);
    member.streams.at(-1)?.head(1_200);
    if (at === 600) expect(member.polls.at(-1)?.waitIndex).toBe('601');
    member.streams.at(-1)?.lines([1_201]);
    member.polls.at(-1)?.head(1_201).event(1_201);
    expect([sets(seen), seen.error]).toEqual([['set@1201'], undefined]);
  });

  test('is lost if the state shows something new', () => {
    member.onRead = state(2_000, 700);
    const seen = leave(1_200);
    while (member.streams.length < 2) jest.advanceTimersByTime(10);
    member.streams.at(-1)?.head(2_000);
    expect(seen.items).toMatchObject([
      { action: 'resync', lost: { reason: 'cleared', from: 10, to: 2_000 } },
    ]);
  });

  test('waits for a member that lags', () => {
    const quorum = state(1_300, 5);
    const lagging = state(1_100, 5);
    member.onRead = ({ path }) => (path.includes('quorum') ? quorum() : lagging());
    const seen = leave(1_200);
    expect([seen.items, member.streams.length]).toEqual([[], 1]);
    member.onRead = quorum;
    jest.advanceTimersByTime(5_000);
    expect([seen.items, member.streams.length]).toEqual([[], 2]);
  });
});
