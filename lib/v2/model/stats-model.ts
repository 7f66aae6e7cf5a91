import type { Member } from '../../cluster/member.js';
import type { EtcdError } from '../../errors.js';

/** What the leader knows of its followers (etcd: Documentation/v2/api.md, "Leader Statistics"). */
export interface LeaderStats {
  /** The id of the leader. */
  readonly leader: string;
  /** By member id. */
  readonly followers: Readonly<Record<string, FollowerStats>>;
}

/** How one follower answers its leader. */
export interface FollowerStats {
  /** In milliseconds. */
  readonly latency: {
    readonly current: number;
    readonly average: number;
    readonly standardDeviation: number;
    readonly minimum: number;
    readonly maximum: number;
  };
  readonly counts: { readonly fail: number; readonly success: number };
}

/** What a member tells of itself (etcd: Documentation/v2/api.md, "Self Statistics"). */
export interface SelfStats {
  readonly name: string;
  readonly id: string;
  /** `StateLeader` or `StateFollower`. Not to be trusted during an election: see `clusterState$`. */
  readonly state: string;
  /** RFC 3339 with nanoseconds. */
  readonly startTime: string;
  readonly leaderInfo: { readonly leader: string; readonly uptime: string; readonly startTime: string };
  readonly recvAppendRequestCnt: number;
  /** Requests per second. */
  readonly recvPkgRate?: number;
  /** Bytes per second. */
  readonly recvBandwidthRate?: number;
  readonly sendAppendRequestCnt: number;
  /** Requests per second. */
  readonly sendPkgRate?: number;
  /** Bytes per second. */
  readonly sendBandwidthRate?: number;
}

/** Operations on one member's store since it started (etcd: Documentation/v2/api.md, "Store Statistics"). */
export interface StoreStats {
  readonly getsSuccess: number;
  readonly getsFail: number;
  readonly setsSuccess: number;
  readonly setsFail: number;
  readonly deleteSuccess: number;
  readonly deleteFail: number;
  readonly updateSuccess: number;
  readonly updateFail: number;
  readonly createSuccess: number;
  readonly createFail: number;
  readonly compareAndSwapSuccess: number;
  readonly compareAndSwapFail: number;
  readonly compareAndDeleteSuccess: number;
  readonly compareAndDeleteFail: number;
  readonly expireCount: number;
  /** Watches that are open on this member. */
  readonly watchers: number;
}

/** One member's statistics, or why it did not tell them. */
export interface MemberStats<T> {
  readonly member: Member;
  /** The URL that was asked; absent when none of the member's can be used. */
  readonly endpoint?: string;
  readonly stats?: T;
  readonly error?: EtcdError;
}
