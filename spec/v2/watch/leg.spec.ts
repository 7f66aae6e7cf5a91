import { of } from 'rxjs';
import { AuthenticationError } from '../../../lib/errors.js';
import type { HttpRequest } from '../../../lib/transport/http.js';
import { MemberLeft } from '../../../lib/watch/member-left.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import type { LegSite } from '../../../lib/v2/watch/leg-site.js';
import { leg$ } from '../../../lib/v2/watch/leg.js';
import { answerOf, FakeMember, here, moves, short, watchOver } from '../../support/scripted/fake-member.js';

let member: FakeMember;
let cursor: Cursor;

const run = (start: LegSite['start'] = 'position') =>
  watchOver(leg$(member.site({ position: cursor, start })).pipe(moves(cursor)));
/** A store at 41 when its index is asked for, whose state is read a little later. */
const store = ({ path }: HttpRequest) =>
  of(
    path.includes('_rxetcd')
      ? answerOf(404, 41, { errorCode: 100, index: 41 })
      : answerOf(200, 43, { action: 'get', node: { key: '/a', dir: true } }),
  );

beforeEach(() => {
  jest.useFakeTimers();
  member = new FakeMember();
  cursor = new Cursor(10);
});
afterEach(() => jest.useRealTimers());

describe('which leg', () => {
  test.each<[string, string | undefined, 'stream' | 'poll']>([
    ['a release whose streams can be trusted', '2.3.0', 'stream'],
    ['a modern one', '3.5.16', 'stream'],
    ['one before', '2.2.5', 'poll'],
    ['one before 2.0', '0.4.9', 'poll'],
    ['one that is not known', undefined, 'poll'],
  ])('at %s (%s): a %s', (_, version, kind) => {
    member.version = version;
    run();
    const polls = member.polls.filter(({ query }) => query.has('recursive'));
    expect([member.streams.length, polls.length]).toEqual(kind === 'stream' ? [1, 0] : [0, 1]);
  });

  test('where headers cannot be read: a poll', () => {
    member.context.headers.hides(here);
    run();
    expect([member.streams.length, member.polls.length]).toEqual([0, 1]);
  });

  test('without streams, as in a browser: a poll', () => {
    member = new FakeMember({ streams: false });
    run();
    expect([member.streams.length, member.polls.length]).toEqual([0, 1]);
  });

  test.each<[string, boolean, boolean, boolean]>([
    ['in a browser', false, false, true],
    ['where headers cannot be read', true, true, true],
    ['at an old release', true, false, false],
  ])('%s (streams: %p, blind: %p): polls take turns: %p', (_, streams, blind, inTurns) => {
    member = new FakeMember({ streams });
    member.version = '2.2.5';
    if (blind) member.context.headers.hides(here);
    const legs = Array.from({ length: 5 }, () => run().seen);
    expect(member.polls).toHaveLength(inTurns ? 4 : 5);
    expect(short(legs[4]?.items ?? [])).toEqual(inTurns ? ['waiting'] : []);
  });
});

test('a leg that is a stream of a follower that skips says that it ends', () => {
  member.leader = 'http://b';
  const { seen } = run();
  member.streams[0]?.head(9).lines([5_000]);
  expect(short(seen.items)).toEqual(['live', 'end']);
});

test('a poll of a browser makes room when it ends', () => {
  member = new FakeMember({ streams: false });
  Array.from({ length: 5 }, () => run());
  member.polls[0]?.head(9).event(10);
  jest.advanceTimersByTime(0);
  expect(member.polls).toHaveLength(5);
});

describe('where polls tell nothing before their event', () => {
  test.each<[string, string, boolean, boolean]>([
    ['a release before 0.3', '0.2.0', false, true],
    ['one before 2.0', '0.4.9', false, true],
    ['no headers to read', '3.4.23', true, true],
    ['a browser', '3.4.23', false, false],
  ])('%s (%s): from now on begins by asking where now is', (_, version, blind, streams) => {
    member = new FakeMember({ streams });
    member.version = version;
    if (blind) member.context.headers.hides(here);
    member.onRead = store;
    cursor = new Cursor();
    const { seen } = run();
    expect(member.reads.map((r) => r.path)).toEqual(['/v2/keys/a/_rxetcd']);
    expect([short(seen.items), seen.done, member.requests.length]).toEqual([['live', 'end'], true, 0]);
    expect(cursor.next).toBe(42);
  });

  test('a browser: a resync reads the state first, and polls on in the same turn', () => {
    member = new FakeMember({ streams: false });
    member.onRead = store;
    const { seen } = run('state');
    expect(member.reads.map((r) => r.path)).toEqual(['/v2/keys/a?recursive=true']);
    expect([short(seen.items), seen.done]).toEqual([['resync@43'], false]);
    expect(member.polls.map(({ waitIndex }) => waitIndex)).toEqual(['44']);
  });

  test.each(['0.2.0', '0.4.9'])('%s: a resync reads the state first', (version) => {
    member.version = version;
    member.onRead = store;
    const { seen } = run('state');
    // Measured: the index is in the headers of 0.x, too.
    expect(member.reads.map((r) => r.path)).toEqual(['/v2/keys/a?recursive=true']);
    expect([short(seen.items), seen.done, member.requests.length]).toEqual([['resync@43', 'end'], true, 0]);
    expect(cursor.next).toBe(44);
  });

  test('but a resync where only headers are missing opens its poll first', () => {
    member.context.headers.hides(here);
    run('state');
    expect([member.polls.length, member.reads.length]).toEqual([1, 0]);
    expect(member.polls[0]?.query.has('waitIndex')).toBe(false);
  });

  describe('without the right to ask', () => {
    const denied = (header: number | undefined) => () =>
      of(
        answerOf(401, header, { errorCode: 110, message: 'm', cause: 'Insufficient credentials', index: 0 }),
      );
    beforeEach(() => {
      cursor = new Cursor();
    });

    test('the headers of the key itself tell', () => {
      member = new FakeMember({ streams: false });
      member.onRead = (request) =>
        request.path.includes('_rxetcd')
          ? denied(0)()
          : of(answerOf(200, 41, { action: 'get', node: { key: '/a' } }));
      const { seen } = run();
      expect(member.reads.map(({ path }) => path)).toEqual(['/v2/keys/a/_rxetcd', '/v2/keys/a']);
      expect([short(seen.items), seen.done, cursor.next]).toEqual([['live', 'end'], true, 42]);
    });

    test('a member that knows of no index yet is left', () => {
      member = new FakeMember({ streams: false });
      member.onRead = () => of(answerOf(404, 0, { errorCode: 100, index: 0 }));
      expect(run().seen.error).toBeInstanceOf(MemberLeft);
      expect(member.polls).toEqual([]);
    });

    test.each<[LegSite['start'], string | undefined, string]>([
      ['position', 'Basic x', 'lacks the right to read below the key'],
      ['state', 'Basic x', 'lacks the right to read below the key'],
      ['position', undefined, 'no credentials were given'],
    ])(
      'where none can be read it is an error that says what it takes (%s, %p)',
      (start, authorization, hint) => {
        member = new FakeMember({ streams: false, authorization });
        member.onRead = (request) =>
          request.path.includes('_rxetcd')
            ? denied(undefined)()
            : of(answerOf(200, undefined, { action: 'get', node: { key: '/a' } }));
        const { error } = run(start).seen;
        expect(error).toBeInstanceOf(AuthenticationError);
        expect((error as Error).message).toContain(hint);
        expect(member.polls).toEqual([]);
      },
    );
  });
});
