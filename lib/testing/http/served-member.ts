import type { Observable } from 'rxjs';
import type { EmbeddedAuth } from '../auth/embedded-auth.js';
import type { Store } from '../store/store.js';
import type { StoreEvent } from '../store/store-event.js';
import type { MemberInfo, Membership } from './membership.js';

/** Its copy of the store, as far as requests read it by themselves. */
export type ReadableStore = Pick<Store, 'get' | 'watch' | 'index' | 'counts'>;

/** A change on its way through the cluster: done to each member's copy of the store. */
export type Change = (store: Store) => StoreEvent;

/** The member that an HTTP server speaks for. */
export interface ServedMember {
  readonly info: MemberInfo;
  readonly clusterId: string;
  readonly store: ReadableStore;
  readonly auth: EmbeddedAuth;
  readonly membership: Membership;
  /** In ns since 1970. */
  readonly startTime: bigint;
  /** When it learnt of its leader. */
  readonly leaderSince: bigint;
  readonly raftIndex: number;
  readonly raftTerm: number;
  /** The members that it knows. */
  readonly members: readonly MemberInfo[];
  /** The one that it holds for the leader; undefined during an election. */
  readonly leader: MemberInfo | undefined;
  readonly hasQuorum: boolean;
  /** Emits when it can deal with a request: at once, or when it runs again. */
  readonly awake$: Observable<unknown>;
  now(): bigint;
  /** Emits what the change did; errors with `StoreError`, or with `ProposalError` where there is no majority. */
  propose$(change: Change): Observable<StoreEvent>;
  /** Emits once it can propose; errors with `ProposalError`. */
  majority$(): Observable<void>;
}

/** The cluster did not take a change in time; `message` is etcd's. */
export class ProposalError extends Error {
  override readonly name = 'ProposalError';
}
