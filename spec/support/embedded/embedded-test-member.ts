import type { EmbeddedMember } from 'rxetcd/testing';
import { Observable, defer, delay, exhaustMap, filter, map, of, switchMap, take, timer } from 'rxjs';
import type { EmbeddedProcess } from './embedded-process.js';
import { namedLeader$ } from '../cluster/named-leader.js';
import type { MemberState, TestMember } from '../cluster/test-cluster.js';

const states: Readonly<Record<EmbeddedMember['state'], MemberState>> = {
  running: 'running',
  partitioned: 'running',
  frozen: 'stopped',
  dead: 'down',
};

/** As long as a process takes to start, ms: others must be able to notice that it was gone. */
const startTime = 100;

/** A member of an embedded cluster under a test's control, as if it were a process. */
export class EmbeddedTestMember implements TestMember {
  readonly name: string;

  /** @param terminated$ ends the whole cluster */
  constructor(
    private readonly process: EmbeddedProcess,
    readonly index: number,
    readonly clientUrl: string,
    readonly secureUrl: string,
    readonly peerUrl: string,
    private readonly terminated$: Observable<void>,
  ) {
    this.name = `etcd${index + 1}`;
  }

  get state(): MemberState {
    return states[this.process.stateOf(this.index)];
  }

  get partitioned(): boolean {
    return this.process.stateOf(this.index) === 'partitioned';
  }

  /** It keeps nothing on disk. */
  get dataDir(): string {
    throw new Error('an embedded server has no data on disk');
  }

  kill$(): Observable<void> {
    return this.process.command$(this.index, 'kill$');
  }

  stop$(): Observable<void> {
    return this.process.command$(this.index, 'freeze');
  }

  resume$(): Observable<void> {
    // As a process, which does not mind the signal when it runs.
    return defer(() =>
      this.state === 'stopped' ? this.process.command$(this.index, 'resume') : of(undefined),
    );
  }

  restart$(): Observable<void> {
    return this.kill$().pipe(
      delay(startTime),
      switchMap(() => this.process.command$(this.index, 'restart$')),
    );
  }

  /** Emits when it names a leader. */
  ready$(): Observable<void> {
    return timer(0, 20).pipe(
      exhaustMap(() => namedLeader$(this.clientUrl)),
      filter(Boolean),
      take(1),
      map(() => undefined),
    );
  }

  partition$(): Observable<void> {
    return this.process.command$(this.index, 'partition');
  }

  heal$(): Observable<void> {
    return this.process.command$(this.index, 'heal');
  }

  terminate$(): Observable<void> {
    return this.terminated$;
  }
}
