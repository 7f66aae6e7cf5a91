import {
  Observable,
  combineLatest,
  exhaustMap,
  filter,
  forkJoin,
  map,
  of,
  retry,
  startWith,
  switchMap,
  take,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import { httpGet } from '../etcd/http-get.js';
import { namedLeader$ } from './named-leader.js';
import type { TestMember } from './test-cluster.js';

/** All in ms. */
const pollEvery = 10;
const readLimit = 1_000;
const timeLimit = 30_000;

/** Emits once the member that leads: named by a majority of all members and by itself, running, not cut off. */
export function leaderOf$<M extends TestMember>(members: readonly M[]): Observable<M> {
  return views$(members).pipe(
    map((views) => leaderIn(members, views)),
    filter((leader) => leader !== undefined),
    take(1),
    limited(members, 'no leader'),
  );
}

/** Whether a member can take part: it runs and is not cut off. */
export function isReached({ state, partitioned }: TestMember): boolean {
  return state === 'running' && !partitioned;
}

/** Emits once all members that can take part name the same leader and each of them answers a quorum read: as good as a write, and no trace. */
export function allReady$(members: readonly TestMember[]): Observable<void> {
  const reached = () => members.filter(isReached);
  return views$(members).pipe(
    filter((views) => {
      const leader = leaderIn(members, views);
      return (
        leader !== undefined && reached().every((member) => views[members.indexOf(member)] === leader.name)
      );
    }),
    take(1),
    switchMap(() => forkJoin(reached().map(quorumRead$))),
    retry({ delay: pollEvery }),
    map(() => undefined),
    limited(members, 'not ready'),
  );
}

/** Whom each member names, by index; undefined where it names none or does not answer. */
function views$(members: readonly TestMember[]): Observable<(string | undefined)[]> {
  return combineLatest(
    members.map((member) =>
      timer(0, pollEvery).pipe(
        exhaustMap(() => (isReached(member) ? namedLeader$(member.clientUrl, member.tls) : of(undefined))),
        startWith(undefined),
      ),
    ),
  );
}

function leaderIn<M extends TestMember>(members: readonly M[], views: (string | undefined)[]): M | undefined {
  return members.find(
    (member, i) =>
      isReached(member) &&
      views[i] === member.name &&
      views.filter((view) => view === member.name).length > members.length / 2,
  );
}

function quorumRead$({ clientUrl, tls }: TestMember): Observable<void> {
  return httpGet(`${clientUrl}/v2/keys/?quorum=true`, readLimit, tls).pipe(
    // Without the v2 API it makes one for its health.
    switchMap((answer) =>
      answer.status === 404 ? httpGet(`${clientUrl}/health`, readLimit, tls) : of(answer),
    ),
    map(({ status, body }) => {
      if (status >= 500) throw new Error(`${clientUrl} answered ${status} ${body}`);
    }),
  );
}

function limited<T>(members: readonly TestMember[], problem: string) {
  const states = () =>
    members
      .map((member) => `${member.name} ${member.state}${member.partitioned ? ', cut off' : ''}`)
      .join(', ');
  return timeout<T, Observable<never>>({
    first: timeLimit,
    with: () => throwError(() => new Error(`${problem} within ${timeLimit} ms: ${states()}`)),
  });
}
