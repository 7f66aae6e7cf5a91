import { forkJoin, map, type Observable } from 'rxjs';
import type { MemberInfo } from '../../cluster/member.js';
import type { ProbeAnswer } from '../../cluster/probe.js';
import type { HttpResponse } from '../../transport/http.js';
import { decodeKeys } from '../wire/decode.js';
import type { EtcdNode } from '../model/model.js';
import { jsonIn, wordIn } from '../../transport/parse-json.js';

/** Asks one endpoint for a path, within the probe's time. */
export type Ask = (path: string) => Observable<HttpResponse>;

/**
 * The probe of the releases before 2.0, which know no ids: a member is its name. Who there is stands in
 * `/v2/keys/_etcd/machines`; `/v2/leader` gives the leader's peer URL; a single member may not know its own name.
 */
export function legacyProbe$(ask$: Ask, endpoint: string): Observable<ProbeAnswer> {
  return forkJoin({
    machines: ask$('/v2/keys/_etcd/machines'),
    leader: ask$('/v2/leader'),
    self: ask$('/v2/stats/self'),
  }).pipe(
    map(({ machines, leader, self }) => {
      const members = machinesOf(machines);
      return {
        id: wordIn(jsonIn(self), 'name') ?? ownOf(members, endpoint),
        members: members.length === 0 ? undefined : members,
        leader: leaderOf(leader, members),
      };
    }),
  );
}

/** Each is a key named as the member, whose value is a form: `etcd=<client URL>&raft=<peer URL>`. */
function machinesOf({ status, body }: HttpResponse): MemberInfo[] {
  if (status !== 200) return [];
  const { node } = decodeKeys({ operation: 'machines', status, body, version: '0.2.0' });
  return (node?.nodes ?? []).map((machine) => memberOf(machine)).filter((m) => m.id !== '');
}

function memberOf({ key, value = '' }: EtcdNode): MemberInfo {
  const name = key.split('/').at(-1) ?? '';
  const urls = new URLSearchParams(value);
  return { id: name, name, clientURLs: urls.getAll('etcd'), peerURLs: urls.getAll('raft') };
}

/** Which of them is at this endpoint: the only one, or the one that says so. */
function ownOf(members: readonly MemberInfo[], endpoint: string): string | undefined {
  if (members.length === 1) return members[0]?.id;
  return members.find(({ clientURLs }) => clientURLs.some((url) => url.replace(/\/$/, '') === endpoint))?.id;
}

/** During an election it answers 500 with errorCode 301. */
function leaderOf({ status, body }: HttpResponse, members: readonly MemberInfo[]): string | null | undefined {
  if (status >= 500) return null;
  const url = status === 200 ? body.trim().replace(/\/$/, '') : '';
  return members.find(({ peerURLs }) => peerURLs.some((peer) => peer.replace(/\/$/, '') === url))?.id;
}
