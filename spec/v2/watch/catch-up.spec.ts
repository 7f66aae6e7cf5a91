import { Subject, tap } from 'rxjs';
import { Fault } from '../../../lib/cluster/fault.js';
import { progress } from '../../../lib/watch/leg-item.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import { catchUp$ } from '../../../lib/v2/watch/catch-up.js';
import { TransportError } from '../../../lib/transport/transport-error.js';
import { MemberLeft } from '../../../lib/watch/member-left.js';
import { indexOf } from '../../../lib/v2/watch/poll-part.js';
import { FakeMember, range, type FakeRequest, watchOver } from '../../support/scripted/fake-member.js';

let member: FakeMember;
let cursor: Cursor;
/** The member's matching events, and how far its store is. */
let history: number[];
let store: number;
/** Of the values in its answers. */
let value: string;
let most: number;
/** It is to be asked again. */
let asks$: Subject<void>;
/** Something has come that waits behind the gap. */
let arrivals$: Subject<void>;
let isAwaited: boolean;

/** Answers as etcd does, 1 ms later; parks what it has no event for. */
function serve(request: FakeRequest): void {
  most = Math.max(most, open().length);
  const from = Number(request.waitIndex);
  setTimeout(() => {
    if (request.gone) return;
    request.head(store);
    const found = history.find((index) => index >= from);
    if (found !== undefined) request.event(found, { value });
  }, 1);
}
const open = () => member.requests.filter(({ gone }) => !gone);

/** Fills in what lies from the cursor to an index; the cursor goes along, as with the leg. */
function run(upTo: number) {
  const found: number[] = [];
  const gap = { asks$, arrivals$, isAwaited: () => isAwaited, saw: told };
  const { seen, subscription } = watchOver(
    catchUp$(member.site({ position: cursor }), upTo, gap).pipe(
      tap((answer) => {
        found.push(indexOf(answer));
        cursor.moveTo(progress(indexOf(answer) + 1));
      }),
    ),
  );
  return { seen, found, subscription };
}
/** What comes behind the gap has come. */
function arrive(): void {
  isAwaited = true;
  arrivals$.next();
}
const told = jest.fn();
const pass = (ms: number) => jest.advanceTimersByTime(ms);

beforeEach(() => {
  jest.useFakeTimers();
  member = new FakeMember();
  member.onRequest = serve;
  cursor = new Cursor(10);
  history = [];
  store = 1_000;
  value = 'v';
  most = 0;
  asks$ = new Subject();
  arrivals$ = new Subject();
  isAwaited = false;
  told.mockClear();
});
afterEach(() => jest.useRealTimers());

test('nothing is asked where nothing is left', () => {
  const { seen } = run(9);
  expect([seen.done, member.requests]).toEqual([true, []]);
});

test('everything in order and once, by several polls side by side', () => {
  history = range(10, 509);
  const { seen, found } = run(509);
  pass(100);
  expect([seen.done, seen.error]).toEqual([true, undefined]);
  expect(found).toEqual(history);
  expect(most).toBe(32);
  expect(open()).toEqual([]);
});

test('nothing is emitted before all below it is proven, however late that comes', () => {
  history = range(10, 509);
  // The second worker's poll is the one that the third must wait for.
  let late: FakeRequest | undefined;
  member.onRequest = (request) => {
    if (member.requests.length === 3) late = request;
    else serve(request);
  };
  const { seen, found } = run(509);
  pass(100);
  const from = Number(late?.waitIndex);
  expect(from).toBeGreaterThan(11);
  expect(found).toEqual(range(10, from - 1));
  member.onRequest = serve;
  late?.head(store).event(from);
  pass(100);
  expect([found, seen.done]).toEqual([history, true]);
});

test('a short range by one poll after the other', () => {
  history = range(10, 17);
  const { seen, found } = run(17);
  pass(100);
  expect([found, seen.done, most]).toEqual([history, true, 1]);
});

test('with authentication two side by side: each costs the server 60 ms', () => {
  member = new FakeMember({ authorization: 'Basic x' });
  member.onRequest = serve;
  history = range(10, 209);
  const { seen, found } = run(209);
  pass(500);
  expect([found, seen.done, most]).toEqual([history, true, 2]);
});

test('big events one after the other: too much would have to be held', () => {
  value = 'x'.repeat(100_000);
  history = range(10, 209);
  const { seen, found } = run(209);
  pass(1_000);
  expect([found, seen.done, most]).toEqual([history, true, 1]);
});

test('an event above the end proves the rest, and is for the stream to bring', () => {
  history = [12, 40, 77, 300, 301];
  const { seen, found } = run(209);
  pass(100);
  expect([found, seen.done, cursor.next]).toEqual([[12, 40, 77], true, 78]);
});

test('so does a first one', () => {
  history = [300];
  const { seen, found } = run(209);
  pass(100);
  expect([found, seen.done, member.polls.length]).toEqual([[], true, 1]);
});

test('silence ends the polls side by side: one waits at the cursor for what is left', () => {
  history = [12, 40, 77];
  const { seen, found } = run(209);
  pass(200);
  expect(open().length).toBeGreaterThan(1);
  pass(200);
  expect([found, seen.done]).toEqual([[12, 40, 77], false]);
  expect(open().map(({ waitIndex }) => waitIndex)).toEqual(['78']);
  open()[0]?.event(300);
  expect([found, seen.done]).toEqual([[12, 40, 77], true]);
});

describe('a quiet tail', () => {
  const asked = () => open().map(({ waitIndex }) => waitIndex);

  test('is proven by no silence', () => {
    history = [12];
    const { seen, found } = run(209);
    pass(20_000);
    member.tellIndex(store);
    expect([asked(), found, seen.done, cursor.next]).toEqual([['13'], [12], false, 13]);
    expect(told.mock.calls.at(-1)).toEqual([expect.objectContaining({ type: 'registered' }), 13]);
    open()[0]?.event(300);
    expect([found, seen.done]).toEqual([[12], true]);
  });

  test('whose event is held back is asked for again while something waits behind it', () => {
    history = [12];
    const { seen, found } = run(209);
    pass(400);
    arrive();
    pass(99);
    expect(asked()).toEqual(['13']);
    history.push(100, 300);
    pass(1);
    expect(asked()).toEqual(['13', '13']);
    pass(10);
    expect([found, seen.done, open()]).toEqual([[12, 100], true, []]);
  });

  test('and again, less and less often, with no more than two polls at a time', () => {
    history = [12];
    run(209);
    pass(400);
    member.onRequest = () => undefined;
    const before = member.polls.length;
    arrive();
    pass(7_000);
    expect([member.polls.length - before, open().length]).toEqual([4, 2]);
  });

  test('holds no connection once a later answer finds it silent, too; then it is asked for when something waits behind it', () => {
    history = [12];
    const { seen, found } = run(209);
    pass(400);
    cursor.silentTo = 1_001;
    member.tellIndex(store);
    expect([seen.done, open()]).toEqual([false, []]);
    history.push(100, 300);
    arrive();
    pass(10);
    expect([found, seen.done]).toEqual([[12, 100], true]);
  });

  test('keeps its poll while something waits behind it', () => {
    history = [12];
    run(209);
    pass(400);
    arrive();
    cursor.silentTo = 1_001;
    member.tellIndex(store);
    expect(asked()).toEqual(['13']);
  });

  test('is asked for again by another poll, which takes over when it finds something', () => {
    history = [12];
    const { found } = run(209);
    pass(400);
    asks$.next();
    expect(asked()).toEqual(['13', '13']);
    open()[1]?.head(store).event(100);
    expect([found, asked()[0]]).toEqual([[12, 100], '101']);
    // The older one is gone.
    expect(asked()).not.toContain('13');
  });

  test('is over once it was passed', () => {
    history = [12];
    const { seen } = run(209);
    pass(400);
    cursor.silentTo = 1_001;
    cursor.pass(210);
    asks$.next();
    expect([seen.done, open()]).toEqual([true, []]);
  });

  test('that is history no more is an error, though the older poll goes on', () => {
    history = [12];
    const { seen } = run(209);
    pass(400);
    member.onRequest = (request) =>
      request.head(5_000, undefined, 400).answer({ errorCode: 401, message: 'x' });
    asks$.next();
    expect([seen.error, open()]).toEqual([expect.any(Fault), []]);
  });

  test('another poll that fails otherwise is dropped', () => {
    history = [12];
    const { seen } = run(209);
    pass(400);
    asks$.next();
    open()[1]?.fail(new TransportError('reset', 'x', true));
    expect([seen.error, asked()]).toEqual([undefined, ['13']]);
  });
});

test('an event below what was asked for is an error: a cache answers in place of etcd', () => {
  member.onRequest = (request) => void setTimeout(() => request.head(store).event(9), 1);
  const { seen, found } = run(209);
  pass(10);
  expect([found, seen.error]).toEqual([[], new MemberLeft('it answered with an old event')]);
});

test('history that is gone for one is an error, behind what was proven before it', () => {
  history = range(10, 209);
  let asked = 0;
  member.onRequest = (request) => {
    asked += 1;
    if (asked === 4)
      setTimeout(() => request.head(store, undefined, 400).answer({ errorCode: 401, message: 'x' }), 5);
    else serve(request);
  };
  const { seen, found } = run(209);
  pass(100);
  expect(seen.error).toBeInstanceOf(Fault);
  expect(found.length).toBeGreaterThan(0);
  expect(found).toEqual(history.slice(0, found.length));
  expect(open()).toEqual([]);
});

test('unsubscribing ends every poll', () => {
  history = range(10, 100);
  const { subscription } = run(209);
  pass(3);
  expect(open().length).toBeGreaterThan(1);
  subscription.unsubscribe();
  expect(open()).toEqual([]);
});
