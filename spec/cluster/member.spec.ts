import { inspect } from 'node:util';
import { Member, type MemberInfo, type MemberStatus } from '../../lib/cluster/member.js';

const info: MemberInfo = {
  id: 'a1',
  name: 'node3',
  clientURLs: ['http://10.0.0.3:2379', 'http://node3:2379'],
  peerURLs: ['http://10.0.0.3:2380'],
};

describe('Member', () => {
  test.each<[Partial<MemberInfo>, MemberStatus, boolean, string]>([
    [{}, 'running', true, 'Member node3 (leader, running) http://10.0.0.3:2379 http://node3:2379'],
    [{}, 'running', false, 'Member node3 (running) http://10.0.0.3:2379 http://node3:2379'],
    [{}, 'down', false, 'Member node3 (down) http://10.0.0.3:2379 http://node3:2379'],
    [{ name: '' }, 'unknown', false, 'Member a1 (unknown) http://10.0.0.3:2379 http://node3:2379'],
    [{ clientURLs: [] }, 'unknown', false, 'Member node3 (unknown)'],
    [
      { id: '', name: '', clientURLs: ['http://a'] },
      'unknown',
      false,
      'Member (not identified) (unknown) http://a',
    ],
  ])('%j %s %s prints as one readable line', (more, status, isLeader, line) => {
    const member = new Member({ ...info, ...more }, status, isLeader);
    expect(String(member)).toBe(line);
    expect(JSON.stringify([member])).toBe(JSON.stringify([line]));
    expect(inspect(member)).toBe(line);
    expect(inspect({ members: [member] })).toContain(line);
  });

  test('carries what the member list says', () => {
    expect(new Member(info, 'down', false)).toMatchObject({ ...info, status: 'down', isLeader: false });
  });
});
