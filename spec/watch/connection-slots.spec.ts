import { EMPTY, expand, Observable, throwError } from 'rxjs';
import type { WatchEvent } from '../../lib/v2/model/model.js';
import type { LegItem } from '../../lib/watch/leg-item.js';
import { ConnectionSlots } from '../../lib/watch/connection-slots.js';
import { here, short, watchOver } from '../support/scripted/fake-member.js';

const there = 'http://b';
const live: LegItem<WatchEvent> = { type: 'live', endpoint: here };

let slots: ConnectionSlots;
/** How many legs run, and how many did at most. */
let running: number;
let most: number;

/** A leg in the queue; `emit` and `end` are what it does by itself. */
function take(endpoint = here) {
  const state = { started: 0, emit: (_: LegItem<WatchEvent>): void => undefined, end: (): void => undefined };
  const leg$ = new Observable<LegItem<WatchEvent>>((subscriber) => {
    state.started += 1;
    running += 1;
    most = Math.max(most, running);
    state.emit = (item) => subscriber.next(item);
    state.end = () => subscriber.complete();
    return () => (running -= 1);
  });
  return Object.assign(state, watchOver(slots.take$(endpoint, leg$)));
}
const takeMany = (count: number) => Array.from({ length: count }, () => take());
/** What is due now: a turn is passed on in a microtask. */
const settle = (): void => {
  jest.advanceTimersByTime(0);
};

beforeEach(() => {
  jest.useFakeTimers();
  slots = new ConnectionSlots(4);
  running = most = 0;
});
afterEach(() => jest.useRealTimers());

describe('ConnectionSlots', () => {
  test('four run, the fifth waits and says so', () => {
    const legs = takeMany(5);
    expect(legs.map(({ started }) => started)).toEqual([1, 1, 1, 1, 0]);
    expect(legs.map(({ seen }) => short(seen.items))).toEqual([[], [], [], [], ['waiting']]);
    expect(legs[4]?.seen.items).toEqual([{ type: 'waiting', endpoint: here }]);
  });

  test('each endpoint has four of its own', () => {
    takeMany(4);
    const other = take(there);
    expect([other.started, short(other.seen.items)]).toEqual([1, []]);
  });

  test('what a leg emits passes, as does its end', () => {
    const leg = take();
    leg.emit(live);
    expect([leg.seen.items, leg.seen.done]).toEqual([[live], false]);
    leg.end();
    expect([leg.seen.done, running]).toEqual([true, 0]);
  });

  test('its error too, and it makes room', () => {
    takeMany(3);
    const failing = watchOver(
      slots.take$(
        here,
        throwError(() => new RangeError('x')),
      ),
    );
    expect(failing.seen.error).toBeInstanceOf(RangeError);
    settle();
    expect(take().started).toBe(1);
  });

  test.each<[string, (leg: ReturnType<typeof take>) => void]>([
    ['ends', (leg) => leg.end()],
    ['is unsubscribed', (leg) => leg.subscription.unsubscribe()],
  ])('one that waits gets its turn when another %s; who came first goes first', (_, leave) => {
    const legs = takeMany(6);
    leave(legs[2]!);
    settle();
    expect(legs.map(({ started }) => started)).toEqual([1, 1, 1, 1, 1, 0]);
    leave(legs[0]!);
    settle();
    expect(legs.map(({ started }) => started)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(most).toBe(4);
  });

  test('after a second the oldest makes room: it chains and ends', () => {
    const legs = takeMany(2);
    jest.advanceTimersByTime(300);
    legs.push(...takeMany(3));
    jest.advanceTimersByTime(999);
    expect(legs.map(({ seen }) => seen.done)).toEqual([false, false, false, false, false]);
    jest.advanceTimersByTime(1);
    expect(legs.map(({ seen }) => seen.done)).toEqual([true, false, false, false, false]);
    expect(short(legs[0]!.seen.items)).toEqual(['end']);
    expect([legs[4]!.started, most]).toEqual([1, 4]);
  });

  test('a leg has a second for itself, though others have waited for longer', () => {
    const legs = takeMany(5);
    jest.advanceTimersByTime(500);
    for (const leg of legs.slice(0, 4)) leg.end();
    settle();
    legs.push(...takeMany(4));
    jest.advanceTimersByTime(999);
    expect(legs.slice(4).map(({ seen }) => seen.done)).toEqual([false, false, false, false, false]);
    jest.advanceTimersByTime(1);
    expect(legs.slice(4).map(({ seen }) => seen.done)).toEqual([true, false, false, false, false]);
  });

  test('all in the queue come round, each in its turn, never more than four at a time', () => {
    const legs = takeMany(20);
    jest.advanceTimersByTime(30_000);
    expect(legs.map(({ started }) => started)).toEqual(legs.map(() => 1));
    expect(most).toBe(4);
  });

  test('without anyone who waits nobody yields', () => {
    const legs = takeMany(4);
    jest.advanceTimersByTime(60_000);
    expect(legs.map(({ seen }) => seen.done)).toEqual([false, false, false, false]);
  });

  test('one that is unsubscribed while it waits never starts, and asks for nothing more', () => {
    const legs = takeMany(6);
    legs[4]?.subscription.unsubscribe();
    legs[0]?.end();
    settle();
    expect(legs.map(({ started }) => started)).toEqual([1, 1, 1, 1, 0, 1]);
    jest.advanceTimersByTime(60_000);
    expect(legs.map(({ started, seen }) => [started, short(seen.items)])).toEqual([
      [1, []],
      [1, []],
      [1, []],
      [1, []],
      [0, ['waiting']],
      [1, ['waiting']],
    ]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('nothing starts while all are being closed, and nothing is left behind', () => {
    const legs = takeMany(8);
    for (const { subscription } of legs) subscription.unsubscribe();
    settle();
    expect(legs.map(({ started }) => started)).toEqual([1, 1, 1, 1, 0, 0, 0, 0]);
    expect([running, jest.getTimerCount()]).toEqual([0, 0]);
    expect(take().started).toBe(1);
  });

  test('a leg that chains leaves its turn to the next one, unless others wait', () => {
    const chain: LegItem<WatchEvent> = { type: 'end' };
    const leg$ = new Observable<LegItem<WatchEvent>>((subscriber) => {
      subscriber.next(chain);
      subscriber.complete();
    });
    const chained = () =>
      watchOver(
        slots
          .take$(here, leg$)
          .pipe(expand((item, i) => (item.type === 'end' && i < 3 ? slots.take$(here, leg$) : EMPTY))),
      ).seen;
    takeMany(3);
    expect(short(chained().items)).toEqual(['end', 'end', 'end', 'end']);
    const [fourth] = takeMany(1);
    const fifth = take();
    expect([fourth?.started, fifth.started]).toEqual([1, 0]);
    expect(short(chained().items)).toEqual(['waiting']);
  });

  test('one that comes in the moment in which another leaves does not make a fifth, nor jump the queue', () => {
    const legs = takeMany(5);
    legs[0]?.end();
    const late = take();
    settle();
    expect([most, legs[4]?.started, late.started]).toEqual([4, 1, 0]);
    legs[1]?.end();
    settle();
    expect(late.started).toBe(1);
  });
});
