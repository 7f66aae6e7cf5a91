import { of, Subject, throwError } from 'rxjs';
import type { HttpResponse } from '../../../lib/transport/http.js';
import { TransportError } from '../../../lib/transport/transport-error.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import { HistoryLost } from '../../../lib/watch/history-lost.js';
import { pollLeg$ } from '../../../lib/v2/watch/poll-leg.js';
import { answerOf, FakeMember, here, moves, short, watchOver } from '../../support/scripted/fake-member.js';

let member: FakeMember;
let cursor: Cursor;

const run = () => watchOver(pollLeg$(member.site({ position: cursor })).pipe(moves(cursor)));

beforeEach(() => {
  jest.useFakeTimers();
  member = new FakeMember();
  cursor = new Cursor(10);
});
afterEach(() => jest.useRealTimers());

describe('a cluster that was rebuilt', () => {
  test('is told by its id', () => {
    cursor.clusterId = 'old';
    const { seen } = run();
    member.polls[0]?.head(9, 'new');
    expect(seen.error).toBeInstanceOf(HistoryLost);
    expect(seen.items).toEqual([]);
  });

  test('the id is learnt with the first headers, and no id says nothing', () => {
    run();
    member.polls[0]?.head(9, 'ours');
    expect(cursor.clusterId).toBe('ours');
    const { seen } = run();
    member.polls[1]?.head(9);
    expect([seen.error, cursor.clusterId]).toEqual([undefined, 'ours']);
  });

  test('with the same id it is told by a quorum read below what was seen', () => {
    cursor = new Cursor(1_000);
    member.onRead = () => of(answerOf(404, 5, { errorCode: 100, index: 5 }));
    const { seen } = run();
    member.polls[0]?.head(5);
    expect(member.reads).toMatchObject([{ path: '/v2/keys/a/_rxetcd?quorum=true', endpoint: here }]);
    expect(seen.error).toBeInstanceOf(HistoryLost);
    expect(member.watermark.value).toBe(5);
  });

  test('a member that merely lags is not taken for one', () => {
    cursor = new Cursor(1_000);
    member.watermark.saw({ etcdIndex: 1_200 });
    member.onRead = () => of(answerOf(404, 1_200, { errorCode: 100, index: 1_200 }));
    const { seen } = run();
    member.polls[0]?.head(900);
    expect(member.reads).toHaveLength(1);
    expect(seen.error).toBeUndefined();
    member.polls[0]?.event(1_000);
    expect(short(seen.items)).toEqual(['live', 'set@1000', 'end']);
  });

  test('if the quorum read fails the leg goes on, and asks again after a while', () => {
    cursor = new Cursor(1_000);
    member.onRead = () => throwError(() => new TransportError('timeout', 'x', true));
    const { seen } = run();
    member.polls[0]?.head(900);
    expect([seen.error, member.polls[0]?.gone, member.reads.length]).toEqual([undefined, false, 1]);
    member.onRead = () => of(answerOf(404, 5, { errorCode: 100, index: 5 }));
    jest.advanceTimersByTime(member.context.settings.retry.initialDelay);
    expect(member.reads).toHaveLength(2);
    expect(seen.error).toBeInstanceOf(HistoryLost);
  });

  test('an event that comes meanwhile is delivered behind the answer', () => {
    cursor = new Cursor(1_000);
    const answer$ = new Subject<HttpResponse>();
    member.onRead = () => answer$;
    const { seen } = run();
    member.polls[0]?.head(900);
    member.polls[0]?.event(1_000);
    expect(seen.items).toEqual([]);
    answer$.next(answerOf(404, 1_000, { errorCode: 100, index: 1_000 }));
    answer$.complete();
    expect(short(seen.items)).toEqual(['live', 'set@1000', 'end']);
  });

  test.each([[999], [1_000], [0], [undefined]])('headers with index %p are no reason to ask', (index) => {
    cursor = new Cursor(1_000);
    run();
    member.polls[0]?.head(index);
    expect(member.reads).toEqual([]);
  });
});
