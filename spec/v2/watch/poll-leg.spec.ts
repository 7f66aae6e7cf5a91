import { of, Subject, throwError } from 'rxjs';
import { Fault } from '../../../lib/cluster/fault.js';
import type { HttpResponse } from '../../../lib/transport/http.js';
import { TransportError } from '../../../lib/transport/transport-error.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import { MemberLeft } from '../../../lib/watch/member-left.js';
import type { LegSite } from '../../../lib/v2/watch/leg-site.js';
import { pollLeg$ } from '../../../lib/v2/watch/poll-leg.js';
import {
  answerOf,
  FakeMember,
  here,
  moves,
  short,
  type FakeRequest,
  watchOver,
} from '../../support/scripted/fake-member.js';

let member: FakeMember;
let cursor: Cursor;

const run = (start: LegSite['start'] = 'position', recursive = true) =>
  watchOver(pollLeg$(member.site({ position: cursor, start, recursive })).pipe(moves(cursor)));

beforeEach(() => {
  jest.useFakeTimers();
  member = new FakeMember();
  cursor = new Cursor(10);
});
afterEach(() => jest.useRealTimers());

describe('a leg from the cursor', () => {
  test('asks from the cursor, says that it stands, emits the event and chains', () => {
    const { seen } = run();
    expect(member.polls[0]?.query.toString()).toBe('wait=true&recursive=true&waitIndex=10');
    expect(seen.items).toEqual([]);
    member.polls[0]?.head(9);
    expect(short(seen.items)).toEqual(['live']);
    member.polls[0]?.event(10);
    expect(short(seen.items)).toEqual(['live', 'set@10', 'end']);
    expect([seen.done, cursor.next]).toEqual([true, 11]);
  });

  test('the event tells what etcd told', () => {
    const { seen } = run();
    const prevNode = { key: '/a', value: 'old', modifiedIndex: 4 };
    member.polls[0]
      ?.head(9)
      .answer({ action: 'set', node: { key: '/a', value: 'new', modifiedIndex: 12 }, prevNode });
    const node = { key: '/a', value: 'new', modifiedIndex: 12 };
    const info = { etcdIndex: 9, endpoint: here, status: 200 };
    expect(seen.items[1]).toEqual({
      type: 'events',
      events: [{ action: 'set', node, prevNode, index: 12, info }],
      next: 13,
    });
  });

  test('without a start it is fixed by the first headers', () => {
    cursor = new Cursor();
    run();
    expect(member.polls[0]?.query.has('waitIndex')).toBe(false);
    member.polls[0]?.head(41);
    expect(cursor.next).toBe(42);
  });

  test.each<[string, number, object, boolean]>([
    ['a hidden key', 15, { key: '/a/_h' }, true],
    ['a neighbour', 15, { key: '/ab' }, true],
    ['a key below, not recursive', 15, { key: '/a/b' }, false],
  ])(
    '%s is not emitted; the leg chains, and the place moves on only forwards',
    (_, index, node, recursive) => {
      const { seen } = run('position', recursive);
      member.polls[0]?.head(9).event(index, node);
      expect(short(seen.items)).toEqual(['live', 'end']);
      expect(cursor.next).toBe(Math.max(10, index + 1));
    },
  );

  test('an event far above is not emitted before the history of a follower has shown that it is the first', () => {
    member.leader = 'http://b';
    const first = run();
    member.polls[0]?.head(9).event(911);
    expect([short(first.seen.items), cursor.next]).toEqual([['live', 'end'], 10]);
    const second = run();
    expect(member.polls[1]?.query.get('waitIndex')).toBe('10');
    member.polls[1]?.head(911).event(911);
    expect([short(second.seen.items), cursor.next]).toEqual([['live', 'set@911', 'end'], 912]);
  });

  test('an event below what was asked for is the failure of a cache, and is not emitted', () => {
    const { seen } = run();
    member.polls[0]?.head(9).event(9);
    expect(short(seen.items)).toEqual(['live']);
    expect(seen.error).toBeInstanceOf(MemberLeft);
    expect(cursor.next).toBe(10);
  });

  test.each<[string, (poll: FakeRequest) => void]>([
    ['an empty answer', (poll) => poll.head(20).answer('')],
    ['half an event', (poll) => poll.head(20).answer('{"action":"set","node":{"key":"/a"')],
    ['an error of etcd', (poll) => poll.head(20, undefined, 400).answer({ errorCode: 401, message: 'x' })],
  ])('%s is an error, and the place stays', (_, answer) => {
    const { seen } = run();
    answer(member.polls[0]!);
    expect(seen.error).toBeInstanceOf(Fault);
    expect(cursor.next).toBe(10);
  });

  test('so is a reset behind the headers', () => {
    const { seen } = run();
    const reset = new TransportError('reset', 'x', true);
    member.polls[0]?.head(20).fail(reset);
    expect(seen.error).toBe(reset);
    expect(cursor.next).toBe(10);
  });

  test('unsubscribing ends the poll', () => {
    const { subscription } = run();
    member.polls[0]?.head(9);
    subscription.unsubscribe();
    expect(member.polls[0]?.gone).toBe(true);
  });
});

describe('a leg that begins with the state', () => {
  const listing = (index: number) =>
    of(answerOf(200, index, { action: 'get', node: { key: '/a', value: 'now' } }));

  test('opens its poll first, without an index, then member.reads at the same member', () => {
    cursor = new Cursor();
    member.onRead = () => listing(50);
    const { seen } = run('state');
    expect(member.polls[0]?.query.has('waitIndex')).toBe(false);
    expect(member.reads).toEqual([]);
    member.polls[0]?.head(48);
    expect(member.reads).toMatchObject([{ endpoint: here, path: '/v2/keys/a?recursive=true' }]);
    expect(short(seen.items)).toEqual(['live', 'resync@50']);
    expect(cursor.next).toBe(51);
    member.polls[0]?.event(51);
    expect(short(seen.items)).toEqual(['live', 'resync@50', 'set@51', 'end']);
  });

  test('an event that comes while the state is read follows it; one that the state holds is dropped', () => {
    for (const [index, expected] of [
      [51, ['live', 'resync@50', 'set@51', 'end']],
      [49, ['live', 'resync@50', 'end']],
    ] as const) {
      member = new FakeMember();
      cursor = new Cursor();
      const read$ = new Subject<HttpResponse>();
      member.onRead = () => read$;
      const { seen } = run('state');
      member.polls[0]?.head(48).event(index);
      expect(short(seen.items)).toEqual(['live']);
      read$.next(answerOf(200, 50, { action: 'get', node: { key: '/a' } }));
      read$.complete();
      expect(short(seen.items)).toEqual(expected);
      expect(cursor.next).toBe(Math.max(51, index + 1));
    }
  });

  test('a key that does not exist is a state too', () => {
    cursor = new Cursor();
    member.onRead = () =>
      of(answerOf(404, 50, { errorCode: 100, message: 'Key not found', cause: '/a', index: 50 }));
    const { seen } = run('state');
    member.polls[0]?.head(48);
    expect(seen.items[1]).toMatchObject({ events: [{ action: 'resync', node: { key: '/a' }, index: 50 }] });
  });

  test('a resync tells the range that was lost, both ends included', () => {
    cursor.lost = 'cleared';
    member.onRead = () => listing(2_000);
    const { seen } = run('state');
    member.polls[0]?.head(1_999);
    expect(seen.items[1]).toMatchObject({
      events: [{ action: 'resync', index: 2_000, lost: { reason: 'cleared', from: 10, to: 2_000 } }],
    });
    expect([cursor.next, cursor.lost]).toEqual([2_001, undefined]);
  });

  test('a resync in a rebuilt cluster begins anew below', () => {
    cursor = new Cursor(5_000);
    cursor.lost = 'rebuilt';
    member.onRead = () => listing(7);
    const { seen } = run('state');
    member.polls[0]?.head(7);
    const [, item] = seen.items;
    // Where the former store ended nobody can tell.
    const lost = { reason: 'rebuilt', from: 5_000 };
    expect(item).toMatchObject({ events: [{ action: 'resync', index: 7, lost }], next: 8, epoch: 1 });
    expect(item).toHaveProperty('state', lost);
    expect([cursor.next, cursor.epoch]).toEqual([8, 1]);
  });

  test('a read that fails is an error of the leg', () => {
    const reset = new TransportError('reset', 'x', true);
    member.onRead = () => throwError(() => reset);
    const { seen } = run('state');
    member.polls[0]?.head(48);
    expect(seen.error).toBe(reset);
    expect(member.polls[0]?.gone).toBe(true);
  });
});

describe('without readable headers', () => {
  test('the endpoint is marked, and a watch without a start chains a leg that asks for it', () => {
    cursor = new Cursor();
    const { seen } = run();
    member.polls[0]?.head(undefined);
    expect(short(seen.items)).toEqual(['end']);
    expect(member.context.headers.areHidden(here)).toBe(true);
    expect(cursor.next).toBeUndefined();
  });

  test('a watch that has its start goes on', () => {
    const { seen } = run();
    member.polls[0]?.head(undefined).event(10);
    expect(short(seen.items)).toEqual(['live', 'set@10', 'end']);
    expect(member.context.headers.areHidden(here)).toBe(true);
  });

  test('with the state, the index is asked for before it', () => {
    member.onRead = ({ path }) =>
      of(
        path.includes('_rxetcd')
          ? answerOf(404, undefined, { errorCode: 100, index: 41 })
          : answerOf(200, undefined, { action: 'get', node: { key: '/a' } }),
      );
    const { seen } = run('state');
    member.polls[0]?.head(undefined);
    expect(member.reads.map((r) => r.path)).toEqual([
      '/v2/keys/a?recursive=true',
      '/v2/keys/a/_rxetcd',
      '/v2/keys/a?recursive=true',
    ]);
    expect(short(seen.items)).toEqual(['live', 'resync@41']);
    expect(cursor.next).toBe(42);
  });

  test('an idle poll ends before the next begins: connections are scarce', () => {
    member.context.headers.hides(here);
    const { seen } = run();
    member.polls[0]?.head(undefined);
    jest.advanceTimersByTime(3_000);
    let before: boolean | undefined;
    member.onRequest = () => (before = member.polls[0]?.gone);
    member.tellIndex(500);
    expect([member.polls.length, before, member.polls[1]?.waitIndex]).toEqual([2, true, '10']);
    member.polls[1]?.head(undefined).event(400);
    expect(short(seen.items)).toEqual(['live', 'set@400', 'end']);
  });
});
