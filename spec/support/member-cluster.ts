import { Observable, forkJoin, map, of, switchMap } from 'rxjs';
import { allReady$, leaderOf$ } from './cluster-leader.js';
import type { TestCluster, TestMember, Which } from './test-cluster.js';

/** A `TestCluster` made of members that each know how to be killed, stopped and started. */
export class MemberCluster<M extends TestMember> implements TestCluster<M> {
  constructor(readonly members: readonly M[]) {}

  get endpoints(): string[] {
    return this.members.map(({ clientUrl }) => clientUrl);
  }

  leader$(): Observable<M> {
    return leaderOf$(this.members);
  }

  ready$(): Observable<void> {
    return allReady$(this.members);
  }

  kill$(which: Which): Observable<M> {
    return this.#one(which, (member) => member.kill$());
  }

  stop$(which: Which): Observable<M> {
    return this.#one(which, (member) => member.stop$());
  }

  resume$(which: Which): Observable<M> {
    return this.#one(which, (member) => member.resume$());
  }

  restart$(which: Which): Observable<M> {
    return this.#one(which, (member) => member.restart$());
  }

  killAll$(): Observable<void> {
    return this.#all((member) => member.kill$());
  }

  restartAll$(): Observable<void> {
    return this.#all((member) => member.restart$());
  }

  down$(): Observable<void> {
    return this.#all((member) => member.terminate$());
  }

  #one(which: Which, act: (member: M) => Observable<void>): Observable<M> {
    return this.#find(which).pipe(switchMap((member) => act(member).pipe(map(() => member))));
  }

  #all(act: (member: M) => Observable<void>): Observable<void> {
    return forkJoin(this.members.map(act)).pipe(map(() => undefined));
  }

  #find(which: Which): Observable<M> {
    if (typeof which === 'number') return of(this.#member(which));
    const leader$ = this.leader$();
    if (which === 'leader') return leader$;
    return leader$.pipe(
      map((leader) =>
        this.#member(this.members.findIndex((member) => member !== leader && member.state === 'running')),
      ),
    );
  }

  #member(index: number): M {
    const member = this.members[index];
    if (member === undefined) throw new Error(`no such member among ${this.members.length}`);
    return member;
  }
}
