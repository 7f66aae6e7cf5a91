import { inspect } from 'node:util';
import { ClusterState } from '../../lib/cluster/cluster-state.js';
import { Member, type MemberInfo, type MemberStatus } from '../../lib/cluster/member.js';

const info = (name: string, peer = name): MemberInfo => ({
  id: `id-${name}`,
  name,
  clientURLs: [`http://${name}`],
  peerURLs: [`http://${peer}:2380`],
});
const member = (name: string, isLeader = false, status: MemberStatus = 'running', peer = name): Member =>
  new Member(info(name, peer), status, isLeader);

const since = new Date(0);
const state = (members = [member('a', true), member('b')], hasQuorum: boolean | undefined = true, term = 7) =>
  new ClusterState(members, hasQuorum, term, since);

describe('ClusterState', () => {
  test('the leader is the member that leads', () => {
    const given = state();
    expect(given.leader).toBe(given.members[0]);
    expect(state([member('a')]).leader).toBeUndefined();
  });

  test.each<[ClusterState, string]>([
    [
      state(),
      'ClusterState (quorum, term 7) Member a (leader, running) http://a; Member b (running) http://b',
    ],
    [
      new ClusterState([member('a', false, 'unknown')], undefined, undefined, since),
      'ClusterState (quorum unknown) Member a (unknown) http://a',
    ],
    [
      new ClusterState([member('a', false, 'down')], false, undefined, since),
      'ClusterState (no quorum) Member a (down) http://a',
    ],
  ])('prints as one readable line', (given, line) => {
    expect(String(given)).toBe(line);
    expect(JSON.stringify({ given })).toBe(JSON.stringify({ given: line }));
    expect(inspect(given)).toBe(line);
  });

  test.each<[string, ClusterState]>([
    ['the leader', state([member('a'), member('b', true)])],
    ['no leader', state([member('a'), member('b')])],
    ['a status', state([member('a', true), member('b', false, 'down')])],
    ['a member more', state([member('a', true), member('b'), member('c')])],
    ['a member fewer', state([member('a', true)])],
    ['another order', state([member('b'), member('a', true)])],
    ['quorum', state(undefined, false)],
    ['term', state(undefined, true, 8)],
    ['peer URLs', state([member('a', true), member('b', false, 'running', 'elsewhere')])],
    ['an id', state([member('a', true), new Member({ ...info('b'), id: 'other' }, 'running', false)])],
    [
      'client URLs',
      state([member('a', true), new Member({ ...info('b'), clientURLs: ['http://x'] }, 'running', false)]),
    ],
  ])('differs by %s', (_, other) => {
    expect(state().equals(other)).toBe(false);
    expect(other.equals(state())).toBe(false);
  });

  test.each<[string, Partial<MemberInfo>, Partial<MemberInfo>]>([
    ['URLs', { clientURLs: ['http://x', 'http://y'] }, { clientURLs: ['http://x http://y'] }],
    ['a name', { name: 'b\n' }, { name: 'b\t' }],
    ['a name, or none', { name: '' }, { name: 'id-b' }],
  ])('differs by %s that print the same', (_, one, another) => {
    const [a, b] = [one, another].map((more) =>
      state([new Member({ ...info('b'), ...more }, 'running', false)]),
    ) as [ClusterState, ClusterState];
    expect(String(a)).toBe(String(b));
    expect([a.equals(b), b.equals(a), a.equals(a)]).toEqual([false, false, true]);
  });

  test('is the same when only its time differs', () => {
    const { members } = state();
    expect(state().equals(new ClusterState([...members], true, 7, new Date(9)))).toBe(true);
  });
});
