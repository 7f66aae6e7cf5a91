import type { ResponseInfo } from '../../../lib/v2/model/model.js';
import { progress } from '../../../lib/watch/leg-item.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import type { LegContext } from '../../../lib/v2/watch/leg-context.js';
import { maySkip } from '../../../lib/v2/watch/may-skip.js';
import { FakeMember, here } from '../../support/scripted/fake-member.js';

const there = 'http://b:2379';
let member: FakeMember;
let cursor: Cursor;

beforeEach(() => {
  member = new FakeMember();
  member.leader = there;
  cursor = new Cursor(10);
});

const doubts = (modifiedIndex: number, info: Partial<ResponseInfo> = {}): boolean =>
  maySkip(member.site({ position: cursor }), {
    body: { action: 'set', node: { key: '/a', modifiedIndex } },
    info: { endpoint: here, status: 200, ...info },
  });

test('an event of a follower is doubted from 901 above the cursor on', () => {
  expect([doubts(910), doubts(911)]).toEqual([false, true]);
});

test('none is that the history held when it was asked', () => {
  expect([doubts(5_000, { etcdIndex: 5_000 }), doubts(5_001, { etcdIndex: 5_000 })]).toEqual([false, true]);
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
  expect([doubts(5_000, { endpoint: there }), doubts(5_000), doubts(5_000)]).toEqual([true, true, false]);
  cursor.moveTo(progress(12));
  expect(doubts(5_000)).toBe(true);
});
