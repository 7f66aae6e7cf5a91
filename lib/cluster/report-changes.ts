import type { EventBus } from '../events.js';
import type { ClusterState } from './cluster-state.js';
import type { Member } from './member.js';

/** Tells on `events$` what differs between two states: the leader, and members that went or came back. */
export function reportChanges(
  events: EventBus,
  before: ClusterState,
  after: ClusterState,
  leaderSince: number,
): void {
  if (before.leader?.id !== after.leader?.id) {
    const previous = before.leader === undefined ? {} : { previous: refOf(before.leader) };
    const leader = after.leader === undefined ? {} : { leader: refOf(after.leader) };
    events.emit(() => ({
      type: 'leader-change',
      ...previous,
      ...leader,
      durationMs: Date.now() - leaderSince,
    }));
  }
  const durationMs = after.since.getTime() - before.since.getTime();
  for (const member of after.members) {
    const was = before.members.find((m) => isSame(m, member))?.status;
    if (was !== 'down' && member.status === 'down') {
      events.emit(() => ({ type: 'member-down', member: refOf(member), durationMs }));
    } else if (was === 'down' && member.status === 'running') {
      events.emit(() => ({ type: 'member-up', member: refOf(member), durationMs }));
    }
  }
}

/** Before their ids are known, members are told apart by their URLs. */
const isSame = (a: Member, b: Member): boolean =>
  a.id === '' || b.id === '' ? a.clientURLs[0] === b.clientURLs[0] : a.id === b.id;

const refOf = ({ id, name }: Member): { id: string; name: string } => ({ id, name });
