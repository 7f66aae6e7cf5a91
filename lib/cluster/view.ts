import { Member, sameMembers, type MemberInfo, type MemberStatus } from './member.js';
import { leaderVote } from './leader-vote.js';
import type { EndpointRecord, EndpointTable } from './endpoint-table.js';
import { sameList } from '../util/same-list.js';
import { absentLeaderMs, silentLeaderMs } from './timing.js';

/** What follows from the table: the public state, and whom to ask. */
export interface View {
  readonly members: readonly Member[];
  readonly hasQuorum: boolean | undefined;
  readonly raftTerm: number | undefined;
  /** False where those that answer withhold who leads: then `leaderEndpoint` is that of any member with a majority behind it. */
  readonly leaderKnown: boolean;
  /** Where writes and quorum reads go; undefined while they must wait. */
  readonly leaderEndpoint: string | undefined;
  /** Endpoints that answered since they last failed or were doubted; none of a learner. */
  readonly live: readonly string[];
  /** Endpoints whose last probe failed, or that refused a connection since they last answered. */
  readonly down: readonly string[];
  /** Live endpoints whose member says that it has no leader, or has no majority behind it. */
  readonly leaderless: readonly string[];
  /** Endpoints that may be asked at all: configured ones, and verified members since they last failed, of this cluster, and no learners. */
  readonly candidates: readonly string[];
  /** All endpoints, configured ones first. */
  readonly endpoints: readonly string[];
  /** Every endpoint's first probe has ended. */
  readonly settled: boolean;
  /** Members that were ever reached, when these are fewer than a majority. */
  readonly partial: number | undefined;
  /** Grows when members should be probed out of turn. */
  readonly doubts: number;
  /** Grows when it turns out that the cluster was rebuilt. */
  readonly era: number;
  /** Why TLS fails, when every endpoint was tried and it fails at all of them. */
  readonly tlsFailure: string | undefined;
  /** Why no endpoint can serve this client though they answer, when every one was asked and says so. */
  readonly unsupported: string | undefined;
}

/** Derives the view; pure. */
export function deriveView(table: EndpointTable, now: number): View {
  const all = table.endpoints;
  const answering = all.filter((e) => table.isUp(e));
  const up = answering.filter((e) => !table.isLearner(e));
  const live = up.filter((e) => table.isLive(e));
  const settled = all.every((e) => e.probed);
  const { named, needed, naming, partial } = leaderVote(table);
  const own = up.filter((e) => e.id === named && named !== undefined);
  // It must know itself that it leads: one that has just come back may not yet, or no more.
  const leading = own.filter((e) => e.leader === named || e.leader === undefined);
  const absent = own.length === 0 && named !== undefined ? named : undefined;
  const believed = absent !== undefined && isBelieved(table, absent, partial !== undefined, now);
  const forwarding = live.find((e) => e.leader === absent);
  const mute = up.length > 0 && up.every((e) => e.leader === undefined);
  const reachable = absent !== undefined && isReachable(table, absent);
  const withheld = up.some((e) => e.hasQuorum !== undefined) && !up.some((e) => typeof e.leader === 'string');
  // While a probe looks whether the leader is still there, it is the leader, but nothing is sent to it.
  const leaderId = leading.length > 0 || (believed && !reachable) ? named : undefined;
  const leaderEndpoint =
    leading.find((e) => table.isLive(e)) ??
    (believed ? forwarding : undefined) ??
    (withheld ? live.find((e) => e.hasQuorum === true) : mute && settled ? live[0] : undefined);

  return {
    members: listMembers(table, answering, leaderId),
    hasQuorum: quorum(table, up, settled, mute, withheld ? undefined : naming >= needed),
    raftTerm: table.raftTerm,
    leaderKnown: !withheld,
    leaderEndpoint: leaderEndpoint?.url,
    live: live.map((e) => e.url),
    down: all.filter((e) => e.down).map((e) => e.url),
    leaderless: live.filter(isAlone).map((e) => e.url),
    candidates: all.filter((e) => table.mayBeAsked(e) && !table.isLearner(e)).map((e) => e.url),
    endpoints: all.map((e) => e.url),
    settled,
    partial,
    doubts: table.doubts,
    era: table.era,
    tlsFailure: settled && all.every((e) => e.down && e.tls !== undefined) ? all[0]?.tls : undefined,
    unsupported: all.every((e) => e.unsupported !== undefined) ? all[0]?.unsupported : undefined,
  };
}

/** By its own word nobody leads it, or no majority stands behind it. */
const isAlone = ({ leader, hasQuorum }: EndpointRecord): boolean => leader === null || hasQuorum === false;

/** A URL of this member is configured, or one that it advertises has answered, as one of this cluster. */
function isReachable(table: EndpointTable, id: string): boolean {
  return table.endpoints.some(
    (e) =>
      (e.id === id && e.answeredAt > -Infinity && table.belongs(e)) ||
      (e.configured && e.id === undefined && table.advertises(id, e.url)),
  );
}

/**
 * Whether a leader that does not answer here may be written to through the members that name it; any member forwards.
 * A client that reaches a minority only believes it at once; else the naming must outlast an election.
 */
function isBelieved(table: EndpointTable, leader: string, partial: boolean, now: number): boolean {
  const since = table.named?.id === leader ? table.named.since : now;
  if (isReachable(table, leader)) return now - since >= silentLeaderMs;
  return partial || now - since >= absentLeaderMs;
}

/** True when a consumer of views could not tell the two apart. */
export function sameView(a: View, b: View): boolean {
  const names = Object.keys(a) as (keyof View)[];
  return names.every((name) =>
    name === 'members' ? sameMembers(a.members, b.members) : isSame(a[name], b[name]),
  );
}

const isSame = (a: unknown, b: unknown): boolean =>
  Array.isArray(a) && Array.isArray(b) ? sameList(a, b) : a === b;

/**
 * Undefined before it can be known; else whether enough members answer and name a leader.
 *
 * @param enough do; undefined where they withhold it, and have told instead whether a majority stands behind them
 */
function quorum(
  table: EndpointTable,
  up: readonly EndpointRecord[],
  settled: boolean,
  mute: boolean,
  enough: boolean | undefined,
): boolean | undefined {
  // Who is silent may have a quorum, unless one that answers says that there is no leader.
  const isOpen = table.endpoints.some((e) => e.silent) && !up.some(isAlone);
  const lacking = settled && !isOpen ? false : undefined;
  if (up.length === 0) return lacking;
  if (enough === undefined) return up.some((e) => e.hasQuorum === true) ? true : lacking;
  if (mute || table.members.length === 0) return undefined;
  return enough ? true : lacking;
}

function listMembers(
  table: EndpointTable,
  up: readonly EndpointRecord[],
  leaderId: string | undefined,
): Member[] {
  if (table.members.length === 0) {
    const answering = new Set(up);
    return table.endpoints
      .filter((e) => e.configured)
      .map((e) => {
        const status = answering.has(e) ? 'running' : isDown(e) ? 'down' : 'unknown';
        return new Member(placeholder(e), status, false, e.unsupported);
      });
  }
  const owned = endpointsById(table.endpoints);
  const strangers = table.endpoints.filter((e) => e.id === undefined && e.configured);
  const running = new Set(up.map((e) => e.id));
  return table.members.map((m) => {
    const own = [...(owned.get(m.id) ?? []), ...strangers.filter((e) => table.advertises(m.id, e.url))];
    const status = running.has(m.id) ? 'running' : statusOf(own);
    const unsupported = own.find((e) => e.unsupported !== undefined)?.unsupported;
    return new Member(m, status, m.id === leaderId, unsupported);
  });
}

function endpointsById(endpoints: readonly EndpointRecord[]): ReadonlyMap<string, readonly EndpointRecord[]> {
  const owned = new Map<string, EndpointRecord[]>();
  for (const endpoint of endpoints) {
    if (endpoint.id === undefined) continue;
    const of = owned.get(endpoint.id);
    if (of === undefined) owned.set(endpoint.id, [endpoint]);
    else of.push(endpoint);
  }
  return owned;
}

function placeholder({ id = '', url }: EndpointRecord): MemberInfo {
  return { id, name: '', clientURLs: [url], peerURLs: [] };
}

const isDown = ({ down, silent }: EndpointRecord): boolean => down && !silent;

/** A member is down once an endpoint known to be its own fails; one that was never reached, or is silent, is unknown. */
function statusOf(own: readonly EndpointRecord[]): MemberStatus {
  if (own.some(isDown)) return 'down';
  return own.some((e) => e.answeredAt > -Infinity && !e.silent) ? 'running' : 'unknown';
}
