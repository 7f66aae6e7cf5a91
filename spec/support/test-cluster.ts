import type { Observable } from 'rxjs';

export type MemberState = 'running' | 'stopped' | 'down';

/** One member under a test's control, whatever runs it. Every operation is cold, emits once and completes. */
export interface TestMember {
  /** Its place in the cluster's `members`. */
  readonly index: number;
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  /** As far as the test caused it; a member that ended by itself is down as well. */
  readonly state: MemberState;
  /** SIGKILL; emits when the member is really gone. Nothing to do for one that is down. */
  kill$(): Observable<void>;
  /** SIGSTOP: connections open and nothing is answered; emits when it stands still. */
  stop$(): Observable<void>;
  /** SIGCONT. */
  resume$(): Observable<void>;
  /** Kills it if needed and starts it on its data; emits when it listens, which it does without a quorum too. */
  restart$(): Observable<void>;
  /** Kills it and removes its data. */
  terminate$(): Observable<void>;
}

/** A member by index or by its part now; 'follower' is the first one that runs and does not lead. */
export type Which = number | 'leader' | 'follower';

/** A cluster under a test's control. Every operation is cold, emits once and completes. */
export interface TestCluster<M extends TestMember = TestMember> {
  /** The client URLs of all members, dead ones included. */
  readonly endpoints: string[];
  readonly members: readonly M[];
  /** The member that leads, once there is one: named by a majority of all members and by itself, running. Errors after 30 s. */
  leader$(): Observable<M>;
  /** Once all running members name the same leader and answer a quorum read. Errors after 30 s. */
  ready$(): Observable<void>;
  /** These emit the member they acted on. */
  kill$(which: Which): Observable<M>;
  stop$(which: Which): Observable<M>;
  resume$(which: Which): Observable<M>;
  restart$(which: Which): Observable<M>;
  /** All at the same time. */
  killAll$(): Observable<void>;
  /** All at the same time; emits when they listen (see `ready$` for more). */
  restartAll$(): Observable<void>;
  /** Ends every member and removes its data. */
  down$(): Observable<void>;
}
