import type { EventBus } from '../insight/events.js';
import type { ClusterState } from './cluster-state.js';
import type { Member } from './member.js';

/** Tells on `events$` what differs between two states: the leader, and members that went or came back. */
export class ChangeReporter {
  readonly #events: EventBus;
  #leaderSince = Date.now();
  /** Since when each member is down; undefined while one is not. */
  #downSince: Date | undefined;
  /** Since when each member is what it is. */
  #statusSince = new Map<string, number>();

  constructor(events: EventBus) {
    this.#events = events;
  }

  report(before: ClusterState, after: ClusterState): void {
    const now = after.since.getTime();
    if (before.leader?.id !== after.leader?.id) {
      const [previous, leader] = [before.leader && refOf(before.leader), after.leader && refOf(after.leader)];
      const durationMs = now - this.#leaderSince;
      this.#leaderSince = now;
      this.#events.emit(() => ({ type: 'leader-change', previous, leader, durationMs }));
    }
    const statusSince = new Map<string, number>();
    for (const member of after.members) {
      const was = before.members.find((m) => isSame(m, member));
      const since = was === undefined ? now : (this.#statusSince.get(keyOf(was)) ?? before.since.getTime());
      statusSince.set(keyOf(member), was?.status === member.status ? since : now);
      this.#reportStatus(member, was, now - since);
    }
    this.#statusSince = statusSince;
    this.#reportCluster(after);
  }

  /** One word for all: calls and watches, of which there may be thousands, have their own. */
  #reportCluster({ members, since }: ClusterState): void {
    if (this.#downSince === undefined && members.length > 0 && members.every(isDown)) {
      this.#downSince = since;
      this.#events.emit(() => ({ type: 'cluster-down', since, members: members.length }));
    } else if (this.#downSince !== undefined && members.some(({ status }) => status === 'running')) {
      const durationMs = since.getTime() - this.#downSince.getTime();
      this.#downSince = undefined;
      this.#events.emit(() => ({ type: 'cluster-up', durationMs }));
    }
  }

  #reportStatus(member: Member, was: Member | undefined, durationMs: number): void {
    if (was?.status !== 'down' && member.status === 'down') {
      this.#events.emit(() => ({ type: 'member-down', member: refOf(member), durationMs }));
    } else if (was?.status === 'down' && member.status === 'running') {
      this.#events.emit(() => ({ type: 'member-up', member: refOf(member), durationMs }));
    }
  }
}

const isDown = ({ status }: Member): boolean => status === 'down';

const keyOf = ({ id, clientURLs }: Member): string => (id === '' ? (clientURLs[0] ?? '') : id);

/** Before their ids are known, members are told apart by their URLs. */
const isSame = (a: Member, b: Member): boolean =>
  a.id === '' || b.id === '' ? a.clientURLs[0] === b.clientURLs[0] : a.id === b.id;

/** Before its name is known, a member is called by its URL. */
const refOf = ({ id, name, clientURLs }: Member): { id: string; name: string } => ({
  id,
  name: name === '' ? (clientURLs[0] ?? '') : name,
});
