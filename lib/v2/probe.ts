import { forkJoin, map, of, type Observable } from 'rxjs';
import { isRecord } from '../check.js';
import type { MemberInfo } from '../cluster/member.js';
import type { Probe } from '../cluster/probe.js';
import type { Settings } from '../options.js';
import type { HttpResponse } from '../transport/http.js';
import type { Transport } from '../transport/transport.js';
import { parseJson } from './decode.js';

/**
 * The v2 API's probe: `/v2/members/leader` for the leader, and when asked in full `/v2/stats/self` for the id (the
 * only thing trusted there) and `/v2/members` for the list. Without credentials: these paths are open, and each
 * authenticated request costs the server 60 ms.
 */
export function v2Probe(transport: Transport, { probeTimeout }: Pick<Settings, 'probeTimeout'>): Probe {
  return (endpoint, full) => {
    const get$ = (path: string): Observable<HttpResponse> =>
      transport.exchange$({
        method: 'GET',
        endpoint,
        path,
        timeout: probeTimeout,
        operation: 'probe',
        pool: 'watch',
      });
    return forkJoin({
      leader: get$('/v2/members/leader'),
      self: full ? get$('/v2/stats/self') : of(undefined),
      members: full ? get$('/v2/members') : of(undefined),
    }).pipe(
      map(({ leader, self, members }) => ({
        ...leaderOf(leader),
        ...idOf(self),
        ...membersOf(members),
        ...clusterIdOf(members ?? leader),
      })),
    );
  };
}

function leaderOf({ status, body }: HttpResponse): { leader?: string | null } {
  const json = parseJson(body);
  if (status === 200 && isRecord(json) && typeof json['id'] === 'string') return { leader: json['id'] };
  return status === 503 ? { leader: null } : {};
}

/** The body can be empty for up to a second after an election. */
function idOf(self: HttpResponse | undefined): { id?: string } {
  const json = self?.status === 200 ? parseJson(self.body) : undefined;
  return isRecord(json) && typeof json['id'] === 'string' && json['id'] !== '' ? { id: json['id'] } : {};
}

function membersOf(answer: HttpResponse | undefined): { members?: MemberInfo[] } {
  const json = answer?.status === 200 ? parseJson(answer.body) : undefined;
  if (!isRecord(json) || !Array.isArray(json['members'])) return {};
  return {
    members: json['members']
      .filter(isRecord)
      .map(memberOf)
      .filter((m) => m.id !== ''),
  };
}

function memberOf(json: Record<string, unknown>): MemberInfo {
  const text = (v: unknown): string => (typeof v === 'string' ? v : '');
  const list = (v: unknown): string[] => (Array.isArray(v) ? v.filter((x) => typeof x === 'string') : []);
  return {
    id: text(json['id']),
    name: text(json['name']),
    clientURLs: list(json['clientURLs']),
    peerURLs: list(json['peerURLs']),
  };
}

function clusterIdOf({ headers }: HttpResponse): { clusterId?: string } {
  const id = headers.get('x-etcd-cluster-id');
  return typeof id === 'string' && id !== '' ? { clusterId: id } : {};
}
