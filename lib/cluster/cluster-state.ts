import { sameMembers, type Member } from './member.js';

/** Who is in the cluster and who leads it, at one moment. Prints as one readable line. */
export class ClusterState {
  /** All members, by name; before they are known, one for each endpoint. */
  readonly members: readonly Member[];
  /** The leader, if a majority names one and it answers; undefined during an election, and where it is not told. */
  readonly leader?: Member;
  /**
   * False where the leader is not told: with authentication on, etcd 3.5.28 to 3.5.31 and 3.6.9 to 3.6.11 let nobody but root
   * ask for it.
   */
  readonly leaderKnown: boolean;
  /**
   * Whether a majority of members answers and names a leader; where that one is not told, whether some member has a majority
   * behind it for a linearizable read. Undefined until that is known.
   */
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
    leaderKnown = true,
  ) {
    this.members = members;
    const leader = members.find((m) => m.isLeader);
    if (leader !== undefined) this.leader = leader;
    this.leaderKnown = leaderKnown;
    if (hasQuorum !== undefined) this.hasQuorum = hasQuorum;
    if (raftTerm !== undefined) this.raftTerm = raftTerm;
    this.since = since;
  }

  /** True when nothing but `since` differs. */
  equals(other: ClusterState): boolean {
    return (
      this.hasQuorum === other.hasQuorum &&
      this.leaderKnown === other.leaderKnown &&
      this.raftTerm === other.raftTerm &&
      sameMembers(this.members, other.members)
    );
  }

  /** One readable line. */
  toString(): string {
    const quorum = this.hasQuorum === undefined ? 'quorum unknown' : this.hasQuorum ? 'quorum' : 'no quorum';
    const term = this.raftTerm === undefined ? '' : `, term ${this.raftTerm}`;
    const leader = this.leaderKnown ? '' : ', leader not told';
    return `ClusterState (${quorum}${leader}${term}) ${this.members.join('; ')}`;
  }

  /** The same line. */
  toJSON(): string {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
