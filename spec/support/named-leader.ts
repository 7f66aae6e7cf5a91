import { Observable, catchError, map, of } from 'rxjs';
import { httpGet } from './http-get.js';

/** Emits the name of the member that this one takes for the leader; undefined if it knows none or does not answer in 500 ms. */
export function namedLeader$(clientUrl: string): Observable<string | undefined> {
  return httpGet(`${clientUrl}/v2/members/leader`, 500).pipe(
    // A leader's name is empty until it has told it to the others.
    map(({ status, body }) => (status === 200 && (JSON.parse(body) as { name: string }).name) || undefined),
    catchError(() => of(undefined)),
  );
}
