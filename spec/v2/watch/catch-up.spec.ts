import { tap } from 'rxjs';
import { Fault } from '../../../lib/cluster/fault.js';
import { progress } from '../../../lib/watch/leg-item.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import { catchUp$ } from '../../../lib/v2/watch/catch-up.js';
import { MemberLeft } from '../../../lib/watch/member-left.js';
import { indexOf } from '../../../lib/v2/watch/poll-part.js';
import { FakeMember, here, range, type FakeRequest, watchOver } from '../../support/scripted/fake-member.js';

let member: FakeMember;
let cursor: Cursor;
/** The member's matching events, and how far its store is. */
let history: number[];
let store: number;
/** Of the values in its answers. */
let value: string;
let most: number;

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
  const { seen, subscription } = watchOver(
    catchUp$(member.site({ position: cursor }), upTo).pipe(
      tap((answer) => {
        found.push(indexOf(answer));
        cursor.moveTo(progress(indexOf(answer) + 1));
      }),
    ),
  );
  return { seen, found, subscription };
}
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

test('a quiet tail is proven by what the lowest poll claims, once there is a witness', () => {
  history = [12];
  const { seen } = run(209);
  pass(400);
  expect(open().map(({ waitIndex }) => waitIndex)).toEqual(['13']);
  const tellIndex = () => {
    // As the leg does, before the fill hears of it.
    cursor.witness(here, performance.now());
    member.tellIndex(store);
  };
  tellIndex();
  expect([seen.done, cursor.next]).toEqual([false, 13]);
  pass(1_000);
  tellIndex();
  expect([seen.done, cursor.next]).toEqual([true, 1_001]);
  expect(open()).toEqual([]);
});

test('a claim does not outlive the first byte of an event', () => {
  history = [12];
  const { seen } = run(209);
  pass(400);
  const [lowest] = open();
  lowest?.text('{"action":"set",');
  pass(2_000);
  cursor.witness(here, performance.now());
  member.tellIndex(store);
  expect([seen.done, cursor.next]).toEqual([false, 13]);
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
