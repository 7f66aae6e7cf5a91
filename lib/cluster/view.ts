import { Member, type MemberInfo, type MemberStatus } from './member.js';
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
  /** Why TLS fails, when every endpoint was tried and it fails at all of them. */
  readonly tlsFailure: string | undefined;
}

/** How long a leader that was never reached must be named before it is believed: longer than an election, ms. */
const absentLeaderPatience = 3_000;

/** Derives the view; pure. */
export function deriveView(roster: Roster, now: number): View {
  const all = roster.endpoints;
  const live = all.filter((e) => roster.isLive(e));
  const settled = all.every((e) => e.probed);
  const memberCount = Math.max(1, roster.members.length);
  const majority = Math.floor(memberCount / 2) + 1;
  const reached = countMembers(
    roster,
    all.filter((e) => e.answeredAt > -Infinity && roster.belongs(e)),
  );
  const partial = settled && roster.members.length > 0 && reached > 0 && reached < majority;

  const votes = countVotes(roster, live);
  const needed = partial ? Math.max(1, countMembers(roster, live)) : majority;
  const named = [...votes].find(([, count]) => count >= needed)?.[0];
  const leaderUrl = named === undefined ? undefined : endpointOfLeader(roster, live, named, partial, now);
  const mute = live.length > 0 && live.every((e) => e.leader === undefined);
  const leaderEndpoint = leaderUrl ?? (mute && settled ? live[0]?.url : undefined);
  const leaderId = leaderUrl === undefined ? undefined : named;

  return {
    members: listMembers(roster, live, leaderId),
    hasQuorum: quorum(roster, live, settled, mute, needed),
    raftTerm: roster.raftTerm,
    leaderEndpoint,
    live: live.map((e) => e.url),
    leaderless: live.filter((e) => e.leader === null).map((e) => e.url),
    candidates: all.filter((e) => roster.belongs(e)).map((e) => e.url),
    endpoints: all.map((e) => e.url),
    settled,
    partial: partial ? reached : undefined,
    tlsFailure: settled && all.every((e) => e.down && e.tls !== undefined) ? all[0]?.tls : undefined,
  };
}

/** Endpoints of members; before the members are known, every endpoint counts for one. */
function ofMembers(roster: Roster, endpoints: readonly EndpointRecord[]): readonly EndpointRecord[] {
  if (roster.members.length === 0) return endpoints;
  return endpoints.filter(({ id }) => roster.members.some((m) => m.id === id));
}

/** How many members stand behind these endpoints; one that is reached at several URLs counts once. */
function countMembers(roster: Roster, endpoints: readonly EndpointRecord[]): number {
  return new Set(ofMembers(roster, endpoints).map((e) => e.id ?? e.url)).size;
}

/** How many members name each leader; a removed one has no vote, nor has one that has not said who it is. */
function countVotes(roster: Roster, live: readonly EndpointRecord[]): Map<string, number> {
  const ballots = new Map(ofMembers(roster, live).map((e) => [e.id ?? e.url, e.leader]));
  const votes = new Map<string, number>();
  for (const leader of ballots.values()) {
    if (typeof leader === 'string') votes.set(leader, (votes.get(leader) ?? 0) + 1);
  }
  return votes;
}

/**
 * The leader's own endpoint, if it is live. A leader that was never reached is believed at once by a client that
 * reaches a minority only, else after an election's time; any member forwards to it.
 */
function endpointOfLeader(
  roster: Roster,
  live: readonly EndpointRecord[],
  leader: string,
  partial: boolean,
  now: number,
): string | undefined {
  // It must know itself that it leads: one that has just come back may not yet, or no more.
  const own = live.filter((e) => e.id === leader);
  if (own.length > 0) return own.find((e) => e.leader === leader || e.leader === undefined)?.url;
  const absent = roster.absentLeader;
  if (absent?.id !== leader) return undefined;
  const configured = roster.endpoints.some(
    (e) => e.configured && e.id === undefined && isUrlOf(roster, leader, e.url),
  );
  const believed = !configured && (partial || now - absent.since >= absentLeaderPatience);
  return believed ? live.find((e) => e.leader === leader)?.url : undefined;
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
    leaderless,
    candidates,
    endpoints,
    settled,
    partial,
    tlsFailure,
  } = view;
  const scalars = [
    hasQuorum,
    raftTerm,
    leaderEndpoint,
    settled,
    partial,
    tlsFailure,
    ...members.map((m) => `${m.id} ${m.toString()}`),
  ];
  return [scalars, live, leaderless, candidates, endpoints].map((list) => list.join(' ')).join('\n');
}

/** Undefined before it can be known; else whether enough members answer and name a leader. */
function quorum(
  roster: Roster,
  live: readonly EndpointRecord[],
  settled: boolean,
  mute: boolean,
  needed: number,
): boolean | undefined {
  if (live.length === 0) return settled ? false : undefined;
  if (mute || roster.members.length === 0) return undefined;
  const naming = countMembers(
    roster,
    live.filter((e) => typeof e.leader === 'string'),
  );
  return naming >= needed ? true : settled ? false : undefined;
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
        (e) => new Member(placeholder(e), live.includes(e) ? 'running' : e.down ? 'down' : 'unknown', false),
      );
  }
  return roster.members.map((m) => new Member(m, statusOf(roster, live, m), m.id === leaderId));
}

function placeholder({ id = '', url }: EndpointRecord): MemberInfo {
  return { id, name: '', clientURLs: [url], peerURLs: [] };
}

/** A member is down once an endpoint known to be its own fails; one that was never reached stays unknown. */
function statusOf(roster: Roster, live: readonly EndpointRecord[], member: MemberInfo): MemberStatus {
  if (live.some((e) => e.id === member.id)) return 'running';
  const own = roster.endpoints.filter(
    (e) => e.id === member.id || (e.id === undefined && e.configured && advertises(member, e.url)),
  );
  if (own.some((e) => e.down)) return 'down';
  return own.some((e) => e.answeredAt > -Infinity) ? 'running' : 'unknown';
}
