import { Member, sameMembers, type MemberInfo, type MemberStatus } from './member.js';
import { tally } from './tally.js';
import type { EndpointRecord, Roster } from './roster.js';
import { sameList } from '../util/same-list.js';

/** What follows from the roster: the public state, and whom to ask. */
export interface View {
  readonly members: readonly Member[];
  readonly hasQuorum: boolean | undefined;
  readonly raftTerm: number | undefined;
  /** Where writes and quorum reads go; undefined while they must wait. */
  readonly leaderEndpoint: string | undefined;
  /** Endpoints that answered since they last failed or were doubted. */
  readonly live: readonly string[];
  /** Endpoints whose last probe failed, or that refused a connection since they last answered. */
  readonly down: readonly string[];
  /** Live endpoints whose member says that it has no leader. */
  readonly leaderless: readonly string[];
  /** Endpoints that may be asked at all: configured ones, and verified members since they last failed, of this cluster. */
  readonly candidates: readonly string[];
  /** All endpoints, configured ones first. */
  readonly endpoints: readonly string[];
  /** Every endpoint's first probe has ended. */
  readonly settled: boolean;
  /** Members that were ever reached, when these are fewer than a majority. */
  readonly partial: number | undefined;
  /** Grows when members should be probed out of turn. */
  readonly doubts: number;
  /** Why TLS fails, when every endpoint was tried and it fails at all of them. */
  readonly tlsFailure: string | undefined;
  /** Why no endpoint can serve this client though they answer, when every one was asked and says so. */
  readonly unsupported: string | undefined;
}

/** How long a leader that was never reached must be named before it is believed: longer than an election, ms. */
const absentLeaderPatience = 3_000;
/** The same for one that could be reached, and may be dead: longer than any likely election, ms. */
const silentLeaderPatience = 10_000;

/** Derives the view; pure. */
export function deriveView(roster: Roster, now: number): View {
  const all = roster.endpoints;
  const up = all.filter((e) => roster.isUp(e));
  const live = up.filter((e) => roster.isLive(e));
  const settled = all.every((e) => e.probed);
  const { named, needed, naming, partial } = tally(roster);
  const own = up.filter((e) => e.id === named && named !== undefined);
  // It must know itself that it leads: one that has just come back may not yet, or no more.
  const leading = own.filter((e) => e.leader === named || e.leader === undefined);
  const absent = own.length === 0 && named !== undefined ? named : undefined;
  const believed = absent !== undefined && isBelieved(roster, absent, partial !== undefined, now);
  const forwarding = live.find((e) => e.leader === absent);
  const mute = up.length > 0 && up.every((e) => e.leader === undefined);
  const reachable = absent !== undefined && isReachable(roster, absent);
  // While a probe looks whether the leader is still there, it is the leader, but nothing is sent to it.
  const leaderId = leading.length > 0 || (believed && !reachable) ? named : undefined;
  const leaderEndpoint =
    leading.find((e) => roster.isLive(e)) ??
    (believed ? forwarding : undefined) ??
    (mute && settled ? live[0] : undefined);

  return {
    members: listMembers(roster, up, leaderId),
    hasQuorum: quorum(roster, up, settled, mute, naming >= needed),
    raftTerm: roster.raftTerm,
    leaderEndpoint: leaderEndpoint?.url,
    live: live.map((e) => e.url),
    down: all.filter((e) => e.down).map((e) => e.url),
    leaderless: live.filter((e) => e.leader === null).map((e) => e.url),
    candidates: all.filter((e) => roster.mayBeAsked(e)).map((e) => e.url),
    endpoints: all.map((e) => e.url),
    settled,
    partial,
    doubts: roster.doubts,
    tlsFailure: settled && all.every((e) => e.down && e.tls !== undefined) ? all[0]?.tls : undefined,
    unsupported: all.every((e) => e.unsupported !== undefined) ? all[0]?.unsupported : undefined,
  };
}

/** A URL of this member is configured, or one that it advertises has answered, as one of this cluster. */
function isReachable(roster: Roster, id: string): boolean {
  return roster.endpoints.some(
    (e) =>
      (e.id === id && e.answeredAt > -Infinity && roster.belongs(e)) ||
      (e.configured && e.id === undefined && roster.advertises(id, e.url)),
  );
}

/**
 * Whether a leader that does not answer here may be written to through the members that name it; any member forwards.
 * A client that reaches a minority only believes it at once; else the naming must outlast an election.
 */
function isBelieved(roster: Roster, leader: string, partial: boolean, now: number): boolean {
  const since = roster.named?.id === leader ? roster.named.since : now;
  if (isReachable(roster, leader)) return now - since >= silentLeaderPatience;
  return partial || now - since >= absentLeaderPatience;
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

/** Undefined before it can be known; else whether enough members answer and name a leader. */
function quorum(
  roster: Roster,
  up: readonly EndpointRecord[],
  settled: boolean,
  mute: boolean,
  enough: boolean,
): boolean | undefined {
  // Who is silent may have a quorum, unless one that answers says that there is no leader.
  const isOpen = roster.endpoints.some((e) => e.silent) && !up.some((e) => e.leader === null);
  const lacking = settled && !isOpen ? false : undefined;
  if (up.length === 0) return lacking;
  if (mute || roster.members.length === 0) return undefined;
  return enough ? true : lacking;
}

function listMembers(roster: Roster, up: readonly EndpointRecord[], leaderId: string | undefined): Member[] {
  if (roster.members.length === 0) {
    const answering = new Set(up);
    return roster.endpoints
      .filter((e) => e.configured)
      .map((e) => {
        const status = answering.has(e) ? 'running' : isDown(e) ? 'down' : 'unknown';
        return new Member(placeholder(e), status, false, e.unsupported);
      });
  }
  const owned = endpointsById(roster.endpoints);
  const strangers = roster.endpoints.filter((e) => e.id === undefined && e.configured);
  const running = new Set(up.map((e) => e.id));
  return roster.members.map((m) => {
    const own = [...(owned.get(m.id) ?? []), ...strangers.filter((e) => roster.advertises(m.id, e.url))];
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
