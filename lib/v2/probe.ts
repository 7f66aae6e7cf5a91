import { catchError, forkJoin, map, of, switchMap, type Observable } from 'rxjs';
import { isRecord } from '../check.js';
import type { Probe, ProbeAnswer } from '../cluster/probe.js';
import type { Settings } from '../options.js';
import type { HttpResponse } from '../transport/http.js';
import { maxProbeBytes } from '../transport/refusals.js';
import type { Transport } from '../transport/transport.js';
import { legacyProbe$, type Ask } from './old/legacy-probe.js';
import { membersOf } from './wire/member-json.js';
import { faultOf, isGateways, isLeaderless, isPathless } from './wire/decode.js';
import { parseJson, textIn } from './wire/parse-json.js';
import { absence, isLegacy, isOld, readVersion } from './old/server-release.js';

/** A probe that remembers how old releases are asked. */
export type V2Probe = Probe & {
  /** The endpoint is none any more: who comes there later may be of any release. */
  readonly forget: (endpoint: string) => void;
};

/**
 * The v2 API's probe: `/v2/members/leader` for the leader, and when asked in full `/v2/stats/self` for the id (the
 * only thing trusted there), `/v2/members` for the list and `/version`. Without credentials: these paths are open, and
 * each authenticated request costs the server 60 ms. Releases before 2.0 are asked in their own way.
 */
export function v2Probe(transport: Transport, { probeTimeout }: Pick<Settings, 'probeTimeout'>): V2Probe {
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
    const version$ = full ? ask$('/version').pipe(map(versionOf)) : of<Version>({});
    if (!legacy.has(endpoint)) {
      return forkJoin([version$, modernProbe$(ask$, full)]).pipe(
        switchMap(([version, { isAbsent, ...answer }]) => {
          // Releases before 2.3 have no such path either.
          if (isAbsent && version.version !== undefined && !isOld(version.version))
            return of({ ...version, unsupported: absence(version.version) });
          if (!isLegacy(version.version)) return of({ ...answer, ...version });
          legacy.add(endpoint);
          return legacyProbe$(ask$, endpoint).pipe(map((old) => ({ ...old, ...version })));
        }),
      );
    }
    return forkJoin([version$, legacyProbe$(ask$, endpoint)]).pipe(
      map(([version, answer]) => {
        // It may be upgraded: the next probe finds out who it is now.
        if (full && !isLegacy(version.version)) legacy.delete(endpoint);
        return { ...answer, ...version };
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
    identity: full ? identity$(ask$) : of<Identity>({}),
    members: full ? ask$('/v2/members') : of(undefined),
  }).pipe(
    map(({ leader, identity, members }) => ({
      isAbsent: isPathless(leader.status, leader.body),
      ...leaderOf(leader),
      ...identity,
      ...membersIn(members),
      ...clusterIdOf(members ?? leader),
    })),
  );
}

type Version = Pick<ProbeAnswer, 'version'>;

function versionOf({ status, body }: HttpResponse): Version {
  const version = status === 200 ? readVersion(body) : undefined;
  return version === undefined ? {} : { version: version.etcdserver };
}

/** @throws Fault for what a balancer or a gateway says in the member's place */
function leaderOf({ status, body }: HttpResponse): { leader?: string | null } {
  const json = parseJson(body);
  const leader = status === 200 ? textIn(json, 'id') : undefined;
  if (leader !== undefined) return { leader };
  if (isLeaderless(status, json)) return { leader: null };
  if (isGateways(status, json)) throw faultOf({ operation: 'probe', status, body });
  return {};
}

type Identity = Pick<ProbeAnswer, 'id'>;

/**
 * The body can be empty for up to a second after an election: the rate of a single message is infinite, which JSON
 * cannot say. Then the member's raft status tells the same id.
 */
function identity$(ask$: Ask): Observable<Identity> {
  return ask$('/v2/stats/self').pipe(
    switchMap(({ status, body }) =>
      status === 200 && body === ''
        ? ask$('/debug/vars').pipe(
            map((vars) => idIn(vars.status === 200 ? raftStatusIn(vars.body) : undefined)),
            catchError(() => of<Identity>({})),
          )
        : of(idIn(status === 200 ? parseJson(body) : undefined)),
    ),
  );
}

function idIn(json: unknown): Identity {
  const id = textIn(json, 'id') ?? '';
  return id === '' ? {} : { id };
}

function raftStatusIn(body: string): unknown {
  const json = parseJson(body);
  return isRecord(json) ? json['raft.status'] : undefined;
}

function membersIn(answer: HttpResponse | undefined): Pick<ProbeAnswer, 'members'> {
  const json = answer?.status === 200 ? parseJson(answer.body) : undefined;
  return isRecord(json) && Array.isArray(json['members']) ? { members: membersOf(json) } : {};
}

function clusterIdOf({ headers }: HttpResponse): { clusterId?: string } {
  const id = headers.get('x-etcd-cluster-id');
  return typeof id === 'string' && id !== '' ? { clusterId: id } : {};
}
