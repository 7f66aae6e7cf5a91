import { readMembersBody } from './members-body.js';
import { MembershipError } from './membership.js';
import { json, message, methodNotAllowed, nothing, withHeaders } from './reply.js';
import type { Reply } from './reply.js';
import type { Request } from './request.js';
import type { ServedMember } from './served-member.js';

const prefix = '/v2/members';

/** `/v2/members`: who belongs to the cluster, and who leads it. */
export function membersRoute(request: Request, member: ServedMember): Reply {
  const { method, headers } = request;
  if (!['GET', 'POST', 'DELETE', 'PUT'].includes(method))
    return methodNotAllowed('GET', 'POST', 'DELETE', 'PUT');
  const { auth } = member;
  if (method !== 'GET' && !auth.isRoot(auth.authenticate(headers.authorization)))
    return message(401, 'Insufficient credentials');
  return withHeaders(answer(request, member), { 'X-Etcd-Cluster-Id': member.clusterId });
}

function answer(request: Request, member: ServedMember): Reply {
  const { method, path } = request;
  const name = path.slice(prefix.length).replace(/^\//, '');
  try {
    if (method === 'GET') return list(name, member);
    if (method === 'POST') {
      const peerURLs = readPeerUrls(request);
      return json(201, member.membership.add(peerURLs));
    }
    if (name === '') return methodNotAllowed();
    const id = /^[\da-f]{1,16}$/i.test(name) ? BigInt(`0x${name}`).toString(16) : undefined;
    if (id === undefined) return message(404, `No such member: ${name}`);
    if (method === 'DELETE') member.membership.remove(id);
    else member.membership.update(id, readPeerUrls(request));
    return nothing(204);
  } catch (error) {
    if (error instanceof MembershipError) return message(error.status, error.message);
    throw error;
  }
}

function list(name: string, { members, leader }: ServedMember): Reply {
  if (name === '') return json(200, { members });
  if (name !== 'leader') return message(404, 'Not found');
  return leader === undefined ? message(503, 'During election') : json(200, leader);
}

/** The URLs of a request's body, which is JSON. */
function readPeerUrls({ headers, body }: Request): readonly string[] {
  const type = headers['content-type'] ?? '';
  if (type.split(';')[0] !== 'application/json')
    throw new MembershipError(415, `Bad Content-Type ${type}, accept application/json`);
  const urls = readMembersBody(body).map((url) => url.trim());
  if (urls.length === 0) throw new MembershipError(400, 'no valid URLs given');
  for (const url of urls) demandPeerUrl(url);
  return urls.sort();
}

function demandPeerUrl(url: string): void {
  if (!/^(https?|unixs?):\/\//.test(url))
    throw new MembershipError(400, `URL scheme must be http, https, unix, or unixs: ${url}`);
  const [, host = '', path = ''] = /^[a-z]+:\/\/([^/]*)(.*)$/.exec(url) ?? [];
  if (!/:\d+$/.test(host))
    throw new MembershipError(400, `URL address does not have the form "host:port": ${url}`);
  if (path !== '') throw new MembershipError(400, `URL must not contain a path: ${url}`);
}
