import { Observable, forkJoin, map, of, switchMap } from 'rxjs';
import { allReady$, isReached, leaderOf$ } from './cluster-leader.js';
import type { TestCluster, TestMember, Which } from './test-cluster.js';

/** A `TestCluster` made of members that each know how to be killed, stopped and started. */
export class MemberCluster<M extends TestMember> implements TestCluster<M> {
  readonly #down$: Observable<void> | undefined;

  /** @param down$ ends all members, and what they stand on. Default: `terminate$` of each */
  constructor(
    readonly members: readonly M[],
    down$?: Observable<void>,
  ) {
    this.#down$ = down$;
  }

  get endpoints(): string[] {
    return this.members.map(({ clientUrl }) => clientUrl);
  }

  leader$(): Observable<M> {
    return leaderOf$(this.members);
  }

  ready$(): Observable<void> {
    return allReady$(this.members);
  }

  member$(which: Which): Observable<M> {
    if (typeof which === 'number') return of(this.#member(which));
    const leader$ = this.leader$();
    if (which === 'leader') return leader$;
    return leader$.pipe(
      map((leader) =>
        this.#member(this.members.findIndex((member) => member !== leader && isReached(member))),
      ),
    );
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

  partition$(which: Which): Observable<M> {
    return this.#one(which, (member) => member.partition$());
  }

  heal$(which: Which): Observable<M> {
    return this.#one(which, (member) => member.heal$());
  }

  killAll$(): Observable<void> {
    return this.#all((member) => member.kill$());
  }

  restartAll$(): Observable<void> {
    return this.#all((member) => member.restart$());
  }

  down$(): Observable<void> {
    return this.#down$ ?? this.#all((member) => member.terminate$());
  }

  #one(which: Which, act: (member: M) => Observable<void>): Observable<M> {
    return this.member$(which).pipe(switchMap((member) => act(member).pipe(map(() => member))));
  }

  #all(act: (member: M) => Observable<void>): Observable<void> {
    return forkJoin(this.members.map(act)).pipe(map(() => undefined));
  }

  #member(index: number): M {
    const member = this.members[index];
    if (member === undefined) throw new Error(`no such member among ${this.members.length}`);
    return member;
  }
}
