import { NEVER, of, throwError } from 'rxjs';
import { TransportError } from '../../../lib/transport/transport-error.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import { HistoryLost } from '../../../lib/watch/history-lost.js';
import { historyLost } from '../../../lib/v2/watch/history-lost.js';
import { rebuilt$ } from '../../../lib/v2/watch/rebuilt.js';
import { lookAgainMs } from '../../../lib/v2/watch/timing.js';
import { answerOf, FakeMember, here, watchOver } from '../../support/scripted/fake-member.js';

let member: FakeMember;
let cursor: Cursor;
const run = (etcdIndex: number | undefined) =>
  watchOver(rebuilt$(member.site({ position: cursor }), etcdIndex === undefined ? {} : { etcdIndex }));
const quorumReads = () => member.reads.filter(({ path }) => path.endsWith('?quorum=true'));
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
  member.watermark.saw({ etcdIndex: 1_200 });
  member.onRead = storeAt(5);
  const { seen } = run(5);
  expect(member.reads).toMatchObject([{ endpoint: here, path: '/v2/keys/a/_rxetcd?quorum=true' }]);
  expect(seen.error).toEqual(historyLost('rebuilt'));
  expect(member.watermark.value).toBe(5);
});

test.each([999, 1_000, 5_000])('a quorum at %i: the member merely lags', (index) => {
  member.onRead = storeAt(index);
  const { seen } = run(900);
  expect([seen.error, seen.done, member.reads.length]).toEqual([undefined, true, 1]);
});

test('a quorum below what other answers had told when it was asked: rebuilt', () => {
  member.watermark.saw({ etcdIndex: 1_200 });
  member.onRead = storeAt(1_100);
  expect(run(900).seen.error).toBeInstanceOf(HistoryLost);
});

test('without a quorum it is asked again, once per step of the back-off', () => {
  member.onRead = () => throwError(() => new TransportError('timeout', 'x', true));
  const { seen } = run(5);
  const { initialDelay, maxDelay } = member.context.settings.retry;
  for (const [n, delay] of [initialDelay, initialDelay * 2, initialDelay * 4].entries()) {
    expect(quorumReads()).toHaveLength(n + 1);
    jest.advanceTimersByTime(delay - 1);
    expect(quorumReads()).toHaveLength(n + 1);
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

test('without a quorum, a member that is no longer below what was seen merely lagged', () => {
  member.onRead = ({ path }) =>
    path.endsWith('?quorum=true') ? NEVER : of(answerOf(404, 1_000, { errorCode: 100, index: 1_000 }));
  const { seen } = run(5);
  jest.advanceTimersByTime(lookAgainMs - 1);
  expect([seen.done, member.reads.length]).toEqual([false, 1]);
  jest.advanceTimersByTime(1);
  expect([seen.done, seen.error]).toEqual([true, undefined]);
  expect(jest.getTimerCount()).toBe(0);
});

test('a store above the position is asked about as well when it is below what the client had seen before the leg', () => {
  cursor = new Cursor(6);
  member.watermark.saw({ etcdIndex: 155 });
  member.onRead = storeAt(49);
  expect(run(49).seen.error).toEqual(historyLost('rebuilt'));
  expect([member.watermark.value, member.watermark.epoch]).toEqual([49, 1]);
});

test('what the client sees while the leg begins is no reason to ask', () => {
  cursor = new Cursor(6);
  const site = member.site({ position: cursor });
  member.watermark.saw({ etcdIndex: 155 });
  expect([watchOver(rebuilt$(site, { etcdIndex: 49 })).seen.done, member.reads]).toEqual([true, []]);
});

test('nor is what was seen of a store before this one, or of another cluster', () => {
  cursor = new Cursor(6);
  member.watermark.saw({ etcdIndex: 155, clusterId: 'c' });
  const site = member.site({ position: cursor });
  expect(watchOver(rebuilt$(site, { etcdIndex: 49, clusterId: 'd' })).seen.done).toBe(true);
  member.watermark.restart(member.watermark.mark, { etcdIndex: 7 });
  expect([watchOver(rebuilt$(site, { etcdIndex: 49 })).seen.done, member.reads]).toEqual([true, []]);
});

describe.each([
  ['raft index', { raftIndex: 400 }],
  ['raft term', { raftTerm: 3 }],
])('a store that has overtaken the position, with a lower %s', (_, lower) => {
  const before = { etcdIndex: 155, raftIndex: 1_000, raftTerm: 9 };
  const told = { etcdIndex: 200, raftIndex: 2_000, raftTerm: 9, ...lower };
  let seen: ReturnType<typeof watchOver>['seen'];

  beforeEach(() => {
    cursor = new Cursor(6);
    member.watermark.saw(before);
    member.onRead = storeAt(200);
    seen = watchOver(rebuilt$(member.site({ position: cursor }), told)).seen;
    expect(quorumReads()).toHaveLength(1);
  });

  test('is another one if it still is behind a quorum read', () => {
    member.polls[0]!.head(201, undefined, 200, told);
    expect(seen.error).toEqual(historyLost('rebuilt'));
    expect(member.polls[0]!.gone).toBe(true);
    expect(member.watermark.mark).toMatchObject({ epoch: 1, etcdIndex: 201, ...lower });
  });

  test('is that of a member that lagged if it is not', () => {
    member.polls[0]!.head(200, undefined, 200, { raftIndex: 1_001, raftTerm: 9 });
    expect([seen.error, seen.done, member.watermark.epoch]).toEqual([undefined, true, 0]);
    expect(member.polls[0]!.gone).toBe(true);
  });
});

test('unsubscribed it asks no more', () => {
  member.onRead = () => throwError(() => new TransportError('timeout', 'x', true));
  const { subscription } = run(5);
  subscription.unsubscribe();
  expect(jest.getTimerCount()).toBe(0);
});
