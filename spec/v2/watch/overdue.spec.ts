import { of, Subject, take, takeWhile } from 'rxjs';
import type { HttpResponse } from '../../../lib/transport/http.js';
import { TransportError } from '../../../lib/transport/transport-error.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import { leg$ } from '../../../lib/v2/watch/leg.js';
import type { LegSite } from '../../../lib/v2/watch/leg-site.js';
import { answerOf, FakeMember, here, moves, short, watchOver } from '../../support/scripted/fake-member.js';

let member: FakeMember;
let cursor: Cursor;

/** Until it ends, as its source takes it. */
const run = (start: LegSite['start'] = 'position') =>
  watchOver(
    leg$(member.site({ position: cursor, start })).pipe(
      moves(cursor),
      takeWhile(({ type }) => type !== 'end', true),
    ),
  );
const pass = (ms: number) => jest.advanceTimersByTime(ms);
const index = () => of(answerOf(404, 41, { errorCode: 100, index: 41 }));

beforeEach(() => {
  jest.useFakeTimers();
  member = new FakeMember();
  member.onRead = index;
  cursor = new Cursor(10);
});
afterEach(() => jest.useRealTimers());

describe.each([
  ['a stream', '3.4.23'],
  ['a poll', '2.2.5'],
])('%s without headers', (_, version) => {
  beforeEach(() => (member.version = version));

  test('ends when its member answers elsewhere; polls follow that wait for none', () => {
    const { seen } = run();
    pass(249);
    expect(member.reads).toEqual([]);
    pass(1);
    expect(member.reads.map(({ path }) => path)).toEqual(['/v2/keys/a/_rxetcd']);
    expect([short(seen.items), member.requests[0]?.gone]).toEqual([['end'], true]);
    run();
    expect([member.streams.at(1), member.polls.at(-1)?.waitIndex]).toEqual([undefined, '10']);
    expect(member.timeouts).toEqual([10_000, 2 ** 31 - 1]);
  });

  test('waits on while its member does not answer at all', () => {
    const answer$ = new Subject<HttpResponse>();
    member.onRead = () => answer$;
    const { seen } = run();
    pass(5_000);
    expect([seen.items, member.reads.length]).toEqual([[], 1]);
    member.requests[0]?.head(9);
    answer$.next(answerOf(404, 41, { errorCode: 100, index: 41 }));
    expect(short(seen.items)).toEqual(['live']);
  });

  test('asks again when no answer could be had', () => {
    let asked = 0;
    member.onRead = () => {
      asked += 1;
      if (asked < 3) throw new TransportError('reset', 'x', true);
      return index();
    };
    const { seen } = run();
    pass(749);
    expect(seen.items).toEqual([]);
    pass(1);
    expect(short(seen.items)).toEqual(['end']);
  });

  test('asks nothing where they have come', () => {
    const { seen } = run();
    member.requests[0]?.head(9);
    pass(60_000);
    expect([short(seen.items), member.reads, jest.getTimerCount()]).toEqual([['live'], [], 0]);
  });
});

test('where another stream has begun meanwhile its own connection is to blame', () => {
  const { seen } = run();
  pass(100);
  run();
  member.streams[1]?.head(9);
  pass(5_000);
  expect(seen.items).toEqual([]);
});

test('many that wait ask once', () => {
  const answer$ = new Subject<HttpResponse>();
  member.onRead = () => answer$.pipe(take(1));
  const legs = Array.from({ length: 20 }, () => run().seen);
  pass(250);
  expect(member.reads).toHaveLength(1);
  answer$.next(answerOf(404, 41, { errorCode: 100, index: 41 }));
  expect(legs.map(({ items }) => short(items))).toEqual(legs.map(() => ['end']));
});

describe('an endpoint that holds back', () => {
  beforeEach(() => member.context.headers.areHeldBack(here));

  test('from now on begins by asking where now is', () => {
    cursor = new Cursor();
    const { seen } = run();
    expect([short(seen.items), cursor.next, member.requests.length]).toEqual([['live', 'end'], 42, 0]);
  });

  test('a resync reads the state first', () => {
    cursor.lost = 'cleared';
    member.onRead = () => of(answerOf(200, 43, { action: 'get', node: { key: '/a', value: 'now' } }));
    const { seen } = run('state');
    expect([short(seen.items), cursor.next, member.requests.length]).toEqual([['resync@43', 'end'], 44, 0]);
  });

  test('so it does while a stream is on trial', () => {
    pass(60_000);
    member.onRead = () => of(answerOf(200, 43, { action: 'get', node: { key: '/a', value: 'now' } }));
    expect(short(run('state').seen.items)).toEqual(['resync@43', 'end']);
    expect(member.requests).toEqual([]);
  });

  test('a poll there stands once it has not failed for half a second, and brings its event', () => {
    const { seen } = run();
    pass(500);
    expect(short(seen.items)).toEqual(['live']);
    member.polls[0]?.head(12).event(12);
    expect(short(seen.items).slice(-2)).toEqual(['set@12', 'end']);
  });

  test('its member is asked whether it still answers', () => {
    run();
    pass(10_000);
    expect(member.checks).toEqual([here]);
  });

  test('an idle poll is made anew soon when the store moves, as its connection may be dead', () => {
    run();
    pass(15_001);
    member.tellIndex(20);
    expect(member.polls.map(({ waitIndex, gone }) => [waitIndex, gone])).toEqual([
      ['10', true],
      ['10', false],
    ]);
  });

  test('and sometimes where it may be far behind: then history tells what can no longer be had', () => {
    const { seen } = run();
    pass(15_001);
    member.tellIndex(2_000);
    pass(224_998);
    expect(member.polls).toHaveLength(1);
    pass(1);
    expect(member.polls.map(({ gone }) => gone)).toEqual([true, false]);
    member.polls[1]?.head(2_000, undefined, 400).answer({ errorCode: 401, message: 'x' });
    expect(seen.error).toMatchObject({ config: { errorCode: 401 } });
  });

  test('many polls may wait there', () => {
    Array.from({ length: 20 }, () => run());
    expect(member.polls).toHaveLength(20);
  });
});

describe('a stream on trial', () => {
  beforeEach(() => {
    member.context.headers.areHeldBack(here);
    pass(60_000);
  });

  test('has a poll beside it from the moment it stands', () => {
    run();
    expect(member.polls).toEqual([]);
    member.streams[0]?.head(9);
    expect(member.polls.map(({ waitIndex }) => waitIndex)).toEqual(['10']);
  });

  test('fails when the poll has to find what it does not bring', () => {
    const { seen } = run();
    member.streams[0]?.head(9);
    member.polls[0]?.head(9).event(10);
    pass(29);
    expect(short(seen.items)).toEqual(['live']);
    pass(1);
    expect(short(seen.items)).toEqual(['live', 'end']);
    run();
    expect([member.streams.length, member.polls.at(-1)?.waitIndex]).toEqual([1, '10']);
  });

  test('passes when it brings its event', () => {
    const { seen } = run();
    member.streams[0]?.head(9);
    member.polls[0]?.head(9).event(10);
    member.streams[0]?.lines([10]);
    pass(60_000);
    expect(short(seen.items)).toEqual(['live', 'set@10']);
    run();
    member.streams[1]?.head(10);
    expect([member.streams.length, member.polls.length]).toEqual([2, 1]);
  });

  test('fails when its headers are overdue again', () => {
    const { seen } = run();
    pass(250);
    expect(short(seen.items)).toEqual(['end']);
    expect(member.context.headers.letStreams(here)).toBe(false);
  });
});

describe('a stream that brings late what a poll finds', () => {
  /** The store moves, and the idle watch is due. */
  const look = () => {
    pass(15_001);
    member.tellIndex(10);
  };

  test('is tried once more, then its endpoint is polled', () => {
    run();
    member.streams[0]?.head(9);
    look();
    member.polls[0]?.head(10).event(10);
    pass(30);
    expect([member.streams[0]?.gone, member.context.headers.letStreams(here)]).toEqual([true, true]);
    run();
    member.streams[1]?.head(9);
    member.polls[1]?.head(10).event(10);
    pass(30);
    expect(member.context.headers.letStreams(here)).toBe(false);
  });

  test("is etcd's own silence where many pile up, and no matter of the endpoint", () => {
    run();
    member.streams[0]?.head(9).lines(Array.from({ length: 100 }, (_, i) => 10 + i));
    pass(1_000);
    member.watermark.saw({ etcdIndex: 500 });
    member.polls[0]?.head(500).event(110);
    pass(30);
    expect([member.streams[0]?.gone, member.context.headers.tryStreams(here)]).toEqual([true, false]);
  });
});
