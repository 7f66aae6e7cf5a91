import { formatTime } from '../store/clock.js';
import { formatDuration } from '../go/duration.js';
import { json, message, methodNotAllowed } from './reply.js';
import type { Reply } from './reply.js';
import type { Request } from './request.js';
import type { ServedMember } from './served-member.js';

/** `/v2/stats/self`, `/v2/stats/leader` and `/v2/stats/store`. */
export function statsRoute({ method, path }: Request, member: ServedMember): Reply {
  if (method !== 'GET') return methodNotAllowed('GET');
  if (path === '/v2/stats/store') return json(200, member.store.counts, '');
  if (path === '/v2/stats/self') return json(200, selfStats(member), '');
  if (member.leader?.id !== member.info.id) return message(403, 'not current leader');
  return json(200, leaderStats(member), '');
}

/** Without a leader it names itself, as etcd does. */
function selfStats(member: ServedMember): object {
  const { info, leader = info, startTime, leaderSince } = member;
  return {
    name: info.name,
    id: info.id,
    state: leader.id === info.id ? 'StateLeader' : 'StateFollower',
    startTime: formatTime(startTime),
    leaderInfo: {
      leader: leader.id,
      uptime: formatDuration(member.now() - leaderSince),
      startTime: formatTime(leaderSince),
    },
    recvAppendRequestCnt: 0,
    sendAppendRequestCnt: 0,
  };
}

function leaderStats({ info, members }: ServedMember): object {
  const latency = { current: 0, average: 0, standardDeviation: 0, minimum: 0, maximum: 0 };
  const followers = members
    .filter(({ id }) => id !== info.id)
    .map(({ id }) => [id, { latency, counts: { fail: 0, success: 0 } }]);
  return { leader: info.id, followers: Object.fromEntries(followers) as object };
}
