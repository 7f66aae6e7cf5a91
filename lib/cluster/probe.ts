import type { Observable } from 'rxjs';
import type { MemberInfo } from './member.js';

/** What one member answered to a probe; a probe that is not answered errors. */
export interface ProbeAnswer {
  /** The answering member's id, if it told. */
  readonly id?: string | undefined;
  /** The id of its cluster, if it told. */
  readonly clusterId?: string | undefined;
  /** The id of the leader it names; null: it knows of none; undefined: it cannot tell at all. */
  readonly leader?: string | null | undefined;
  /** The raft term in which that one leads, if it told. */
  readonly raftTerm?: number | undefined;
  /**
   * Told instead of the leader where only some may ask for that one: whether a majority stands behind the member. Undefined
   * of all that tell.
   */
  readonly hasQuorum?: boolean | undefined;
  /** It is a learner, by its own word. */
  readonly isLearner?: boolean | undefined;
  /** Its release, as `3.4.23`, if asked for and told. */
  readonly version?: string | undefined;
  /** The member list it holds, if asked for and told. */
  readonly members?: readonly MemberInfo[] | undefined;
  /** Why it cannot serve this client, though it answers: its server lacks the API. */
  readonly unsupported?: string | undefined;
}

/**
 * Asks one endpoint who it is and who leads. Each API of etcd has its own.
 *
 * @param full also asks for its id, its release and the member list, not only for the leader
 */
export type Probe = (endpoint: string, full: boolean) => Observable<ProbeAnswer>;

/** A probe that remembers how its endpoints are asked. */
export type ForgettingProbe = Probe & {
  /** The endpoint is none any more: who comes there later may be of any release. */
  readonly forget: (endpoint: string) => void;
};
