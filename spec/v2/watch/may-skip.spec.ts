import type { ResponseInfo } from '../../../lib/v2/model/model.js';
import { progress } from '../../../lib/watch/leg-item.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import type { LegContext } from '../../../lib/v2/watch/leg-context.js';
import { HistoryLost } from '../../../lib/v2/watch/history-lost.js';
import { isDoubtful, maySkip } from '../../../lib/v2/watch/may-skip.js';
import { FakeMember, here } from '../../support/scripted/fake-member.js';

const there = 'http://b:2379';
let member: FakeMember;
let cursor: Cursor;

beforeEach(() => {
  member = new FakeMember();
  member.leader = there;
  cursor = new Cursor(10);
});

const doubts = (modifiedIndex: number, info: Partial<ResponseInfo> = {}, key = '/a'): boolean =>
  isDoubtful(member.site({ position: cursor }), {
    body: { action: 'set', node: { key, modifiedIndex } },
    info: { endpoint: here, status: 200, ...info },
  });

test('an event of a follower is doubted unless it is at the position, or next to what the member has looked at', () => {
  expect([doubts(9), doubts(10), doubts(11)]).toEqual([false, false, true]);
  const info = { etcdIndex: 20 };
  expect([doubts(20, info), doubts(21, info), doubts(22, info)]).toEqual([false, false, true]);
});

test('before 0.3 the headers tell where the event stands, not what was looked at', () => {
  const info = { etcdIndex: 20 };
  member.version = '0.2.0';
  expect(doubts(20, info)).toBe(true);
  member.leader = here;
  expect(doubts(20, info)).toBe(false);
});

test('the leader is believed from what it said last on', () => {
  member.leader = here;
  const skips = (modifiedIndex: number) =>
    maySkip(
      member.site({ position: cursor }),
      {
        body: { action: 'set', node: { key: '/a', modifiedIndex } },
        info: { endpoint: here, status: 200, etcdIndex: 9 },
      },
      { endpoint: here, status: 200, etcdIndex: 30 },
    );
  expect([skips(11), skips(30), skips(31)]).toEqual([true, true, false]);
});

test('none is that the history held when it was asked', () => {
  expect([doubts(5_000, { etcdIndex: 5_000 }), doubts(5_002, { etcdIndex: 5_000 })]).toEqual([false, true]);
});

test('none is of a watch that has no place yet', () => {
  cursor = new Cursor();
  expect(doubts(5_000)).toBe(false);
});

test('none is of the leader, as long as it has led since the watch stood', () => {
  const leads = jest.fn(() => true);
  Object.assign(member.context.cluster, { leads } satisfies Partial<LegContext['cluster']>);
  expect(doubts(5_000, { raftTerm: 3 })).toBe(false);
  expect(leads).toHaveBeenCalledWith(here, 3);
});

test('the same again is believed, of the same member, until another was delivered', () => {
  expect([doubts(5_000), doubts(5_001), doubts(5_000, { endpoint: there })]).toEqual([true, true, false]);
  member.leader = undefined;
  expect([doubts(5_001, { endpoint: there }), doubts(5_001), doubts(5_001)]).toEqual([true, true, false]);
  cursor.moveTo(progress(12));
  expect(doubts(5_000)).toBe(true);
});

test('an earlier one in its place was left out, unless nobody was to see it', () => {
  expect([doubts(5_000), doubts(4_000, { etcdIndex: 5_000 }, '/a/_hidden')]).toEqual([true, false]);
  expect(() => doubts(4_000, { etcdIndex: 5_000 })).toThrow(new HistoryLost('skipped'));
});
