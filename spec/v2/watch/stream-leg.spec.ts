import { of, Subscription, takeWhile } from 'rxjs';
import { TransportError } from '../../../lib/transport/transport-error.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import { HistoryLost } from '../../../lib/watch/history-lost.js';
import type { LegSite } from '../../../lib/v2/watch/leg-site.js';
import { streamLeg$ } from '../../../lib/v2/watch/stream-leg.js';
import {
  answerOf,
  FakeMember,
  here,
  moves,
  range,
  short,
  watchOver,
} from '../../support/scripted/fake-member.js';

let member: FakeMember;
let cursor: Cursor;

/** Open as long as the watch stays there. */
let stay: Subscription;

function startAt(index?: number): void {
  cursor = new Cursor(index);
  stay = new Subscription();
}
function run(start: LegSite['start'] = 'position') {
  const leg$ = streamLeg$(member.site({ position: cursor, start, stay }));
  const { seen, subscription } = watchOver(
    leg$.pipe(
      moves(cursor),
      takeWhile(({ type }) => type !== 'end', true),
    ),
  );
  return { seen, subscription, stream: member.streams.at(-1)! };
}
/** A leg that stands at 9, and its stream. */
function stand() {
  const leg = run();
  leg.stream.head(9);
  return leg;
}
const pass = (ms: number) => jest.advanceTimersByTime(ms);
const sets = (first: number, last: number) => range(first, last).map((index) => `set@${String(index)}`);

beforeEach(() => {
  jest.useFakeTimers();
  member = new FakeMember();
  startAt(10);
});
afterEach(() => jest.useRealTimers());

describe('the start', () => {
  test('is live at once where nothing lies between the cursor and it', () => {
    const { seen, stream } = stand();
    expect(short(seen.items)).toEqual(['live']);
    stream.lines([10, 11]).lines([15]);
    expect(short(seen.items)).toEqual(['live', 'set@10', 'set@11', 'set@15']);
    expect([cursor.next, member.polls.length]).toEqual([16, 0]);
  });

  test('fixes that of the watch', () => {
    startAt();
    const { seen } = stand();
    expect([short(seen.items), cursor.next, member.polls.length]).toEqual([['live'], 10, 0]);
  });

  test('a gap is filled before what the stream brings', () => {
    const { seen, stream } = run();
    stream.head(20).lines([21]);
    expect(short(seen.items)).toEqual(['catching-up']);
    expect(member.polls.map(({ waitIndex }) => waitIndex)).toEqual(['10']);
    member.polls[0]?.head(20).event(15);
    expect(short(seen.items)).toEqual(['catching-up', 'set@15']);
    member.polls[1]?.head(21).event(21);
    expect(short(seen.items)).toEqual(['catching-up', 'set@15', 'live', 'set@21']);
    expect(member.polls.map(({ gone }) => gone)).toEqual([true, true]);
  });

  test('when nothing is found for a while it is live, though the gap is not proven yet', () => {
    const { seen, stream } = run();
    stream.head(20);
    member.polls[0]?.head(20);
    pass(199);
    expect(short(seen.items)).toEqual(['catching-up']);
    pass(1);
    expect(short(seen.items)).toEqual(['catching-up', 'live']);
    // The poll waits at the old place, and takes what comes.
    stream.lines([25]);
    member.polls[0]?.event(25);
    expect(short(seen.items)).toEqual(['catching-up', 'live', 'set@25']);
  });

  test('history that is gone is an error', () => {
    const { seen, stream } = run();
    stream.head(5_000);
    member.polls[0]?.head(5_000, undefined, 400).answer({ errorCode: 401, message: 'x' });
    expect(seen.error).toMatchObject({ config: { errorCode: 401 } });
    expect(stream.gone).toBe(true);
  });

  test('an index that cannot be read marks the endpoint, and chains', () => {
    const { seen, stream } = run();
    stream.head(undefined);
    expect([short(seen.items), member.context.headers.areHidden(here), cursor.next]).toEqual([
      ['end'],
      true,
      10,
    ]);
  });

  test('a resync reads the state at the same member; what it holds is not told again', () => {
    cursor.lost = 'cleared';
    member.onRead = () => of(answerOf(200, 50, { action: 'get', node: { key: '/a', value: 'now' } }));
    const { seen, stream } = run('state');
    stream.head(48).lines([49, 50, 51]);
    expect(member.reads).toMatchObject([{ endpoint: here, path: '/v2/keys/a?recursive=true' }]);
    expect(short(seen.items)).toEqual(['live', 'resync@50', 'set@51']);
  });

  test('another cluster is told by its id', () => {
    cursor.clusterId = 'old';
    const { seen, stream } = run();
    stream.head(9, 'new');
    expect(seen.error).toBeInstanceOf(HistoryLost);
  });

  test('a cluster rebuilt under the same id is told by a quorum below the cursor', () => {
    startAt(1_000);
    member.onRead = () => of(answerOf(404, 5, { errorCode: 100, index: 5 }));
    const { seen, stream } = run();
    stream.head(5);
    expect(seen.error).toBeInstanceOf(HistoryLost);
  });
});

describe('what the stream brings', () => {
  test('twice, as the delete of the watched key itself, is told once', () => {
    const { seen, stream } = stand();
    stream.lines([10, 11]).lines([11], { action: 'delete' }).lines([12]);
    expect(short(seen.items)).toEqual(['live', 'set@10', 'set@11', 'set@12']);
  });

  test.each<[string, object]>([
    ['a hidden key', { key: '/a/_h' }],
    ['a neighbour', { key: '/ab' }],
  ])('%s is not emitted, but the place moves on', (_, node) => {
    const { seen, stream } = stand();
    stream.lines([10], node);
    expect([short(seen.items), cursor.next]).toEqual([['live'], 11]);
  });

  test.each<[string, number, string[]]>([
    ['http://b', 910, ['live', 'set@910']],
    // A follower that was fed by a snapshot leaves out events without a word.
    ['http://b', 911, ['live', 'end']],
    [here, 911, ['live', 'set@911']],
  ])('led by %s, an event %i for a place at 10: %j', (leader, index, expected) => {
    member.leader = leader;
    const { seen, stream } = stand();
    stream.lines([index]);
    expect(short(seen.items)).toEqual(expected);
    expect(cursor.next).toBe(expected.includes('end') ? 10 : index + 1);
  });

  test('its end is an error for retry to answer', () => {
    const { seen, stream } = stand();
    const reset = new TransportError('reset', 'x', true);
    stream.fail(reset);
    expect(seen.error).toBe(reset);
  });

  test('unsubscribing ends the stream and the polls beside it', () => {
    const { subscription, stream } = run();
    stream.head(20);
    subscription.unsubscribe();
    stay.unsubscribe();
    expect([stream.gone, member.polls.map(({ gone }) => gone)]).toEqual([true, [true]]);
    expect([member.storeIndexes$.observed, jest.getTimerCount()]).toEqual([false, 0]);
  });
});

describe('a check', () => {
  /** A leg whose check is under way, behind the events 10 to 99. */
  function checked() {
    const leg = stand();
    leg.stream.lines(range(10, 99));
    pass(20);
    return { ...leg, check: member.polls.at(-1)! };
  }
  const standing = ['live', ...sets(10, 99)];

  test('is owed for a burst of 90, and not for less', () => {
    const { seen, stream } = stand();
    stream.lines(range(10, 98));
    pass(5_000);
    expect(member.polls).toHaveLength(0);
    stream.lines([99]);
    pass(20);
    expect(member.polls.map(({ waitIndex }) => waitIndex)).toEqual(['100']);
    expect(short(seen.items)).toEqual(standing);
    // Then for the next 90.
    member.polls[0]?.head(99);
    stream.lines(range(100, 188));
    pass(5_000);
    expect(member.polls).toHaveLength(1);
    stream.lines([189]);
    pass(20);
    expect(member.polls.map(({ waitIndex }) => waitIndex)).toEqual(['100', '190']);
  });

  test('comes again when the burst is over: only then may the stream have been silenced', () => {
    const { stream } = stand();
    stream.lines(range(10, 400));
    pass(19);
    const before = member.polls.length;
    pass(1);
    expect([member.polls.length, member.polls.at(-1)?.waitIndex]).toEqual([before + 1, '401']);
  });

  test('a long flow is checked while it lasts, once a second', () => {
    const { stream } = stand();
    for (let n = 0; n < 300; n++) {
      stream.lines(range(10 + n * 10, 19 + n * 10));
      pass(10);
    }
    expect(member.polls.length).toBeGreaterThanOrEqual(2);
    expect(member.polls.length).toBeLessThanOrEqual(3);
  });

  test('one made while it lasts says nothing of its tail, which is checked when it is over', () => {
    const { stream } = stand();
    let next = 10;
    const flow = (count: number) => {
      stream.lines(range(next, next + count - 1));
      next += count;
    };
    while (member.polls.length === 0 && next < 5_000) {
      flow(10);
      pass(10);
    }
    flow(20);
    pass(1_000);
    expect(member.polls).toHaveLength(2);
    expect(member.polls[1]?.waitIndex).toBe(String(next));
  });

  test('none is made while a gap is filled', () => {
    member.onRequest = (request) => {
      const from = Number(request.waitIndex);
      if (request.query.has('stream') || from > 400) return;
      setTimeout(() => {
        if (!request.gone) request.head(400).event(from);
      }, 1);
    };
    const { seen, stream } = run();
    stream.head(400);
    pass(10_000);
    expect(short(seen.items)).toEqual(['catching-up', ...sets(10, 400), 'live']);
    // A check would ask once more for what is asked for already.
    const asked = member.polls.map(({ waitIndex }) => Number(waitIndex)).filter((index) => index <= 400);
    expect(asked).toHaveLength(new Set(asked).size);
  });

  test('that finds what the stream does not bring chains', () => {
    const { seen, check } = checked();
    check.head(150).event(120);
    pass(29);
    expect(short(seen.items)).toEqual(standing);
    pass(1);
    expect(short(seen.items)).toEqual([...standing, 'end']);
    expect(cursor.next).toBe(100);
  });

  test('that finds what the stream brings a little later does not', () => {
    const { seen, stream, check } = checked();
    check.head(150).event(120);
    for (const index of [105, 110, 115, 120]) {
      pass(29);
      stream.lines([index]);
    }
    pass(1_000);
    expect(short(seen.items)).toEqual([...standing, 'set@105', 'set@110', 'set@115', 'set@120']);
  });

  test('looks on behind what the stream brought a little later, until it finds nothing that has happened', () => {
    const { seen, stream, check } = checked();
    check.head(150).event(100);
    stream.lines(range(100, 105));
    pass(30);
    expect(member.polls.slice(-2).map(({ waitIndex }) => waitIndex)).toEqual(['100', '106']);
    member.polls.at(-1)?.head(150).event(106);
    // Brought again: from now on once a second.
    stream.lines([106]);
    pass(30);
    expect(member.polls.at(-1)?.waitIndex).toBe('106');
    pass(1_000);
    expect(member.polls.at(-1)?.waitIndex).toBe('107');
    member.polls.at(-1)?.head(150).event(107);
    pass(30);
    expect(short(seen.items)).toEqual([...standing, ...sets(100, 106), 'end']);
  });

  test('ends with a poll that was silent until the stream brought its event', () => {
    const { seen, stream, check } = checked();
    check.head(99);
    pass(10_000);
    stream.lines([150]);
    check.event(150);
    const asked = member.polls.length;
    pass(10_000);
    expect([short(seen.items), member.polls.length]).toEqual([[...standing, 'set@150'], asked]);
  });

  test('hidden keys, which only history holds, are passed over', () => {
    const { seen, check } = checked();
    check.head(150).event(105, { key: '/a/_h' });
    pass(1_000);
    expect(short(seen.items)).toEqual(standing);
    expect(member.polls.slice(-2).map(({ waitIndex }) => waitIndex)).toEqual(['100', '106']);
    member.polls.at(-1)?.head(150).event(130);
    pass(30);
    expect(short(seen.items)).toEqual([...standing, 'end']);
  });

  test('for which history is gone is an error of the leg', () => {
    const { seen, check } = checked();
    check.head(5_000, undefined, 400).answer({ errorCode: 401, message: 'x' });
    expect(short(seen.items)).toEqual(standing);
    expect(seen.error).toMatchObject({ config: { errorCode: 401 } });
  });

  test('that fails otherwise is an error of the leg', () => {
    const { seen, stream, check } = checked();
    const reset = new TransportError('reset', 'x', true);
    check.fail(reset);
    expect([seen.error, stream.gone]).toEqual([reset, true]);
  });

  test('standby streams are set ahead of the event that has come, and those behind it end', () => {
    cursor.keysWithTtl = 1_301;
    const { stream } = stand();
    for (let index = 10; index < 400; index += 1) {
      stream.lines([index]);
      pass(20);
    }
    pass(300);
    const waiting = member.streams.filter(({ gone, waitIndex }) => !gone && waitIndex !== null);
    expect(waiting.map(({ waitIndex }) => Number(waitIndex))).toEqual([500, 600, 700, 800]);
  });

  test('of a stalled stream is told what the standby has caught first', () => {
    cursor.keysWithTtl = 1_101;
    const { seen, stream } = stand();
    stream.lines([10]);
    const standby = member.streams.find(({ waitIndex }) => waitIndex !== null)!;
    expect(standby.waitIndex).toBe('110');
    stream.lines(range(11, 109));
    standby.head(9).lines(range(110, 300));
    pass(20);
    member.polls.at(-1)?.head(300).event(110);
    pass(30);
    expect(short(seen.items)).toEqual(['live', ...sets(10, 300), 'end']);
  });

  describe('for which history is gone', () => {
    /** Stands behind the event 109, where its stream fell silent; the standby waits at 110 and 210. */
    function silenced() {
      cursor.keysWithTtl = 1_400;
      const leg = stand();
      leg.stream.lines(range(10, 109));
      const [first, second, third] = member.streams.filter(({ waitIndex }) => waitIndex !== null);
      expect([first?.waitIndex, second?.waitIndex]).toEqual(['110', '210']);
      for (const standby of [first, second, third]) standby?.head(9);
      return { ...leg, first: first!, second: second!, third: third! };
    }
    const seenBefore = ['live', ...sets(10, 109)];
    const lose = (index: number) =>
      member.polls.at(-1)?.head(index, undefined, 400).answer({ errorCode: 401, message: 'x' });

    test('waits for what is on its way from the standby, whatever is heard of the store meanwhile', () => {
      const { seen, first, second } = silenced();
      pass(20);
      // Its history begins at 261.
      lose(1_260);
      first.lines(range(110, 120));
      pass(1_000);
      member.tellIndex(1_260);
      first.lines(range(121, 209));
      pass(500);
      expect(short(seen.items)).toEqual(seenBefore);
      second.lines(range(210, 260));
      pass(10);
      expect(short(seen.items)).toEqual([...seenBefore, ...sets(110, 260), 'end']);
    });

    test('waits no longer than two seconds, though others go on catching', () => {
      const { seen, first, second, third } = silenced();
      pass(20);
      lose(5_000);
      first.lines(range(110, 120));
      for (let n = 0; n < 200; n++) {
        expect(short(seen.items)).toEqual(seenBefore);
        pass(10);
        second.lines([300 + n]);
        third.lines([600 + n]);
        member.tellIndex(5_000 + n);
      }
      // The next leg starts behind what there was, and finds out.
      expect(short(seen.items)).toEqual([...seenBefore, ...sets(110, 120), 'end']);
    });

    test('is an error after that time, if nothing was caught', () => {
      const { seen } = silenced();
      pass(20);
      lose(5_000);
      pass(1_990);
      expect([short(seen.items), seen.error]).toEqual([seenBefore, undefined]);
      pass(10);
      expect(seen.error).toMatchObject({ config: { errorCode: 401 } });
    });

    test('the next leg has the standby of the one before, and is not live before it is through', () => {
      const { subscription, first, second } = silenced();
      subscription.unsubscribe();
      const { seen, stream } = run();
      stream.head(1_250);
      expect(short(seen.items)).toEqual(['catching-up']);
      lose(1_260);
      first.lines(range(110, 209));
      pass(1_000);
      expect(short(seen.items)).toEqual(['catching-up']);
      second.lines(range(210, 260));
      pass(10);
      expect(short(seen.items)).toEqual(['catching-up', ...sets(110, 260), 'catching-up']);
      // The rest is in history.
      expect(member.polls.at(-1)?.waitIndex).toBe('261');
      member.polls.at(-1)?.head(1_260).event(1_250);
      expect(short(seen.items).at(-1)).toBe('live');
    });

    test('of a follower that left something out, the standby has it neither', () => {
      const { seen, stream, first } = silenced();
      member.leader = 'http://b';
      stream.lines([1_500]);
      expect(short(seen.items)).toEqual([...seenBefore, 'end']);
      expect([first.gone, cursor.standby]).toEqual([true, undefined]);
    });

    test('a standby does not outlive the trust in headers', () => {
      const { subscription, first } = silenced();
      subscription.unsubscribe();
      const { seen, stream } = run();
      stream.head(undefined);
      expect([short(seen.items), first.gone, cursor.standby]).toEqual([['end'], true, undefined]);
    });
  });

  test('is made for an idle watch when the store moved on, which stays where it is', () => {
    const { seen, stream } = stand();
    for (const index of [300, 600, 900]) {
      pass(1_100);
      member.tellIndex(index);
      member.polls.at(-1)?.head(index);
    }
    expect([cursor.next, member.polls.map(({ waitIndex }) => waitIndex)]).toEqual([10, ['10', '10', '601']]);
    // The stream is what brings all from its start on, however late.
    stream.lines([100, 910]);
    expect([short(seen.items), cursor.next, member.reads]).toEqual([['live', 'set@100', 'set@910'], 911, []]);
  });

  test('looks into a gap as long as there is one', () => {
    const { seen, stream } = run();
    stream.head(20);
    member.polls[0]?.head(20);
    pass(1_000);
    member.tellIndex(300);
    expect(member.polls.map(({ waitIndex, gone }) => [waitIndex, gone])).toEqual([
      ['10', true],
      ['10', false],
    ]);
    stream.lines([310]);
    member.polls[1]?.head(310).event(310);
    expect([short(seen.items), member.context.headers.tryStreams(here)]).toEqual([
      ['catching-up', 'live', 'set@310'],
      false,
    ]);
  });
});

describe('a gap that leaves history', () => {
  test('is passed, and no more of the stream with it', () => {
    member.onRead = () => of(answerOf(200, 900, { action: 'get', node: { key: '/a', modifiedIndex: 5 } }));
    const { seen, stream } = run();
    stream.head(20);
    member.polls[0]?.head(20);
    for (const index of [300, 600, 900]) {
      pass(1_100);
      member.tellIndex(index);
      member.polls.at(-1)?.head(index);
    }
    expect([cursor.next, member.reads.length]).toEqual([21, 1]);
    stream.lines([30, 910]);
    expect(short(seen.items)).toEqual(['catching-up', 'live', 'set@30', 'set@910']);
  });
});
