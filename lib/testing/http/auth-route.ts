import { catchError, concatMap, endWith, ignoreElements, of, range, switchMap } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Caller, EmbeddedAuth } from '../auth/embedded-auth.js';
import { routeOf, serve } from './auth-routes.js';
import { message, methodNotAllowed, notFound, withHeaders } from './reply.js';
import type { Reply } from './reply.js';
import type { Request } from './request.js';
import type { ServedMember } from './served-member.js';

/** Where etcd notes whether authentication is on. */
export const authSwitch = '/2/enabled';

/** `/v2/auth`: users, roles, and whether anybody is asked. */
export function authRoute$(request: Request, member: ServedMember): Observable<Reply> {
  const { auth, clusterId } = member;
  const ready$ = request.method === 'GET' ? of(undefined) : member.majority$();
  return ready$.pipe(
    switchMap(() => {
      const before = auth.writes;
      const reply = authReply(request, auth, auth.authenticate(request.headers.authorization), clusterId);
      // Each change of a user or role is one of the store as well, and counts in its index.
      return range(before + 1, auth.writes - before).pipe(
        concatMap(() => member.propose$((store) => store.set(authSwitch, { value: `${auth.enabled}` }))),
        ignoreElements(),
        endWith(reply),
      );
    }),
    catchError(() => of(message(500, 'Internal Server Error'))),
  );
}

/** Does what is asked, if the caller may. Only those who had the right to ask are told the id of the cluster. */
export function authReply(
  { method, path, body }: Pick<Request, 'method' | 'path' | 'body'>,
  auth: EmbeddedAuth,
  caller: Caller,
  clusterId: string,
): Reply {
  const route = routeOf(auth.state, path);
  if (route === undefined) return notFound();
  if (route === 'invalid path') return message(400, 'Invalid path');
  const action = Object.hasOwn(route.methods, method) ? route.methods[method] : undefined;
  if (action === undefined) return methodNotAllowed(...Object.keys(route.methods));
  if (!route.open?.includes(method) && !auth.isRoot(caller)) return message(401, 'Insufficient credentials');
  return withHeaders(serve(action, body.toString()), { 'X-Etcd-Cluster-Id': clusterId });
}
