import { NEVER, of, Subscription, throwError, type Observable } from 'rxjs';
import type { HttpResponse } from '../../../lib/transport/http.js';
import { TransportError } from '../../../lib/transport/transport-error.js';
import { progress } from '../../../lib/watch/leg-item.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import { Rearm } from '../../../lib/v2/watch/rearm.js';
import { Pace } from '../../../lib/v2/watch/pace.js';
import { answerOf, FakeMember, here } from '../../support/scripted/fake-member.js';

let member: FakeMember;
let cursor: Cursor;
let busy: boolean;
/** Below this index nothing else brings what happens. */
let uncovered: number;
let rearm: Rearm;
/** Where it was to be asked from. */
let places: number[];
/** When it was due, in ms since the start. */
let times: number[];
const subscriptions = new Subscription();

function start(context = member.context) {
  const begun = performance.now();
  rearm = new Rearm(member.site({ context, position: cursor }), {
    busy: () => busy,
    uncovered: () => uncovered,
  });
  const subscription = rearm.asks$.subscribe((from) => {
    times.push(performance.now() - begun);
    places.push(from);
  });
  subscriptions.add(subscription);
  return subscription;
}
const pass = (ms: number) => jest.advanceTimersByTime(ms);

beforeEach(() => {
  jest.useFakeTimers();
  member = new FakeMember();
  cursor = new Cursor(10);
  busy = false;
  uncovered = Infinity;
  places = [];
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
    member.tellIndex(500 + i * 300);
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

test('until two polls have been silent about all that has happened', () => {
  start();
  for (let i = 0; i < 20; i++) {
    pass(15_001);
    member.tellIndex(10);
    const info = { endpoint: here, status: 200, etcdIndex: 10 };
    rearm.saw({ type: 'registered', info, sentAt: performance.now() }, 10);
  }
  expect(times).toHaveLength(2);
  member.tellIndex(11);
  expect(times).toHaveLength(3);
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

test('counted from where the store was when it asked last, not from the position', () => {
  start();
  member.tellIndex(261);
  for (let i = 0; i < 10; i++) {
    pass(1_100);
    member.tellIndex(512);
  }
  expect(times).toEqual([0]);
  member.tellIndex(513);
  expect(times).toHaveLength(2);
});

describe('where to ask from', () => {
  /** A poll shows headers. */
  const head = (etcdIndex: number | undefined, from = cursor.next) => {
    const info = { endpoint: here, status: 200, ...(etcdIndex === undefined ? {} : { etcdIndex }) };
    rearm.saw({ type: 'registered', info, sentAt: performance.now() }, from);
  };
  /** The store grows, and each time that it is asked, the poll shows headers and is silent. */
  function grow(indexes: readonly number[]): void {
    for (const index of indexes) {
      const { length } = places;
      pass(1_100);
      member.tellIndex(index);
      if (places.length > length) head(index);
    }
  }

  test('the position, as long as history is sure to hold it', () => {
    start();
    head(9);
    grow([300, 600]);
    expect([places, cursor.next, cursor.silentTo]).toEqual([[10, 10], 10, 301]);
  });

  test('what else brings what happens is not passed', () => {
    uncovered = 0;
    start();
    head(9);
    grow([300, 600, 900, 1_200, 1_500]);
    expect([places, cursor.next, member.reads]).toEqual([[10, 10, 601, 901, 1_201], 10, []]);
  });

  test('silence counts once its member has answered what was asked later', () => {
    start();
    head(300);
    member.storeIndexes$.next({
      endpoint: here,
      index: 301,
      sentAt: performance.now() - 1,
      answered: true,
      denied: false,
    });
    pass(10);
    const other = { endpoint: 'http://b', sentAt: performance.now(), denied: false };
    member.storeIndexes$.next({ ...other, index: 301, answered: true });
    member.tellIndex(0, false);
    expect(cursor.silentTo).toBe(0);
    member.tellIndex(301);
    expect(cursor.silentTo).toBe(301);
  });

  test('not if something has come since', () => {
    start();
    head(300);
    cursor.moveTo(progress(100));
    pass(1_000);
    member.tellIndex(301);
    expect(cursor.silentTo).toBe(0);
  });

  test('an event that begins to arrive ends it, from where its poll was asked', () => {
    start();
    head(300);
    pass(1_000);
    member.tellIndex(301);
    rearm.saw({ type: 'arriving', pause: { isLong: false } }, 10);
    expect(cursor.silentTo).toBe(10);
  });

  test('without an index in its headers a poll has looked up to what its member had told', () => {
    start();
    head(undefined);
    pass(1_000);
    member.tellIndex(100);
    expect(cursor.silentTo).toBe(0);
    pass(1_000);
    head(undefined);
    member.tellIndex(300);
    expect(cursor.silentTo).toBe(101);
  });

  describe('before it leaves history', () => {
    const node = (more: object) => ({ key: '/a', dir: true, nodes: [{ key: '/a/b', value: 'x', ...more }] });
    const state = (index: number, more: object) => () =>
      of(answerOf(200, index, { action: 'get', node: node(more) }));
    function leave() {
      const subscription = start();
      head(9);
      grow([300, 600, 900]);
      return subscription;
    }
    beforeEach(() => {
      member.onRead = state(900, { createdIndex: 5, modifiedIndex: 5 });
    });

    test('it passes what its polls were silent about, once the state has shown nothing new', () => {
      leave();
      expect(member.reads.map(({ path }) => path)).toEqual(['/v2/keys/a?recursive=true']);
      expect([places, cursor.next, cursor.begins]).toEqual([[10, 10, 601], 601, 10]);
    });

    test('and what lies before its stream alone, where there is one', () => {
      uncovered = 101;
      leave();
      expect([places.at(-1), cursor.next]).toEqual([601, 101]);
    });

    test.each<[string, object, number]>([
      ['changed in it', { createdIndex: 5, modifiedIndex: 10 }, 10],
      ['made in it', { createdIndex: 600, modifiedIndex: 600 }, 10],
      ['changed behind it, perhaps not for the first time', { createdIndex: 5, modifiedIndex: 900 }, 10],
      ['changed before', { createdIndex: 5, modifiedIndex: 9 }, 601],
      ['hidden', { key: '/a/_b', createdIndex: 20, modifiedIndex: 20 }, 601],
    ])('a node %s: %j; it asks from %i', (_, more, from) => {
      member.onRead = state(900, more);
      leave();
      expect([places.at(-1), cursor.next]).toEqual([from, from]);
    });

    test.each<[string, () => Observable<HttpResponse>]>([
      ['that of a member that lags', state(599, {})],
      ['none', () => throwError(() => new TransportError('reset', 'x', true))],
    ])('a state is %s: it asks from the position once more', (_, read) => {
      member.onRead = read;
      leave();
      expect([places, cursor.next]).toEqual([[10, 10, 10], 10]);
    });

    test('nothing is asked while the state is read, and nothing is left when nobody waits for it', () => {
      member.onRead = () => NEVER;
      const subscription = leave();
      grow([1_300, 1_700]);
      expect([places, member.reads.length]).toEqual([[10, 10], 1]);
      subscription.unsubscribe();
      expect([member.storeIndexes$.observed, jest.getTimerCount()]).toEqual([false, 0]);
    });
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
