import { Observable, catchError, map, of } from 'rxjs';
import { httpGet } from '../etcd/http-get.js';
import type { ClientTls } from './test-cluster.js';

/** Emits the name of the member that this one takes for the leader; undefined if it knows none or does not answer in 500 ms. */
export function namedLeader$(clientUrl: string, tls?: ClientTls): Observable<string | undefined> {
  return httpGet(`${clientUrl}/v2/members/leader`, 500, tls).pipe(
    // A leader's name is empty until it has told it to the others.
    map(({ status, body }) => (status === 200 && (JSON.parse(body) as { name: string }).name) || undefined),
    catchError(() => of(undefined)),
  );
}
