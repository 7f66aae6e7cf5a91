import { sameMembers, type Member } from './member.js';

/** Who is in the cluster and who leads it, at one moment. Prints as one readable line. */
export class ClusterState {
  /** All members, by name; before they are known, one for each endpoint. */
  readonly members: readonly Member[];
  /** The leader, if a majority names one and it answers; undefined during an election. */
  readonly leader?: Member;
  /** Whether a majority of members answers and names a leader; undefined until that is known. */
  readonly hasQuorum?: boolean;
  /** The highest raft term seen in an answer. */
  readonly raftTerm?: number;
  /** When this state began. */
  readonly since: Date;

  constructor(
    members: readonly Member[],
    hasQuorum: boolean | undefined,
    raftTerm: number | undefined,
    since: Date,
  ) {
    this.members = members;
    const leader = members.find((m) => m.isLeader);
    if (leader !== undefined) this.leader = leader;
    if (hasQuorum !== undefined) this.hasQuorum = hasQuorum;
    if (raftTerm !== undefined) this.raftTerm = raftTerm;
    this.since = since;
  }

  /** True when nothing but `since` differs. */
  equals(other: ClusterState): boolean {
    return (
      this.hasQuorum === other.hasQuorum &&
      this.raftTerm === other.raftTerm &&
      sameMembers(this.members, other.members)
    );
  }

  /** One readable line. */
  toString(): string {
    const quorum = this.hasQuorum === undefined ? 'quorum unknown' : this.hasQuorum ? 'quorum' : 'no quorum';
    const term = this.raftTerm === undefined ? '' : `, term ${this.raftTerm}`;
    return `ClusterState (${quorum}${term}) ${this.members.join('; ')}`;
  }

  /** The same line. */
  toJSON(): string {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
