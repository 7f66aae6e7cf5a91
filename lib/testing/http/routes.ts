import { of } from 'rxjs';
import type { Observable } from 'rxjs';
import { authRoute$ } from './auth-route.js';
import { keysRoute$ } from './keys-route.js';
import { membersRoute } from './members-route.js';
import { json, methodNotAllowed, notFound, text } from './reply.js';
import type { Reply } from './reply.js';
import type { Request } from './request.js';
import type { ServedMember } from './served-member.js';
import { statsRoute } from './stats-route.js';

/** The release whose answers are given here. */
const version = { etcdserver: '3.4.23', etcdcluster: '3.4.0' };

const isAt = (path: string, prefix: string): boolean => path === prefix || path.startsWith(`${prefix}/`);

/** Answers a request to a clean path. */
export function route$(request: Request, member: ServedMember): Observable<Reply> {
  const { path } = request;
  if (isAt(path, '/v2/keys')) return keysRoute$(request, member);
  if (isAt(path, '/v2/members')) return of(membersRoute(request, member));
  if (isAt(path, '/v2/auth')) return authRoute$(request, member);
  return of(plainRoute(request, member));
}

function plainRoute(request: Request, member: ServedMember): Reply {
  switch (request.path) {
    case '/v2/stats/self':
    case '/v2/stats/leader':
    case '/v2/stats/store':
      return statsRoute(request, member);
    case '/v2/machines':
      return machines(request, member);
    case '/version':
      return request.method === 'GET' ? json(200, version, '') : methodNotAllowed('GET');
    case '/health':
      return request.method === 'GET' ? health(member) : methodNotAllowed('GET');
    default:
      return notFound();
  }
}

function machines({ method }: Request, { members }: ServedMember): Reply {
  if (method !== 'GET' && method !== 'HEAD') return methodNotAllowed('GET', 'HEAD');
  return text(
    200,
    members
      .flatMap(({ clientURLs }) => clientURLs)
      .sort()
      .join(', '),
  );
}

const health = ({ hasQuorum }: ServedMember): Reply =>
  text(hasQuorum ? 200 : 503, `{"health":"${hasQuorum}"}`);
