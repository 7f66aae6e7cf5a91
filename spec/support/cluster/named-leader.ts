import { Observable, catchError, map, of, switchMap } from 'rxjs';
import { httpGet } from '../etcd/http-get.js';
import type { ClientTls } from './test-cluster.js';

/** Emits the name of the member that this one takes for the leader; undefined if it knows none or does not answer in 500 ms. */
export function namedLeader$(clientUrl: string, tls?: ClientTls): Observable<string | undefined> {
  return httpGet(`${clientUrl}/v2/members/leader`, 500, tls).pipe(
    switchMap((answer) => (answer.status === 404 ? v3Leader(clientUrl) : of(leaderIn(answer)))),
    catchError(() => of(undefined)),
  );
}

/** The same of a member without the v2 API. */
async function v3Leader(clientUrl: string): Promise<string | undefined> {
  const ask = async (path: string): Promise<unknown> => {
    const signal = AbortSignal.timeout(500);
    const response = await fetch(`${clientUrl}/v3/${path}`, { method: 'POST', body: '{}', signal });
    return response.json();
  };
  const { leader } = (await ask('maintenance/status')) as { leader?: string };
  const { members } = (await ask('cluster/member/list')) as { members: { ID: string; name: string }[] };
  return members.find(({ ID }) => ID === leader)?.name;
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
