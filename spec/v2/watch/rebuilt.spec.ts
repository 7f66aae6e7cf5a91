import { of, throwError } from 'rxjs';
import { TransportError } from '../../../lib/transport/transport-error.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import { HistoryLost } from '../../../lib/v2/watch/history-lost.js';
import { rebuilt$ } from '../../../lib/v2/watch/rebuilt.js';
import { answerOf, FakeMember, here, watchOver } from '../../support/scripted/fake-member.js';

let member: FakeMember;
let cursor: Cursor;
const run = (etcdIndex: number | undefined) =>
  watchOver(rebuilt$(member.site({ position: cursor }), etcdIndex));
const storeAt = (index: number) => () => of(answerOf(404, index, { errorCode: 100, index }));

beforeEach(() => {
  jest.useFakeTimers();
  jest.spyOn(Math, 'random').mockReturnValue(1); // whole delays
  member = new FakeMember();
  cursor = new Cursor(1_000);
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

test.each([[999], [1_000], [5_000], [0], [undefined]])('a store at %p is no reason to ask', (index) => {
  const { seen } = run(index);
  expect([seen.done, member.reads]).toEqual([true, []]);
});

test('nor is any before the start is fixed', () => {
  cursor = new Cursor();
  expect([run(5).seen.done, member.reads]).toEqual([true, []]);
});

test.each(['0.2.0', '0.4.9'])('%s has no reads that ask a quorum', (version) => {
  member.version = version;
  expect([run(5).seen.done, member.reads]).toEqual([true, []]);
});

test('a store below the cursor is asked with quorum; what it says is then the highest', () => {
  member.watermark.saw(1_200);
  member.onRead = storeAt(5);
  const { seen } = run(5);
  expect(member.reads).toMatchObject([{ endpoint: here, path: '/v2/keys/a/_rxetcd?quorum=true' }]);
  expect(seen.error).toEqual(new HistoryLost('rebuilt'));
  expect(member.watermark.value).toBe(5);
});

test.each([999, 1_000, 5_000])('a quorum at %i: the member merely lags', (index) => {
  member.onRead = storeAt(index);
  const { seen } = run(900);
  expect([seen.error, seen.done, member.reads.length]).toEqual([undefined, true, 1]);
});

test('a quorum below what other answers had told when it was asked: rebuilt', () => {
  member.watermark.saw(1_200);
  member.onRead = storeAt(1_100);
  expect(run(900).seen.error).toBeInstanceOf(HistoryLost);
});

test('without a quorum it is asked again, once per step of the back-off', () => {
  member.onRead = () => throwError(() => new TransportError('timeout', 'x', true));
  const { seen } = run(5);
  const { initialDelay, maxDelay } = member.context.settings.retry;
  for (const [n, delay] of [initialDelay, initialDelay * 2, initialDelay * 4].entries()) {
    expect(member.reads).toHaveLength(n + 1);
    jest.advanceTimersByTime(delay - 1);
    expect(member.reads).toHaveLength(n + 1);
    jest.advanceTimersByTime(1);
  }
  // No answer without an index is one, either.
  member.onRead = () => of(answerOf(503, undefined, { message: 'no leader' }));
  jest.advanceTimersByTime(maxDelay);
  expect([seen.error, seen.done]).toEqual([undefined, false]);
  member.onRead = storeAt(6);
  jest.advanceTimersByTime(maxDelay);
  expect(seen.error).toBeInstanceOf(HistoryLost);
});

test('unsubscribed it asks no more', () => {
  member.onRead = () => throwError(() => new TransportError('timeout', 'x', true));
  const { subscription } = run(5);
  subscription.unsubscribe();
  expect(jest.getTimerCount()).toBe(0);
});
