import { catchError, map, throwError, type Observable } from 'rxjs';
import { MemberLeft } from '../../watch/member-left.js';
import { deniesRight, errorInText, grpcFault } from '../wire/grpc-error.js';
import type { LegSite } from './leg-site.js';
import { memberRange$ } from './member-range.js';
import type { WatchMessage } from './watch-stream.js';

/**
 * Errors with what it means that a member has refused a watch, or ended it.
 *
 * Before 3.4.22 and 3.5.6 etcd says that a right is missing also where it does not take the token (etcd issue 12385). A read of
 * what is watched, which needs the same right, tells which it is.
 */
export function refused$(site: LegSite, message: WatchMessage): Observable<never> {
  const { context, endpoint, target } = site;
  const error = refusal(site, message);
  if (context.tokens === undefined || !deniesRight(error)) return throwError(() => error);
  return memberRange$(context, endpoint, { ...target.bounds, limit: 1, keys_only: true }).pipe(
    catchError((thrown: unknown) => {
      throw deniesRight(thrown) ? error : thrown;
    }),
    map(() => {
      throw new MemberLeft('its member refused a watch of what may be read');
    }),
  );
}

/** In a stream etcd gives its reason as text alone. */
function refusal({ context, endpoint, target }: LegSite, { cancel_reason: reason }: WatchMessage): Error {
  if (reason === '') return new MemberLeft('its member has ended the watch');
  const { secrets } = context.transport;
  const answer = { operation: `watch ${target.key}`, status: 200, body: '', endpoint, secrets };
  return grpcFault(answer, errorInText(reason));
}
