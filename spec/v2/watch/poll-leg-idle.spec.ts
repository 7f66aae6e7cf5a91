import { of } from 'rxjs';
import { TransportError } from '../../../lib/transport/transport-error.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import { historyLost } from '../../../lib/v2/watch/history-lost.js';
import { MemberLeft } from '../../../lib/watch/member-left.js';
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

describe('an idle leg while the store moves on', () => {
  test('is armed anew once the store is more than 250 ahead, from the same place', () => {
    const { seen } = run();
    member.polls[0]?.head(9);
    jest.advanceTimersByTime(3_000);
    member.tellIndex(260);
    expect(member.polls).toHaveLength(1);
    member.tellIndex(261);
    expect(member.polls).toHaveLength(2);
    expect(member.polls[1]?.query.get('waitIndex')).toBe('10');
    expect(member.polls.map((p) => p.gone)).toEqual([false, false]);
    member.polls[1]?.head(261);
    expect(member.polls.map((p) => p.gone)).toEqual([true, false]);
    // Silence proves nothing.
    jest.advanceTimersByTime(2_000);
    member.tellIndex(600);
    expect(cursor.next).toBe(10);
    expect(member.polls).toHaveLength(3);
    expect(member.polls[2]?.query.get('waitIndex')).toBe('10');
    member.polls[2]?.head(600).event(601);
    expect(short(seen.items)).toEqual(['live', 'set@601', 'end']);
  });

  test('no event is lost between two armings: the older poll may still answer', () => {
    const { seen } = run();
    member.polls[0]?.head(9);
    jest.advanceTimersByTime(3_000);
    member.tellIndex(500);
    member.polls[0]?.event(300);
    expect(short(seen.items)).toEqual(['live', 'set@300', 'end']);
    expect(member.polls.map((p) => p.gone)).toEqual([true, true]);
  });

  test('a new poll that fails leaves the old one in charge', () => {
    const { seen } = run();
    member.polls[0]?.head(9);
    jest.advanceTimersByTime(3_000);
    member.tellIndex(500);
    member.polls[1]?.fail(new TransportError('reset', 'x', true));
    expect([seen.error, member.polls[0]?.gone]).toEqual([undefined, false]);
    member.polls[0]?.event(501);
    expect(short(seen.items)).toContain('set@501');
  });

  test('at most once in a second, however often the reading beats', () => {
    run();
    member.polls[0]?.head(9);
    for (let i = 0; i < 40; i++) {
      member.tellIndex(1_000 + i * 20);
      jest.advanceTimersByTime(50);
    }
    expect(member.polls.length - 1).toBeLessThanOrEqual(2);
    expect(member.polls.length).toBeGreaterThan(1);
  });

  describe('far behind', () => {
    /** Stands at 10; three polls from there have shown headers, and the fourth is asked. */
    function far() {
      member.onRead = () => of(answerOf(200, 900, { action: 'get', node: { key: '/a', modifiedIndex: 5 } }));
      const { seen } = run();
      for (const index of [9, 300, 600]) {
        if (index > 9) member.tellIndex(index);
        member.polls.at(-1)?.head(index);
        jest.advanceTimersByTime(2_000);
      }
      member.tellIndex(900);
      return { seen, older: member.polls[2]!, newer: member.polls[3]! };
    }

    test('it passes on to behind what its polls were silent about', () => {
      const { seen, newer, older } = far();
      expect([newer.waitIndex, cursor.next, older.gone]).toEqual(['601', 601, false]);
      newer.head(900);
      expect(older.gone).toBe(true);
      newer.event(910);
      expect([short(seen.items), cursor.next]).toEqual([['live', 'set@910', 'end'], 911]);
    });

    test('what an older poll brings of it before the newer one stands can only be made up for', () => {
      const { seen, older } = far();
      older.event(100);
      expect(seen.error).toEqual(historyLost('cleared'));
      cursor.lose('cleared');
      expect([cursor.lost, cursor.begins]).toEqual(['cleared', 10]);
    });
  });
});

describe('a poll whose event has begun to arrive', () => {
  const half = '{"action":"set","node":{"key":"/a","modif';

  test('is not made anew while more of it comes; behind a pause another races it', () => {
    const { seen } = run();
    member.polls[0]?.head(9).text(half);
    jest.advanceTimersByTime(900);
    member.tellIndex(500);
    expect(member.polls).toHaveLength(1);
    jest.advanceTimersByTime(200);
    member.tellIndex(501);
    expect(member.polls.map(({ waitIndex }) => waitIndex)).toEqual(['10', '10']);
    member.polls[1]?.head(501);
    expect(member.polls.map(({ gone }) => gone)).toEqual([false, false]);
    // One is enough.
    jest.advanceTimersByTime(2_000);
    member.tellIndex(2_000);
    expect(member.polls).toHaveLength(2);
    member.polls[0]?.text('iedIndex":11}}').end();
    expect([short(seen.items), member.polls[1]?.gone]).toEqual([['live', 'set@11', 'end'], true]);
  });

  test('the other may be first', () => {
    const { seen } = run();
    member.polls[0]?.head(9).text(half);
    jest.advanceTimersByTime(1_100);
    member.tellIndex(501);
    member.polls[1]?.head(501).event(11);
    expect([short(seen.items), member.polls[0]?.gone]).toEqual([['live', 'set@11', 'end'], true]);
  });

  test('is given up when nothing comes for the time of one try', () => {
    const { seen } = run();
    member.polls[0]?.head(9).text(half);
    jest.advanceTimersByTime(9_999);
    expect(seen.error).toBeUndefined();
    jest.advanceTimersByTime(1);
    expect([seen.error, cursor.next]).toEqual([new MemberLeft('its answer stopped in the middle'), 10]);
  });
});

describe('in a browser, where headers may come with the event', () => {
  beforeEach(() => {
    member = new FakeMember({ streams: false });
  });

  test('an idle poll ends before the next begins, also where it sees headers', () => {
    const { seen } = run();
    member.polls[0]?.head(9);
    let before: boolean | undefined;
    member.onRequest = () => (before = member.polls[0]?.gone);
    member.tellIndex(500);
    jest.advanceTimersByTime(1_000);
    expect([member.polls.length, before, member.polls[1]?.waitIndex]).toEqual([2, true, '10']);
    member.polls[1]?.head(500).event(501);
    expect(short(seen.items)).toEqual(['live', 'set@501', 'end']);
  });

  test('a poll stands once it has not failed for half a second', () => {
    const { seen } = run();
    jest.advanceTimersByTime(499);
    expect(short(seen.items)).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(short(seen.items)).toEqual(['live']);
    member.polls[0]?.head(12).event(12);
    expect(short(seen.items).slice(-2)).toEqual(['set@12', 'end']);
  });

  test('it is never out of time, but its member is asked whether it still answers', () => {
    run();
    expect(member.timeouts).toEqual([2 ** 31 - 1]);
    jest.advanceTimersByTime(9_999);
    expect(member.checks).toEqual([]);
    jest.advanceTimersByTime(200_000);
    expect([member.checks, member.polls.length, member.polls[0]?.gone]).toEqual([[here], 1, false]);
  });

  test('with its headers seen, it is not', () => {
    run();
    member.polls[0]?.head(9);
    jest.advanceTimersByTime(20_000);
    expect(member.checks).toEqual([]);
  });

  test('without them it is armed anew only while history surely holds its place', () => {
    run();
    jest.advanceTimersByTime(20_000);
    member.tellIndex(261);
    jest.advanceTimersByTime(20_000);
    expect([member.polls.length, cursor.next]).toEqual([1, 10]);
    member = new FakeMember({ streams: false });
    run();
    jest.advanceTimersByTime(20_000);
    member.tellIndex(200);
    jest.advanceTimersByTime(20_000);
    expect([member.polls.length, member.polls[1]?.waitIndex]).toEqual([2, '10']);
  });

  test('and every four minutes all the same: its connection may be dead', () => {
    run();
    member.tellIndex(5_000);
    jest.advanceTimersByTime(239_999);
    expect(member.polls).toHaveLength(1);
    jest.advanceTimersByTime(1);
    expect(member.polls.map(({ gone, waitIndex }) => [gone, waitIndex])).toEqual([
      [true, '10'],
      [false, '10'],
    ]);
  });

  test('a poll that waits with its headers seen gives the next ones a limit', () => {
    run();
    member.polls[0]?.head(9);
    jest.advanceTimersByTime(500);
    run();
    expect(member.timeouts).toEqual([2 ** 31 - 1, 10_000]);
    // Until one fails.
    member.polls[1]?.fail(new TransportError('timeout', 'timed out', true));
    run();
    expect(member.timeouts.at(-1)).toBe(2 ** 31 - 1);
  });

  test('one whose body has begun to come does not', () => {
    run();
    member.polls[0]?.head(12).text('{');
    jest.advanceTimersByTime(500);
    run();
    expect(member.timeouts).toEqual([2 ** 31 - 1, 2 ** 31 - 1]);
  });

  test('a store below the cursor is asked by a quorum whether it was rebuilt', () => {
    cursor = new Cursor(1_000);
    const { seen } = run();
    member.onRead = () => of(answerOf(404, undefined, { errorCode: 100, index: 7 }));
    member.tellIndex(7);
    expect(member.reads.map(({ path }) => path)).toEqual(['/v2/keys/a/_rxetcd?quorum=true']);
    expect(seen.error).toEqual(historyLost('rebuilt'));
  });

  test('but not while the state is about to be read for that very reason', () => {
    cursor = new Cursor(1_000);
    cursor.lost = 'rebuilt';
    run();
    member.tellIndex(7);
    expect(member.reads).toEqual([]);
  });
});

describe('at a release before 2.0', () => {
  test('0.2: a poll stands without a word, and its event comes with its headers', () => {
    member.version = '0.2.0';
    const { seen } = run();
    expect(short(seen.items)).toEqual(['live']);
    expect(member.polls[0]?.query.get('waitIndex')).toBe('10');
    member.polls[0]?.head(12).event(12);
    expect(short(seen.items).slice(-2)).toEqual(['set@12', 'end']);
    expect(cursor.next).toBe(13);
  });

  test('0.2: is never armed anew: each poll would stay with the server', () => {
    member.version = '0.2.0';
    run();
    member.watermark.saw({ etcdIndex: 5_000 });
    member.tellIndex(5_000);
    jest.advanceTimersByTime(3_600_000);
    expect([member.polls.length, member.polls[0]?.gone]).toEqual([1, false]);
  });

  test('0.4: an idle poll is made anew before the server cuts it off', () => {
    member.version = '0.4.9';
    const { seen } = run();
    member.polls[0]?.head(9);
    jest.advanceTimersByTime(239_000);
    expect(member.polls).toHaveLength(1);
    jest.advanceTimersByTime(2_000);
    expect(member.polls).toHaveLength(2);
    // Not before the new one stands.
    expect(member.polls[0]?.gone).toBe(false);
    member.polls[1]?.head(9);
    expect([member.polls[0]?.gone, seen.error, short(seen.items)]).toEqual([true, undefined, ['live']]);
    member.polls[1]?.event(10);
    expect(short(seen.items)).toEqual(['live', 'set@10', 'end']);
  });

  test.each(['2.3.8', '3.4.23', undefined])('%s is none: its idle poll stays', (release) => {
    member.version = release;
    run();
    member.polls[0]?.head(9);
    jest.advanceTimersByTime(3_600_000);
    // Its history is looked at for the key alone as well, where that may be overlooked.
    expect(member.polls.filter(({ query }) => query.has('recursive'))).toHaveLength(1);
  });
});
