import { catchError, forkJoin, map, of, switchMap, type Observable } from 'rxjs';
import { isRecord } from '../check.js';
import type { MemberInfo } from '../cluster/member.js';
import type { ForgettingProbe, Probe, ProbeAnswer } from '../cluster/probe.js';
import type { Settings } from '../options.js';
import type { HttpResponse } from '../transport/http.js';
import { maxProbeBytes } from '../transport/refusals.js';
import type { Transport } from '../transport/transport.js';
import { legacyProbe$, type Ask } from './old/legacy-probe.js';
import { membersOf } from './wire/member-json.js';
import { isPathless } from '../cluster/server-answer.js';
import { faultOf, isGateways, isLeaderless } from './wire/decode.js';
import { jsonIn, parseJson, textIn, wordIn } from '../transport/parse-json.js';
import { readVersion } from '../cluster/server-version.js';
import { absence, isLegacy, isOld } from './old/server-release.js';

/**
 * The v2 API's probe: `/v2/members/leader` for the leader, and when asked in full `/v2/stats/self` for the id (the
 * only thing trusted there), `/v2/members` for the list and `/version`. Without credentials: these paths are open, and
 * each authenticated request costs the server 60 ms. Releases before 2.0 are asked in their own way.
 */
export function v2Probe(
  transport: Transport,
  { probeTimeout }: Pick<Settings, 'probeTimeout'>,
): ForgettingProbe {
  const legacy = new Set<string>();
  const probe: Probe = (endpoint, full) => {
    const ask$: Ask = (path) =>
      transport.exchange$({
        method: 'GET',
        endpoint,
        path,
        timeout: probeTimeout,
        operation: 'probe',
        pool: 'watch',
        maxBytes: maxProbeBytes,
      });
    const version$ = full ? ask$('/version').pipe(map(versionOf)) : of(undefined);
    if (!legacy.has(endpoint)) {
      return forkJoin([version$, modernProbe$(ask$, full)]).pipe(
        switchMap(([version, { isAbsent, ...answer }]) => {
          // Releases before 2.3 have no such path either.
          if (isAbsent && version !== undefined && !isOld(version))
            return of({ version, unsupported: absence(version) });
          if (!isLegacy(version)) return of({ ...answer, version });
          legacy.add(endpoint);
          return legacyProbe$(ask$, endpoint).pipe(map((old) => ({ ...old, version })));
        }),
      );
    }
    return forkJoin([version$, legacyProbe$(ask$, endpoint)]).pipe(
      map(([version, answer]) => {
        // It may be upgraded: the next probe finds out who it is now.
        if (full && !isLegacy(version)) legacy.delete(endpoint);
        return { ...answer, version };
      }),
    );
  };
  return Object.assign(probe, {
    forget: (endpoint: string) => {
      legacy.delete(endpoint);
    },
  });
}

/** What a member answers, and whether it answers at all where the API is. */
type ModernAnswer = ProbeAnswer & { readonly isAbsent: boolean };

function modernProbe$(ask$: Ask, full: boolean): Observable<ModernAnswer> {
  return forkJoin({
    leader: ask$('/v2/members/leader'),
    id: full ? id$(ask$) : of(undefined),
    members: full ? ask$('/v2/members') : of(undefined),
  }).pipe(
    map(({ leader, id, members }) => ({
      isAbsent: isPathless(leader.status, leader.body),
      leader: leaderOf(leader),
      id,
      members: members && listedIn(members),
      clusterId: clusterIdOf(members ?? leader),
    })),
  );
}

const versionOf = ({ status, body }: HttpResponse): string | undefined =>
  status === 200 ? readVersion(body)?.etcdserver : undefined;

/** @throws Fault for what a balancer or a gateway says in the member's place */
function leaderOf(answer: HttpResponse): string | null | undefined {
  const { status, body } = answer;
  const leader = textIn(jsonIn(answer), 'id');
  if (leader !== undefined) return leader;
  const json = parseJson(body);
  if (isLeaderless(status, json)) return null;
  if (isGateways(status, json)) throw faultOf({ operation: 'probe', status, body });
  return undefined;
}

/**
 * The body can be empty for up to a second after an election: the rate of a single message is infinite, which JSON
 * cannot say. Then the member's raft status tells the same id.
 */
function id$(ask$: Ask): Observable<string | undefined> {
  return ask$('/v2/stats/self').pipe(
    switchMap((self) =>
      self.status === 200 && self.body === ''
        ? ask$('/debug/vars').pipe(
            map(jsonIn),
            map((vars) => wordIn(isRecord(vars) ? vars['raft.status'] : undefined, 'id')),
            catchError(() => of(undefined)),
          )
        : of(wordIn(jsonIn(self), 'id')),
    ),
  );
}

function listedIn(answer: HttpResponse): MemberInfo[] | undefined {
  const json = jsonIn(answer);
  return isRecord(json) && Array.isArray(json['members']) ? membersOf(json) : undefined;
}

function clusterIdOf({ headers }: HttpResponse): string | undefined {
  const id = headers.get('x-etcd-cluster-id');
  return typeof id === 'string' && id !== '' ? id : undefined;
}
