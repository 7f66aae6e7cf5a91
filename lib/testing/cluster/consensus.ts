import { NEVER, defer, filter, map, of, switchMap, take, throwError, timeout } from 'rxjs';
import type { Observable } from 'rxjs';
import { unrefScheduler } from '#platform/util/unref-scheduler.js';
import { ProposalError } from '../http/served-member.js';
import type { Clock } from '../store/clock.js';
import type { StoreEvent } from '../store/store-event.js';
import { Campaign } from './campaign.js';
import { ChangeLog } from './change-log.js';
import type { LoggedChange } from './change-log.js';
import type { Replica } from './replica.js';

export interface Timing {
  /** How long members hold a leader for alive that is gone, in ms. Default: 1,000, as etcd. */
  readonly electionTimeout: number;
  /** After what time a write fails that finds no majority, in ms. Default: 5,000 and twice the election timeout, as etcd. */
  readonly requestTimeout: number;
}

/** How often expired keys are looked for, in ms. */
const sweepPeriod = 500;
const timedOut = 'etcdserver: request timed out';

/**
 * What the members agree on: who leads, and the order of changes. There is no Raft here: a majority that runs and hears each
 * other agrees at once; without one nobody agrees on anything. All of it happens in one place, so no two members ever differ.
 */
export class Consensus {
  readonly #clock: Clock;
  readonly #timing: Timing;
  readonly #log: ChangeLog;
  /** The members, each with what it does while it hears no leader. */
  readonly #campaigns = new Map<Replica, Campaign>();
  #term = 1;
  #leader: Replica | undefined;
  /** When the leader was elected, in ms. */
  #electedAt = 0;
  /** Members that only stand in the list. */
  #absent = 0;
  #election: NodeJS.Timeout | undefined;
  #sweep: NodeJS.Timeout | undefined;

  /** @param index of the first entry, less one */
  constructor(clock: Clock, timing: Timing, index: number) {
    this.#clock = clock;
    this.#timing = timing;
    this.#log = new ChangeLog(index);
  }

  join(replica: Replica): void {
    const heard = () => replica.state === 'running' && this.#hasMajority();
    this.#campaigns.set(replica, new Campaign(replica, this.#timing.electionTimeout, heard));
    replica.raftIndex = this.#log.index;
    replica.raftTerm = this.#term;
    replica.term = this.#term;
  }

  leave(replica: Replica): void {
    this.#campaigns.get(replica)?.stop();
    this.#campaigns.delete(replica);
    this.reconsider();
  }

  /** How many members belong to the cluster but have never run. */
  expect(absent: number): void {
    this.#absent = absent;
    this.reconsider();
  }

  /** Elects a leader at once: this member, or any that can. */
  elect(candidate?: Replica): void {
    const able = this.#able();
    const leader = candidate === undefined ? able[0] : able.find((replica) => replica === candidate);
    if (leader === undefined || !this.#hasMajority()) throw new Error('no majority that could elect it');
    this.#term = this.#highestTerm() + 1;
    this.#leader = leader;
    this.#electedAt = Date.now();
    this.reconsider();
    this.#append(leader, () => undefined);
  }

  /** Looks anew at who can hear whom; called after each change of a member's state. */
  reconsider(): void {
    for (const replica of this.#campaigns.keys()) if (replica.state === 'dead') replica.follow(undefined);
    if (this.#leader?.state === 'dead') this.#leader = undefined;
    this.#stepDown();
    for (const [replica, campaign] of this.#campaigns) {
      if (this.hasQuorum(replica)) {
        campaign.stop();
        replica.term = this.#term;
        replica.follow(this.#leader);
        this.#catchUp(replica);
      } else if (replica.answers) campaign.start();
      else campaign.stop();
    }
    this.#prepareElection(this.#hasMajority() && !this.#leads());
    this.#log.compact(this.#campaigns.keys());
  }

  /** Whether this member is part of a majority that has a leader. */
  hasQuorum(replica: Replica): boolean {
    return replica.state === 'running' && this.#hasMajority() && this.#leads();
  }

  /** Does a change on all members that hear of it, and emits what it did on this one. */
  propose$(replica: Replica, change: LoggedChange): Observable<StoreEvent | undefined> {
    return this.majority$(replica).pipe(map(() => this.#append(replica, change)));
  }

  /**
   * Emits once this member can propose. Without a leader it waits for one; what is sent to a leader that is gone is lost, and fails
   * after the request timeout, as in etcd.
   */
  majority$(replica: Replica): Observable<void> {
    return defer(() => {
      if (this.hasQuorum(replica)) return of(undefined);
      const start = Date.now();
      return replica.leader$.pipe(
        filter((leader) => leader !== undefined),
        take(1),
        switchMap(() => (this.hasQuorum(replica) ? of(undefined) : NEVER)),
        timeout({
          first: this.#timing.requestTimeout,
          scheduler: unrefScheduler,
          with: () => throwError(() => new ProposalError(this.#whyLost(replica, start))),
        }),
      );
    });
  }

  /** Ends all timers. */
  stop(): void {
    clearTimeout(this.#election);
    clearInterval(this.#sweep);
    for (const campaign of this.#campaigns.values()) campaign.stop();
  }

  #append(proposer: Replica, change: LoggedChange): StoreEvent | undefined {
    this.#log.append(this.#term, change);
    try {
      return this.#log.bring(proposer);
    } finally {
      for (const replica of this.#able()) if (replica !== proposer) this.#catchUp(replica);
      this.#log.compact(this.#campaigns.keys());
      this.#keepSweeping();
    }
  }

  #catchUp(replica: Replica): void {
    try {
      this.#log.bring(replica);
    } catch {
      // Refused by the store; the member that proposed it says so.
    }
  }

  /** As long as there are keys that expire. */
  #keepSweeping(): void {
    const needed = this.#leader?.store.expires === true;
    if (needed && this.#sweep === undefined) {
      this.#sweep = setInterval(() => this.#expire(), sweepPeriod).unref();
    } else if (!needed) {
      clearInterval(this.#sweep);
      this.#sweep = undefined;
    }
  }

  #expire(): void {
    const leader = this.#leader;
    if (leader === undefined || !this.hasQuorum(leader)) return;
    const until = this.#clock.now();
    this.#append(leader, (store) => {
      store.expire(until);
      return undefined;
    });
  }

  #able(): Replica[] {
    return [...this.#campaigns.keys()].filter(({ state }) => state === 'running');
  }

  #hasMajority(): boolean {
    return this.#able().length > (this.#campaigns.size + this.#absent) / 2;
  }

  #leads(): boolean {
    return this.#leader?.state === 'running' && this.#campaigns.has(this.#leader);
  }

  #highestTerm(): number {
    return Math.max(this.#term, ...this.#able().map(({ term }) => term));
  }

  /** Who stood for election while it was cut off comes back with a higher term; no leader of a lower one goes on then. */
  #stepDown(): void {
    if (!this.#hasMajority() || this.#highestTerm() === this.#term) return;
    this.#term = this.#highestTerm();
    this.#leader = undefined;
    for (const replica of this.#able()) replica.follow(undefined);
  }

  #prepareElection(needed: boolean): void {
    if (!needed) {
      clearTimeout(this.#election);
      this.#election = undefined;
    } else if (this.#campaigns.size === 1) this.#hold();
    else this.#election ??= setTimeout(() => this.#hold(), this.#timing.electionTimeout * 1.05).unref();
  }

  #hold(): void {
    this.#election = undefined;
    const able = this.#able();
    this.elect(able[Math.floor(Math.random() * able.length)]);
  }

  #whyLost({ leader }: Replica, start: number): string {
    const { electionTimeout } = this.#timing;
    if (start < this.#electedAt && start > this.#electedAt - 2 * electionTimeout)
      return `${timedOut}, possibly due to previous leader failure`;
    return leader === undefined ? timedOut : `${timedOut}, possibly due to connection lost`;
  }
}
