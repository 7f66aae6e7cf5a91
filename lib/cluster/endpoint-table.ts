import { believe, originOf } from './believe.js';
import { leaderVote } from './leader-vote.js';
import type { MemberInfo } from './member.js';
import type { ProbeAnswer } from './probe.js';
import { lateAnswerMs } from './timing.js';

/** What is known of one endpoint. Times are monotonic milliseconds. */
export interface EndpointRecord {
  readonly url: string;
  /** It stands in the client's options; otherwise it was found in the member list. */
  readonly configured: boolean;
  /** The member behind it, by that member's own word. */
  id?: string;
  clusterId?: string;
  /** The id that it showed before that. */
  formerClusterId?: string;
  /** The release it runs, as `3.4.23`. */
  version?: string;
  /** When it was asked for that. */
  versionAt: number;
  /** When the latest request that it answered was sent. */
  answeredAt: number;
  /** When a request to it last failed. */
  suspectedAt: number;
  /** When something last happened that says little of it (as the end of a watch's connection), but asks for a probe. */
  doubtedAt: number;
  /** When the latest probe was sent that found out which member answers here. */
  verifiedAt: number;
  /** The last probe failed, or its connection was refused. */
  down: boolean;
  /**
   * Nobody knows how it is: it is down for want of an answer alone, where a request may have waited for a connection
   * unseen, or no probe could tell.
   */
  silent: boolean;
  /** When it last gave any sign of life, an event of a watch included. */
  heardAt: number;
  /** A first probe has ended, either way. */
  probed: boolean;
  /** The leader it names; null for none; undefined when it cannot tell. */
  leader?: string | null;
  /** A majority stands behind it, or not: all that is told by one that withholds who leads. */
  hasQuorum?: boolean | undefined;
  /** When it was asked for `leader`. */
  namedAt: number;
  /** In which raft term it named it, if it told. */
  namedIn?: number | undefined;
  /** The raft term that it told last. */
  term?: number;
  /** By its own word it is a learner. */
  isLearner?: boolean;
  /** Why it cannot serve this client, though it answers. */
  unsupported?: string;
  /** Why its TLS handshake fails, if that is what fails. */
  tls?: string;
}

/**
 * Everything that was learnt about endpoints and members; plain data and rules, no time and no requests of its own.
 */
export class EndpointTable {
  readonly #endpoints = new Map<string, EndpointRecord>();
  readonly #discover: boolean;
  #members: readonly MemberInfo[] = [];
  /** Those of them that are no learners. */
  #voters: readonly MemberInfo[] = [];
  /** When the probe was sent that brought them. */
  #membersAt = -Infinity;
  /** The ids of the members that advertise each URL. */
  #advertisers: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  #ignored = '';
  #clusterId: string | undefined;
  #raftTerm: number | undefined;
  /** The last one below it that came. */
  #lowerTerm: number | undefined;
  /** When an answer last carried it. */
  #termToldAt = -Infinity;
  /** When the first answer came that carried this term, after one of another term. */
  #termSince = -Infinity;
  #doubts = 0;
  #era = 0;
  /** Who is named as leader by enough members, and since when without a break. */
  #named: { id: string; since: number } | undefined;

  constructor(configured: readonly string[], discover: boolean) {
    this.#discover = discover;
    for (const url of configured) this.#add(url, true);
  }

  get endpoints(): readonly EndpointRecord[] {
    return [...this.#endpoints.values()];
  }

  get members(): readonly MemberInfo[] {
    return this.#members;
  }

  /** The members that make up a majority, started or not. */
  get voters(): readonly MemberInfo[] {
    return this.#voters;
  }

  get clusterId(): string | undefined {
    return this.#clusterId;
  }

  get raftTerm(): number | undefined {
    return this.#raftTerm;
  }

  /** The endpoint's URL is among those that this member advertises. */
  advertises(memberId: string, url: string): boolean {
    return this.#advertisers.get(url)?.has(memberId) ?? false;
  }

  /** What of the member list is not believed, in a few words; empty: nothing. */
  get ignored(): string {
    return this.#ignored;
  }

  /** How often a doubt was cast on some member. */
  get doubts(): number {
    return this.#doubts;
  }

  /** Something should be asked again, of all. */
  doubt(): void {
    this.#doubts += 1;
  }

  get named(): { id: string; since: number } | undefined {
    return this.#named;
  }

  /** Enough members name this leader now; undefined: they name none. */
  names(id: string | undefined, now: number): void {
    if (id === this.#named?.id) return;
    this.#named = id === undefined ? undefined : { id, since: now };
  }

  endpoint(url: string): EndpointRecord | undefined {
    return this.#endpoints.get(url);
  }

  /** A request sent at that time was answered. */
  answered(url: string, sentAt: number): void {
    const endpoint = this.#endpoints.get(url);
    if (endpoint === undefined) return;
    endpoint.answeredAt = Math.max(endpoint.answeredAt, sentAt);
    if (sentAt > endpoint.suspectedAt) endpoint.down = endpoint.silent = false;
  }

  /** It gave a sign of life. True if that takes back that it was silent. */
  heard(url: string, now: number): boolean {
    const endpoint = this.#endpoints.get(url);
    if (endpoint === undefined) return false;
    endpoint.heardAt = now;
    // Where no probe could tell, only an answer that somebody could use does.
    if (!endpoint.silent || !endpoint.down) return false;
    endpoint.down = endpoint.silent = false;
    endpoint.suspectedAt = -Infinity;
    endpoint.answeredAt = now;
    return true;
  }

  /** A probe was not answered in time, where that may mean that it was not sent; says nothing against what is known. */
  unanswered(url: string, sentAt: number, now: number): void {
    const endpoint = this.#endpoints.get(url);
    if (endpoint === undefined || endpoint.heardAt >= sentAt) return;
    const wasDown = endpoint.down && !endpoint.silent;
    this.failed(url, now, true);
    endpoint.silent = !wasDown;
  }

  /** A probe has ended that could tell nothing: whoever was never heard of stays unknown. */
  unjudged(url: string): void {
    const endpoint = this.#endpoints.get(url);
    if (endpoint === undefined) return;
    endpoint.probed = true;
    endpoint.silent ||= endpoint.answeredAt === -Infinity && !endpoint.down;
  }

  /** A request failed without an answer; `down`: the endpoint cannot even be connected to, or a probe failed. */
  failed(url: string, now: number, down: boolean, tls?: string): void {
    const endpoint = this.#endpoints.get(url);
    if (endpoint === undefined) return;
    endpoint.suspectedAt = now;
    endpoint.probed ||= down;
    if (down) endpoint.silent = false;
    endpoint.down ||= down;
    // Whoever comes back may be another.
    if (down) delete endpoint.unsupported;
    if (tls === undefined) delete endpoint.tls;
    else endpoint.tls = tls;
  }

  /** A probe should tell whether the endpoint is still what it was, before anything is sent to it. */
  doubted(url: string, now: number): void {
    const endpoint = this.#endpoints.get(url);
    if (endpoint !== undefined) endpoint.doubtedAt = now;
  }

  /** The same of all that were found: for a while nobody looked who answers there. */
  doubtedFound(now: number): void {
    for (const endpoint of this.#endpoints.values()) if (!endpoint.configured) endpoint.doubtedAt = now;
  }

  /**
   * A probe sent at that time was answered. Several may be under way: what a later one has told stands, whichever is
   * answered first.
   *
   * @returns whether other members may say something else by now
   */
  probed(url: string, sentAt: number, answer: ProbeAnswer): boolean {
    const endpoint = this.#endpoints.get(url);
    if (endpoint === undefined) return false;
    this.answered(url, sentAt);
    endpoint.probed = true;
    this.#identify(endpoint, sentAt, answer);
    if (answer.version !== undefined && sentAt >= endpoint.versionAt) {
      endpoint.version = answer.version;
      endpoint.versionAt = sentAt;
    }
    const isLatest = sentAt >= endpoint.namedAt;
    if (isLatest) {
      if (answer.unsupported === undefined) delete endpoint.unsupported;
      else endpoint.unsupported = answer.unsupported;
      if (answer.leader === undefined) delete endpoint.leader;
      else endpoint.leader = answer.leader;
      endpoint.hasQuorum = answer.hasQuorum;
      endpoint.namedIn = answer.raftTerm;
      endpoint.namedAt = sentAt;
    }
    const isPromoted = isLatest && this.#learnRole(endpoint, answer);
    this.#settleClusterId();
    const isNews = (isLatest && this.#learnTerm(endpoint, sentAt)) || isPromoted;
    if (answer.members !== undefined && sentAt >= this.#membersAt && this.#mayTellMembers(endpoint)) {
      this.#membersAt = sentAt;
      this.#learnMembers(answer.members);
    }
    return isNews;
  }

  /** Returns whether a learner says now that it is none: the next member list tells more. */
  #learnRole(endpoint: EndpointRecord, { isLearner = false }: ProbeAnswer): boolean {
    const wasLearner = endpoint.isLearner;
    endpoint.isLearner = isLearner;
    return wasLearner === true && !isLearner;
  }

  /** A member that names no leader may count terms by itself, cut off from all others. */
  #learnTerm(endpoint: EndpointRecord, now: number): boolean {
    const { leader, namedIn, url } = endpoint;
    if (namedIn === undefined || typeof leader !== 'string' || !this.belongs(endpoint)) return false;
    return this.sawTerm(namedIn, now, url);
  }

  /** The endpoint says that the member at another one leads. */
  pointed(url: string, leaderUrl: string): void {
    const endpoint = this.#endpoints.get(url);
    const leader = this.#endpoints.get(leaderUrl)?.id;
    if (endpoint !== undefined && leader !== undefined) endpoint.leader = leader;
  }

  /**
   * An answer of that endpoint carried this raft term. Another one than before voids what members said of the leader: each
   * has a vote again once it was asked anew. A lower one comes late, of a member that lags, or of a cluster that was
   * rebuilt: so it is if enough members told a lower one last, and none the known one for a while.
   *
   * @returns whether members may say something else by now
   */
  sawTerm(term: number, now: number, url: string): boolean {
    const known = this.#raftTerm;
    const endpoint = this.#endpoints.get(url);
    if (endpoint !== undefined) endpoint.term = term;
    if (term === known) {
      this.#termToldAt = now;
      return false;
    }
    if (known !== undefined && term < known && !this.#isPast(known, now)) {
      const isNews = term !== this.#lowerTerm;
      this.#lowerTerm = term;
      return isNews;
    }
    if (known !== undefined) this.#termSince = now;
    this.#raftTerm = term;
    this.#lowerTerm = undefined;
    this.#termToldAt = now;
    return true;
  }

  /** How often the cluster was rebuilt under its name. */
  get era(): number {
    return this.#era;
  }

  /** The cluster was rebuilt under its name: the next term that an answer carries is the present one. */
  wasRebuilt(): void {
    this.#era += 1;
    this.#termToldAt = -Infinity;
    for (const endpoint of this.#endpoints.values()) endpoint.term = -Infinity;
  }

  #isPast(known: number, now: number): boolean {
    if (now - this.#termToldAt < lateAnswerMs) return false;
    const { needed } = leaderVote(this);
    const lower = this.endpoints.filter(
      (e) => e.term !== undefined && e.term < known && this.belongs(e) && !this.isLearner(e),
    );
    return new Set(lower.map((e) => e.id ?? e.url)).size >= needed;
  }

  /** What the endpoint says of the leader was said in the present term, as far as this client can tell. */
  isCurrent({ namedAt, namedIn }: EndpointRecord): boolean {
    if (namedIn !== undefined && this.#raftTerm !== undefined) return namedIn === this.#raftTerm;
    return namedAt > this.#termSince;
  }

  /** The endpoint answers for a member of this cluster (or is configured and has not said who it is). */
  belongs({ url, id, clusterId, configured }: EndpointRecord): boolean {
    if (configured) return clusterId === undefined || clusterId === this.#clusterId;
    return clusterId === this.#clusterId && id !== undefined && this.advertises(id, url);
  }

  /**
   * The endpoint may be sent what is meant for the cluster, credentials too: it is configured, or a probe has found a
   * member of this cluster there since it last failed or was doubted.
   */
  mayBeAsked(endpoint: EndpointRecord): boolean {
    const { configured, verifiedAt, suspectedAt, doubtedAt } = endpoint;
    return this.belongs(endpoint) && (configured || (verifiedAt > suspectedAt && verifiedAt > doubtedAt));
  }

  /**
   * The member behind the endpoint is a learner, by its own word or by the member list, whichever says so: it is to be asked
   * for nothing that it would refuse.
   */
  isLearner({ id, url, isLearner = false }: EndpointRecord): boolean {
    if (isLearner || this.#voters.length === this.#members.length) return isLearner;
    const ids = id === undefined ? [...(this.#advertisers.get(url) ?? [])] : [id];
    return ids.length > 0 && ids.every((own) => this.#members.some((m) => m.id === own && m.isLearner));
  }

  /** It has refused a call as a learner does. */
  refusedAsLearner(url: string): void {
    const endpoint = this.#endpoints.get(url);
    if (endpoint !== undefined) endpoint.isLearner = true;
  }

  /** The endpoint answered since it last failed, and for the member that it is taken for. */
  isUp(endpoint: EndpointRecord): boolean {
    const { configured, verifiedAt, answeredAt, suspectedAt, down } = endpoint;
    if (down || answeredAt <= suspectedAt || !this.belongs(endpoint)) return false;
    return configured || verifiedAt > suspectedAt;
  }

  /** The same, and nothing casts a doubt on it: it can be asked now. */
  isLive(endpoint: EndpointRecord): boolean {
    return this.isUp(endpoint) && endpoint.answeredAt > endpoint.doubtedAt && this.mayBeAsked(endpoint);
  }

  /** It has answered what was sent since that time, and what happened then has made that answer old. */
  isOvertaken(url: string, since: number): boolean {
    const endpoint = this.#endpoints.get(url);
    if (endpoint === undefined) return false;
    const { answeredAt, suspectedAt, doubtedAt } = endpoint;
    return answeredAt > since && Math.max(suspectedAt, doubtedAt) > answeredAt;
  }

  #identify(endpoint: EndpointRecord, sentAt: number, { id, clusterId, leader }: ProbeAnswer): void {
    const isNewest = sentAt >= endpoint.namedAt;
    const isSameCluster = clusterId === endpoint.clusterId;
    if (id === undefined ? leader === undefined || !isSameCluster : !isNewest && !isSameCluster) {
      // Not what a member would say that was asked for its leader alone; or not what was heard since. Somebody else may
      // answer here now.
      endpoint.verifiedAt = -Infinity;
    } else if (id !== undefined && sentAt >= endpoint.verifiedAt) {
      endpoint.id = id;
      endpoint.verifiedAt = sentAt;
      // Of which cluster it was when it last told does not count.
      if (!endpoint.configured && isNewest) delete endpoint.clusterId;
    }
    if (clusterId === undefined || !isNewest) return;
    if (endpoint.clusterId !== undefined && !isSameCluster) endpoint.formerClusterId = endpoint.clusterId;
    endpoint.clusterId = clusterId;
  }

  #add(url: string, configured: boolean): void {
    if (this.#endpoints.has(url)) return;
    const never = -Infinity;
    this.#endpoints.set(url, {
      url,
      configured,
      answeredAt: never,
      suspectedAt: never,
      doubtedAt: never,
      verifiedAt: never,
      namedAt: never,
      versionAt: never,
      down: false,
      silent: false,
      heardAt: never,
      probed: false,
    });
  }

  /** The cluster is the one that most configured endpoints belong to; at a tie, the one already known. */
  #settleClusterId(): void {
    const votes = new Map<string, number>();
    for (const { configured, clusterId, down } of this.#endpoints.values()) {
      if (configured && clusterId !== undefined && !down)
        votes.set(clusterId, (votes.get(clusterId) ?? 0) + 1);
    }
    const most = Math.max(0, ...votes.values());
    if (this.#clusterId !== undefined && votes.get(this.#clusterId) === most) return;
    const settled = [...votes].find(([, count]) => count === most)?.[0];
    if (settled === undefined) return;
    if (this.#clusterId !== undefined) {
      if (!votes.has(this.#clusterId) && this.#isAway(settled)) return;
      // Terms of another cluster say nothing of this one, and who was found in it was not found in this.
      this.#raftTerm = undefined;
      this.#termSince = -Infinity;
      for (const endpoint of this.#endpoints.values())
        if (!endpoint.configured) endpoint.verifiedAt = -Infinity;
    }
    this.#clusterId = settled;
  }

  /**
   * The endpoints of this cluster are but down, and those that show the other id have never been of it: it was not
   * rebuilt under that id, and what is meant for it is not for them.
   */
  #isAway(other: string): boolean {
    const configured = [...this.#endpoints.values()].filter((e) => e.configured);
    const isDown = configured.some((e) => e.down && e.clusterId === this.#clusterId);
    return isDown && !configured.some((e) => e.clusterId === other && e.formerClusterId === this.#clusterId);
  }

  /** The leader's own list beats all others; without it that of a member that knows a leader, which is not cut off. */
  #mayTellMembers(endpoint: EndpointRecord): boolean {
    if (!this.belongs(endpoint)) return false;
    const leads = (e: EndpointRecord): boolean =>
      e.id !== undefined && e.leader === e.id && this.isCurrent(e) && this.isLive(e);
    if (this.#members.length === 0 || leads(endpoint)) return true;
    return typeof endpoint.leader === 'string' && ![...this.#endpoints.values()].some(leads);
  }

  #learnMembers(told: readonly MemberInfo[]): void {
    const { members, ignored } = believe(told);
    this.#ignored = ignored;
    this.#members = [...members].sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
    this.#voters = this.#members.filter((m) => m.isLearner !== true);
    const advertisers = new Map<string, Set<string>>();
    for (const { id, clientURLs } of members) {
      for (const url of clientURLs.map(originOf)) {
        if (url === undefined) continue;
        const ids = advertisers.get(url) ?? new Set();
        advertisers.set(url, ids.add(id));
      }
    }
    this.#advertisers = advertisers;
    if (!this.#discover) return;
    const secure = [...this.#endpoints.values()].some((e) => e.configured && e.url.startsWith('https:'));
    for (const url of advertisers.keys()) {
      if (!secure || url.startsWith('https:')) this.#add(url, false);
    }
    for (const { url, configured } of this.#endpoints.values()) {
      if (!configured && !advertisers.has(url)) this.#endpoints.delete(url);
    }
  }
}

/** The member's own list of client URLs holds this endpoint. */
export function advertises(member: MemberInfo, url: string): boolean {
  return member.clientURLs.some((u) => originOf(u) === url);
}
