import { catchError, forkJoin, map, of, switchMap, type Observable } from 'rxjs';
import { Fault } from '../cluster/fault.js';
import type { MemberInfo } from '../cluster/member.js';
import type { ForgettingProbe, Probe, ProbeAnswer } from '../cluster/probe.js';
import { reachesNobody } from '../cluster/server-answer.js';
import { readVersion } from '../cluster/server-version.js';
import type { Settings } from '../options.js';
import type { HttpRequest } from '../transport/http.js';
import { maxProbeBytes } from '../transport/refusals.js';
import type { Transport } from '../transport/transport.js';
import { absence, decodeAnswer, isAbsence } from './wire/gateway-answer.js';
import type { Answer, MessageName } from './wire/messages.js';
import { methodOf, type UnaryMethod } from './wire/methods.js';

/**
 * The v3 API's probe: a member's status for its id, its cluster, its release and the leader; when asked in full the member
 * list as that member holds it, too. Any status tells, as a member without a leader, or without quorum, answers it at once.
 *
 * Without credentials, as the endpoint may be a stranger's: where authentication is on, some releases refuse it then. Who
 * refuses is alive, and cannot tell.
 */
export function v3Probe(
  transport: Transport,
  { probeTimeout }: Pick<Settings, 'probeTimeout'>,
): ForgettingProbe {
  const exchange$ = (endpoint: string, request: Pick<HttpRequest, 'method' | 'path' | 'body'>) =>
    transport.exchange$({
      endpoint,
      timeout: probeTimeout,
      operation: 'probe',
      pool: 'watch',
      maxBytes: maxProbeBytes,
      contentType: 'application/json',
      ...request,
    });
  const ask$ = <M extends MessageName>(
    endpoint: string,
    method: UnaryMethod & { readonly response: M },
  ): Observable<Answer<M> | Fault> =>
    exchange$(endpoint, { method: 'POST', path: method.path, body: '{}' }).pipe(
      map(({ status, body }) =>
        decodeAnswer({ operation: 'probe', status, body, endpoint, secrets: transport.secrets }, method),
      ),
      catchError((error: unknown) => {
        if (error instanceof Fault) return of(error);
        throw error;
      }),
    );
  const version$ = (endpoint: string): Observable<string | undefined> =>
    exchange$(endpoint, { method: 'GET', path: '/version' }).pipe(
      map(({ status, body }) => (status === 200 ? readVersion(body)?.etcdserver : undefined)),
    );

  const probe: Probe = (endpoint, full) =>
    forkJoin([
      ask$(endpoint, methodOf('Maintenance', 'Status')),
      full ? ask$(endpoint, methodOf('Cluster', 'MemberList')) : of(undefined),
    ]).pipe(
      switchMap(([status, list]): Observable<ProbeAnswer> => {
        if (!(status instanceof Fault)) return of(answered(status, list));
        const answer = refused(status);
        return full
          ? version$(endpoint).pipe(map((version) => ({ ...answer, ...served(status, version) })))
          : of(answer);
      }),
    );
  return Object.assign(probe, { forget: () => undefined });
}

function answered(
  { header, leader, version, isLearner }: Answer<'StatusResponse'>,
  list: Answer<'MemberListResponse'> | Fault | undefined,
): ProbeAnswer {
  return {
    id: header?.member_id,
    clusterId: header?.cluster_id,
    leader: leader ?? null,
    raftTerm: header?.raft_term,
    isLearner,
    version: version === '' ? undefined : version,
    members: list === undefined || list instanceof Fault ? undefined : list.members.flatMap(memberOf),
  };
}

/** A member; one that has not started has neither a name nor URLs for clients. */
const memberOf = ({ ID: id, name, clientURLs, peerURLs, isLearner }: Answer<'Member'>): MemberInfo[] =>
  id === undefined ? [] : [{ id, name, clientURLs, peerURLs, ...(isLearner && { isLearner }) }];

/** @throws Fault for what a balancer or a gateway says in the member's place */
function refused(fault: Fault): ProbeAnswer {
  const { leaderless = false, isStrange = false, status = 0 } = fault.config;
  if (leaderless) return { leader: null };
  if (isStrange && reachesNobody(status)) throw fault;
  return {};
}

/** What the release tells of a member that gave no status. */
const served = (fault: Fault, version: string | undefined): ProbeAnswer =>
  version !== undefined && isAbsence(fault) ? { version, unsupported: absence(version) } : { version };
