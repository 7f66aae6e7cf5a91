import type { Observable } from 'rxjs';

export type MemberState = 'running' | 'stopped' | 'down';

/** PEM texts. */
export interface ClientTls {
  ca: string;
  cert: string;
  key: string;
}

/** One member under a test's control, whatever runs it. Every operation is cold, emits once and completes. */
export interface TestMember {
  /** Its place in the cluster's `members`. */
  readonly index: number;
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  /** What it takes to speak to `clientUrl` if that is https. */
  readonly tls?: ClientTls;
  /** As far as the test caused it; a member that ended by itself is down as well. */
  readonly state: MemberState;
  /** Cut off from the other members, whatever its state; its clients still reach it. */
  readonly partitioned: boolean;
  /** SIGKILL; emits when the member is really gone. Nothing to do for one that is down. */
  kill$(): Observable<void>;
  /** SIGSTOP: connections open and nothing is answered; emits when it stands still. */
  stop$(): Observable<void>;
  /** SIGCONT. */
  resume$(): Observable<void>;
  /** Kills it if needed and starts it on its data; emits when it listens, which it does without a quorum too. */
  restart$(): Observable<void>;
  /** Cuts its connections with the other members, both ways, until `heal$`; a restart changes nothing about it. */
  partition$(): Observable<void>;
  heal$(): Observable<void>;
  /** Kills it and removes its data. */
  terminate$(): Observable<void>;
}

/** A member by index or by its part now; 'follower' is the first one that runs, is not cut off and does not lead. */
export type Which = number | 'leader' | 'follower';

/** A running cluster under a test's control: see `startLocalCluster`, `startComposeCluster`. Every operation is cold, emits once and completes. */
export interface TestCluster<M extends TestMember = TestMember> {
  /** The client URLs of all members, dead ones included. */
  readonly endpoints: string[];
  readonly members: readonly M[];
  /** The member that leads, once there is one: named by a majority of all members and by itself, running, not cut off. Errors after 30 s. */
  leader$(): Observable<M>;
  /** Once all members that run and are not cut off name the same leader and answer a quorum read. Errors after 30 s. */
  ready$(): Observable<void>;
  member$(which: Which): Observable<M>;
  /** These emit the member they acted on. */
  kill$(which: Which): Observable<M>;
  stop$(which: Which): Observable<M>;
  resume$(which: Which): Observable<M>;
  restart$(which: Which): Observable<M>;
  partition$(which: Which): Observable<M>;
  heal$(which: Which): Observable<M>;
  /** All at the same time. */
  killAll$(): Observable<void>;
  /** All at the same time; emits when they listen (see `ready$` for more). */
  restartAll$(): Observable<void>;
  /** Ends every member and removes its data. */
  down$(): Observable<void>;
}
