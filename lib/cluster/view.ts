import { Member, type MemberInfo, type MemberStatus } from './member.js';
import { tally } from './tally.js';
import { advertises, type EndpointRecord, type Roster } from './roster.js';

/** What follows from the roster: the public state, and whom to ask. */
export interface View {
  readonly members: readonly Member[];
  readonly hasQuorum: boolean | undefined;
  readonly raftTerm: number | undefined;
  /** Where writes and quorum reads go; undefined while they must wait. */
  readonly leaderEndpoint: string | undefined;
  /** Endpoints that answered since they last failed. */
  readonly live: readonly string[];
  /** Endpoints whose last probe failed, or that refused a connection since they last answered. */
  readonly down: readonly string[];
  /** Live endpoints whose member says that it has no leader. */
  readonly leaderless: readonly string[];
  /** Endpoints that may be asked at all: configured ones and verified members, of this cluster. */
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
}

/** How long a leader that was never reached must be named before it is believed: longer than an election, ms. */
const absentLeaderPatience = 3_000;
/** The same for one that could be reached, and may be dead: longer than any likely election, ms. */
const silentLeaderPatience = 10_000;

/** Derives the view; pure. */
export function deriveView(roster: Roster, now: number): View {
  const all = roster.endpoints;
  const live = all.filter((e) => roster.isLive(e));
  const settled = all.every((e) => e.probed);
  const { named, needed, naming, partial } = tally(roster);
  const own = live.filter((e) => e.id === named && named !== undefined);
  // It must know itself that it leads: one that has just come back may not yet, or no more.
  const leading = own.find((e) => e.leader === named || e.leader === undefined);
  const absent = own.length === 0 && named !== undefined ? named : undefined;
  const believed = absent !== undefined && isBelieved(roster, absent, partial !== undefined, now);
  const forwarding = live.find((e) => e.leader === absent);
  const mute = live.length > 0 && live.every((e) => e.leader === undefined);
  const reachable = absent !== undefined && isReachable(roster, absent);
  const leaderId = leading !== undefined || (believed && !reachable) ? named : undefined;
  const leaderEndpoint =
    leading ?? (believed ? forwarding : undefined) ?? (mute && settled ? live[0] : undefined);

  return {
    members: listMembers(roster, live, leaderId),
    hasQuorum: quorum(roster, live, settled, mute, naming >= needed),
    raftTerm: roster.raftTerm,
    leaderEndpoint: leaderEndpoint?.url,
    live: live.map((e) => e.url),
    down: all.filter((e) => e.down).map((e) => e.url),
    leaderless: live.filter((e) => e.leader === null).map((e) => e.url),
    candidates: all.filter((e) => roster.belongs(e)).map((e) => e.url),
    endpoints: all.map((e) => e.url),
    settled,
    partial,
    doubts: roster.doubts,
    tlsFailure: settled && all.every((e) => e.down && e.tls !== undefined) ? all[0]?.tls : undefined,
  };
}

/** A URL of this member is configured, or one that it advertises has answered. */
function isReachable(roster: Roster, id: string): boolean {
  return roster.endpoints.some(
    (e) =>
      (e.id === id && e.answeredAt > -Infinity) ||
      (e.configured && e.id === undefined && isUrlOf(roster, id, e.url)),
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

function isUrlOf(roster: Roster, id: string, url: string): boolean {
  return roster.members.some((m) => m.id === id && advertises(m, url));
}

/** True when a consumer of views could not tell the two apart. */
export function sameView(a: View, b: View): boolean {
  return (
    viewKey(a) === viewKey(b) &&
    a.members.every((m, i) => m.peerURLs.join() === b.members[i]?.peerURLs.join())
  );
}

function viewKey(view: View): string {
  const {
    members,
    hasQuorum,
    raftTerm,
    leaderEndpoint,
    live,
    down,
    leaderless,
    candidates,
    endpoints,
    settled,
    partial,
    doubts,
    tlsFailure,
  } = view;
  const scalars = [
    hasQuorum,
    raftTerm,
    leaderEndpoint,
    settled,
    partial,
    doubts,
    tlsFailure,
    ...members.map((m) => `${m.id} ${m.toString()}`),
  ];
  return [scalars, live, down, leaderless, candidates, endpoints].map((list) => list.join(' ')).join('\n');
}

/** Undefined before it can be known; else whether enough members answer and name a leader. */
function quorum(
  roster: Roster,
  live: readonly EndpointRecord[],
  settled: boolean,
  mute: boolean,
  enough: boolean,
): boolean | undefined {
  // Who is silent may have a quorum, unless one that answers says that there is no leader.
  const isOpen = roster.endpoints.some((e) => e.silent) && !live.some((e) => e.leader === null);
  const lacking = settled && !isOpen ? false : undefined;
  if (live.length === 0) return lacking;
  if (mute || roster.members.length === 0) return undefined;
  return enough ? true : lacking;
}

function listMembers(
  roster: Roster,
  live: readonly EndpointRecord[],
  leaderId: string | undefined,
): Member[] {
  if (roster.members.length === 0) {
    return roster.endpoints
      .filter((e) => e.configured)
      .map(
        (e) =>
          new Member(placeholder(e), live.includes(e) ? 'running' : isDown(e) ? 'down' : 'unknown', false),
      );
  }
  return roster.members.map((m) => new Member(m, statusOf(roster, live, m), m.id === leaderId));
}

function placeholder({ id = '', url }: EndpointRecord): MemberInfo {
  return { id, name: '', clientURLs: [url], peerURLs: [] };
}

const isDown = ({ down, silent }: EndpointRecord): boolean => down && !silent;

/** A member is down once an endpoint known to be its own fails; one that was never reached, or is silent, is unknown. */
function statusOf(roster: Roster, live: readonly EndpointRecord[], member: MemberInfo): MemberStatus {
  if (live.some((e) => e.id === member.id)) return 'running';
  const own = roster.endpoints.filter(
    (e) => e.id === member.id || (e.id === undefined && e.configured && advertises(member, e.url)),
  );
  if (own.some(isDown)) return 'down';
  return own.some((e) => e.answeredAt > -Infinity && !e.silent) ? 'running' : 'unknown';
}
