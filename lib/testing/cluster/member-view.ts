import { filter } from 'rxjs';
import type { Observable } from 'rxjs';
import type { EmbeddedAuth } from '../auth/embedded-auth.js';
import type { MemberInfo, Membership } from '../http/membership.js';
import type { Change, ReadableStore, ServedMember } from '../http/served-member.js';
import type { Clock } from '../store/clock.js';
import type { StoreEvent } from '../store/store-event.js';
import type { Consensus } from './consensus.js';
import type { MemberList } from './member-list.js';
import type { Replica } from './replica.js';

/** What the members of a cluster have in common. */
export interface Common {
  readonly clusterId: string;
  readonly auth: EmbeddedAuth;
  readonly consensus: Consensus;
  readonly list: MemberList;
}

/** A member as its HTTP server sees it. */
export class MemberView implements ServedMember {
  readonly store: ReadableStore;
  startTime: bigint;

  /** @param common known once all members listen; no request is served before */
  constructor(
    private readonly replica: Replica,
    private readonly clock: Clock,
    private readonly common: () => Common,
    readonly awake$: Observable<unknown>,
  ) {
    this.store = replica.store;
    this.startTime = clock.now();
  }

  get info(): MemberInfo {
    return this.#infoOf(this.replica);
  }

  get clusterId(): string {
    return this.common().clusterId;
  }

  get auth(): EmbeddedAuth {
    return this.common().auth;
  }

  get membership(): Membership {
    return this.common().list;
  }

  get members(): readonly MemberInfo[] {
    return this.common().list.all;
  }

  get leader(): MemberInfo | undefined {
    const { leader } = this.replica;
    return leader && this.#infoOf(leader);
  }

  get leaderSince(): bigint {
    return this.replica.leaderSince;
  }

  get raftIndex(): number {
    return this.replica.raftIndex;
  }

  get raftTerm(): number {
    return this.replica.raftTerm;
  }

  get hasQuorum(): boolean {
    return this.common().consensus.hasQuorum(this.replica);
  }

  now(): bigint {
    return this.clock.now();
  }

  propose$(change: Change): Observable<StoreEvent> {
    return this.common()
      .consensus.propose$(this.replica, change)
      .pipe(filter((event) => event !== undefined));
  }

  majority$(): Observable<void> {
    return this.common().consensus.majority$(this.replica);
  }

  /** One that was removed is in no list any more. */
  #infoOf({ name }: Replica): MemberInfo {
    return this.members.find((info) => info.name === name) ?? { id: '0', name, peerURLs: [], clientURLs: [] };
  }
}
