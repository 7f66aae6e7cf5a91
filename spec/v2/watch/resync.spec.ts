import { of } from 'rxjs';
import type { HttpRequest } from '../../../lib/transport/http.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import { historyLost } from '../../../lib/v2/watch/history-lost.js';
import { leg$ } from '../../../lib/v2/watch/leg.js';
import type { V2LegItem } from '../../../lib/v2/watch/leg-site.js';
import { MemberLeft } from '../../../lib/watch/member-left.js';
import { resync$ } from '../../../lib/v2/watch/resync.js';
import { V2Watch } from '../../../lib/v2/watch/v2-watch.js';
import { WatchSource } from '../../../lib/watch/watch-source.js';
import { answerOf, FakeMember, moves, short, watchOver } from '../../support/scripted/fake-member.js';

const target = { key: '/a', recursive: true };

let member: FakeMember;
let cursor: Cursor;
const run = () => watchOver(resync$(member.site({ position: cursor })).pipe(moves(cursor)));
/** The store, and what a quorum says of it. */
const store =
  (index: number, { clusterId, quorum = index }: { clusterId?: string; quorum?: number } = {}) =>
  ({ path }: HttpRequest) =>
    of(
      answerOf(
        200,
        path.includes('quorum=true') ? quorum : index,
        { action: 'get', node: { key: '/a' } },
        clusterId,
      ),
    );
const lostIn = ([item]: readonly V2LegItem[]) =>
  item?.type === 'events' && item.events[0]?.action === 'resync' ? item.events[0].lost : item;

beforeEach(() => {
  jest.useFakeTimers();
  member = new FakeMember();
  cursor = new Cursor(61);
  cursor.clusterId = 'ours';
});
afterEach(() => jest.useRealTimers());

test.each<[string, Cursor['lost'], number, string | undefined, object, number]>([
  ['a range', 'cleared', 900, 'ours', { reason: 'cleared', from: 61, to: 900 }, 0],
  ['of one index at least', 'cleared', 60, undefined, { reason: 'cleared', from: 61, to: 61 }, 0],
  ['a former store', 'rebuilt', 4, 'ours', { reason: 'rebuilt', from: 61 }, 1],
  ['another cluster', 'another-cluster', 4, 'other', { reason: 'another-cluster', from: 61 }, 1],
  ['and so it is if its id says so', 'rebuilt', 900, 'other', { reason: 'another-cluster', from: 61 }, 1],
  ['whatever was lost before', 'cleared', 4, 'other', { reason: 'another-cluster', from: 61 }, 1],
])('what is lost: %s (%s, then a state at %i)', (_, lost, index, clusterId, expected, epoch) => {
  cursor.lost = lost;
  member.onRead = store(index, clusterId === undefined ? {} : { clusterId });
  expect(lostIn(run().seen.items)).toEqual(expected);
  expect([cursor.epoch, cursor.next, cursor.lost]).toEqual([epoch, index + 1, undefined]);
  expect(cursor.clusterId).toBe(clusterId ?? 'ours');
});

test('history was cleared, and the state is below the cursor: that of a member that lags is asked for again', () => {
  cursor.lost = 'cleared';
  member.onRead = store(40, { quorum: 900 });
  const { seen } = run();
  expect([seen.items, seen.error]).toEqual([[], new MemberLeft('its state is older than what was seen')]);
  expect(cursor.next).toBe(61);
});

test('or the store began anew meanwhile, and what is lost is more', () => {
  cursor.lost = 'cleared';
  member.onRead = store(4);
  const { seen } = run();
  expect([seen.items, seen.error]).toEqual([[], historyLost('rebuilt')]);
});

describe('a move to another cluster is made up for once', () => {
  test('two more legs are no resyncs', () => {
    const source = new WatchSource(
      member.context,
      new V2Watch(member.context, target),
      { id: 1, target, from: undefined },
      () => undefined,
      () => undefined,
    );
    const { seen } = watchOver(source.events$);
    /** Waits for the next stream. */
    const next = () => {
      const { length } = member.streams;
      while (member.streams.length === length) jest.advanceTimersByTime(10);
    };
    const leg = (index: number) => {
      member.streams
        .at(-1)!
        .head(index, 'other')
        .lines([index + 1])
        .end();
      next();
    };
    member.streams[0]?.head(60, 'ours').lines([61]).end();
    member.onRead = store(80, { clusterId: 'other' });
    next();
    // Tells that it is another one; the next reads its state.
    member.streams.at(-1)!.head(80, 'other');
    next();
    leg(80);
    leg(81);
    leg(82);
    expect(seen.items.map(({ action, index }) => `${action}@${String(index)}`)).toEqual([
      'set@61',
      'resync@80',
      'set@81',
      'set@82',
      'set@83',
    ]);
  });

  test('in a browser neither, which reads the state before it polls', () => {
    member = new FakeMember({ streams: false });
    member.onRead = store(80, { clusterId: 'other' });
    cursor.lost = 'another-cluster';
    const { seen } = watchOver(leg$(member.site({ position: cursor, start: 'state' })).pipe(moves(cursor)));
    expect(member.polls).toHaveLength(1);
    member.polls[0]?.head(80, 'other').event(81);
    member.polls[1]?.head(81, 'other').event(82);
    expect(seen.error).toBeUndefined();
    expect(short(seen.items)).toEqual(['resync@80', 'live', 'set@81', 'live', 'set@82']);
  });
});
