import { Observable, catchError, map, of, switchMap } from 'rxjs';
import { httpGet } from '../etcd/http-get.js';
import type { ClientTls } from './test-cluster.js';

/** Emits the name of the member that this one takes for the leader; undefined if it knows none or does not answer in 500 ms. */
export function namedLeader$(clientUrl: string, tls?: ClientTls): Observable<string | undefined> {
  return httpGet(`${clientUrl}/v2/members/leader`, 500, tls).pipe(
    map(leaderIn),
    catchError(() => of(undefined)),
  );
}

/** Whether it knows a leader; a member without the v2 API tells no more than that. */
export function hasLeader$(clientUrl: string): Observable<boolean> {
  return httpGet(`${clientUrl}/v2/members/leader`, 500).pipe(
    switchMap((answer) =>
      answer.status === 404
        ? httpGet(`${clientUrl}/health`, 500).pipe(map(({ status }) => status === 200))
        : of(leaderIn(answer) !== undefined),
    ),
    catchError(() => of(false)),
  );
}

/** A leader's name is empty until it has told it to the others. */
const leaderIn = ({ status, body }: { status: number; body: string }): string | undefined =>
  (status === 200 && (JSON.parse(body) as { name: string }).name) || undefined;
