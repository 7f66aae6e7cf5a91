import { Subscription } from 'rxjs';
import { progress } from '../../../lib/watch/leg-item.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import { rearm$ } from '../../../lib/v2/watch/rearm.js';
import { Pace } from '../../../lib/v2/watch/pace.js';
import { FakeMember, here } from '../../support/scripted/fake-member.js';

let member: FakeMember;
let cursor: Cursor;
let busy: boolean;
/** When it was due, in ms since the start. */
let times: number[];
const subscriptions = new Subscription();

function start(context = member.context) {
  const begun = performance.now();
  const subscription = rearm$(member.site({ context, position: cursor }), () => busy).subscribe(() =>
    times.push(performance.now() - begun),
  );
  subscriptions.add(subscription);
  return subscription;
}
const pass = (ms: number) => jest.advanceTimersByTime(ms);

beforeEach(() => {
  jest.useFakeTimers();
  member = new FakeMember();
  cursor = new Cursor(10);
  busy = false;
  times = [];
});
afterEach(() => {
  jest.useRealTimers();
});
afterAll(() => subscriptions.unsubscribe());

test('once the store is more than 250 ahead', () => {
  start();
  member.tellIndex(260);
  expect(times).toEqual([]);
  member.tellIndex(261);
  expect(times).toEqual([0]);
});

test('at most once in a second', () => {
  start();
  for (let i = 0; i < 30; i++) {
    member.tellIndex(500 + i);
    pass(100);
  }
  expect(times.length).toBeGreaterThan(1);
  for (const [i, time] of times.slice(1).entries())
    expect(time - (times[i] ?? 0)).toBeGreaterThanOrEqual(1_000);
});

test('after 15 s if the store moved at all: its connection may be dead without a word', () => {
  start();
  pass(15_000);
  member.tellIndex(10);
  expect(times).toEqual([]);
  pass(1);
  member.tellIndex(10);
  expect(times).toEqual([15_001]);
  // The next 15 s begin with the question.
  pass(15_000);
  member.tellIndex(10);
  expect(times).toHaveLength(1);
  pass(1);
  member.tellIndex(10);
  expect(times).toHaveLength(2);
});

test('never while the store stands still', () => {
  start();
  for (let i = 0; i < 20; i++) {
    pass(10_000);
    member.tellIndex(9);
  }
  expect(times).toEqual([]);
});

test.each<[string, () => void]>([
  ['an event arrives', () => (busy = true)],
  ['history is lost', () => (cursor.lost = 'cleared')],
  ['the start is open', () => (cursor = new Cursor())],
])('not while %s', (_, prepare) => {
  prepare();
  start();
  member.tellIndex(5_000);
  expect(times).toEqual([]);
});

test('by the pace of all watches; if meanwhile it is needed no more, not at all', () => {
  const pace = new Pace(10);
  const context = { ...member.context, pace };
  pace.delay();
  start(context);
  member.tellIndex(5_000);
  pass(99);
  expect(times).toEqual([]);
  pass(1);
  expect(times).toEqual([100]);

  pass(900);
  pace.delay();
  member.tellIndex(5_001);
  cursor.moveTo(progress(5_000 + 1));
  pass(10_000);
  expect(times).toEqual([100]);
});

test('one turn at a time: readings that come while it waits for its turn ask for no more', () => {
  const pace = new Pace(0.2);
  pace.delay();
  start({ ...member.context, pace });
  for (let i = 0; i < 4; i++) {
    member.tellIndex(5_000);
    pass(1_100);
  }
  pass(600);
  expect(times).toEqual([5_000]);
});

describe('each reading', () => {
  test('is a witness for what the leg claims', () => {
    start();
    cursor.claims.claim(here, 50, performance.now());
    pass(999);
    member.tellIndex(51);
    expect(cursor.next).toBe(10);
    pass(1);
    member.tellIndex(51);
    expect(cursor.next).toBe(51);
  });

  test('moves the place before it is judged', () => {
    start();
    cursor.claims.claim(here, 500, performance.now());
    pass(1_500);
    member.tellIndex(501);
    expect([cursor.next, times]).toEqual([501, []]);
  });

  test('that fails at its own member voids the claims, one of another does not', () => {
    start();
    cursor.claims.claim(here, 50, performance.now());
    pass(1_500);
    member.storeIndexes$.next({
      endpoint: 'http://b',
      index: 0,
      sentAt: performance.now(),
      answered: false,
      denied: false,
    });
    member.tellIndex(51);
    expect(cursor.next).toBe(51);
    cursor.claims.claim(here, 90, performance.now());
    pass(1_500);
    member.tellIndex(0, false);
    member.tellIndex(91);
    expect(cursor.next).toBe(51);
  });
});

test('unsubscribed while it waits for its turn it is not due', () => {
  const pace = new Pace(1);
  pace.delay();
  const subscription = start({ ...member.context, pace });
  member.tellIndex(5_000);
  subscription.unsubscribe();
  pass(10_000);
  expect([times, member.storeIndexes$.observed, jest.getTimerCount()]).toEqual([[], false, 0]);
});
