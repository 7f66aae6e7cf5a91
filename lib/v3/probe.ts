import { catchError, forkJoin, map, of, switchMap, type Observable } from 'rxjs';
import { Fault } from '../cluster/fault.js';
import type { MemberInfo } from '../cluster/member.js';
import type { ForgettingProbe, Probe, ProbeAnswer } from '../cluster/probe.js';
import { reachesNobody } from '../cluster/server-answer.js';
import { readVersion } from '../cluster/server-version.js';
import type { Settings } from '../options.js';
import type { HttpRequest } from '../transport/http.js';
import { maxProbeBytes } from '../transport/refusals.js';
import { TransportError } from '../transport/transport-error.js';
import type { Transport } from '../transport/transport.js';
import { absence, decodeAnswer, isAbsence } from './wire/gateway-answer.js';
import { encodeJson } from './wire/json-codec.js';
import type { Answer, MessageName } from './wire/messages.js';
import { methodOf, type UnaryMethod } from './wire/methods.js';

/** One key, whichever: a read of it, which brings nothing back. */
const anyKey = encodeJson('RangeRequest', { key: Uint8Array.of(0), count_only: true });

/** gRPC's code. */
const permissionDenied = 7;

/**
 * The v3 API's probe: a member's status for its id, its cluster, its release and the leader; when asked in full the member
 * list as that member holds it, too. Any status tells, as a member without a leader, or without quorum, answers it at once.
 *
 * Without credentials, as the endpoint may be a stranger's: where authentication is on, some releases refuse it then. Who
 * refuses is alive, and tells two things all the same: who it is, with an empty transaction, which changes nothing and is
 * nobody's right; and that a majority stands behind it, as it refuses a linearizable read only once it has asked that majority.
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
    message = '{}',
  ): Observable<Answer<M> | Fault> =>
    exchange$(endpoint, { method: 'POST', path: method.path, body: message }).pipe(
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

  const quorum$ = (endpoint: string): Observable<Pick<ProbeAnswer, 'hasQuorum' | 'isLearner'>> =>
    ask$(endpoint, methodOf('KV', 'Range'), anyKey).pipe(
      map((answer) => (answer instanceof Fault ? backing(answer) : { hasQuorum: true })),
      catchError((error: unknown) => {
        // Without a majority it is answered too late.
        if (error instanceof TransportError && error.kind === 'timeout' && error.sent)
          return of({ hasQuorum: false });
        throw error;
      }),
    );
  const identity$ = (endpoint: string): Observable<Pick<ProbeAnswer, 'id' | 'clusterId'>> =>
    ask$(endpoint, methodOf('KV', 'Txn')).pipe(
      map((answer) => (answer instanceof Fault ? {} : identityIn(answer.header))),
    );

  const probe: Probe = (endpoint, full) =>
    forkJoin([
      ask$(endpoint, methodOf('Maintenance', 'Status')),
      full ? ask$(endpoint, methodOf('Cluster', 'MemberList')) : of(undefined),
    ]).pipe(
      switchMap(([status, list]): Observable<ProbeAnswer> => {
        if (!(status instanceof Fault)) return of(answered(status, list));
        const answer = refused(status);
        const told$ = withholds(status) ? [quorum$(endpoint), identity$(endpoint)] : [];
        const served$ = full ? [version$(endpoint).pipe(map((version) => served(status, version)))] : [];
        return forkJoin([of(answer), ...told$, ...served$]).pipe(
          map((parts) => parts.reduce((whole, part) => ({ ...whole, ...part }))),
        );
      }),
    );
  return Object.assign(probe, { forget: () => undefined });
}

function answered(
  { header, leader, version, isLearner }: Answer<'StatusResponse'>,
  list: Answer<'MemberListResponse'> | Fault | undefined,
): ProbeAnswer {
  return {
    ...identityIn(header),
    leader: leader ?? null,
    raftTerm: header?.raft_term,
    isLearner,
    version: version === '' ? undefined : version,
    members: list === undefined || list instanceof Fault ? undefined : list.members.flatMap(memberOf),
  };
}

const identityIn = (header: Answer<'ResponseHeader'> | undefined): Pick<ProbeAnswer, 'id' | 'clusterId'> => ({
  id: header?.member_id,
  clusterId: header?.cluster_id,
});

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

/** Refused for want of a token or a right. */
const withholds = ({ config: { credentialsRefused = false, errorCode } }: Fault): boolean =>
  credentialsRefused || errorCode === permissionDenied;

/** What it means that a linearizable read failed. */
function backing(fault: Fault): Pick<ProbeAnswer, 'hasQuorum' | 'isLearner'> {
  if (withholds(fault)) return { hasQuorum: true };
  if (fault.config.fromLearner === true) return { isLearner: true };
  refused(fault);
  return { hasQuorum: false };
}

/** What the release tells of a member that gave no status. */
const served = (fault: Fault, version: string | undefined): ProbeAnswer =>
  version !== undefined && isAbsence(fault) ? { version, unsupported: absence(version) } : { version };
