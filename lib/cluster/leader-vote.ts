import type { EndpointRecord, EndpointTable } from './endpoint-table.js';

/** Who is named as leader, and by how many that takes. */
export interface LeaderVote {
  /** The id that enough members name. */
  readonly named: string | undefined;
  /** How many members must name the same leader. */
  readonly needed: number;
  /** How many answering members name one, whichever. */
  readonly naming: number;
  /** Members that ever answered, when these are fewer than a majority of all. */
  readonly partial: number | undefined;
}

/**
 * Counts the votes: a majority of all members but learners must name the same leader. Members that this client never reached are
 * not held against it, nor are those that withhold whom they name: where they could complete a majority, it is enough that
 * all others that answer agree.
 */
export function leaderVote(table: EndpointTable): LeaderVote {
  const all = table.endpoints;
  const up = all.filter((e) => table.isUp(e));
  const settled = all.every((e) => e.probed);
  const members = Math.max(1, table.voters.length);
  const majority = Math.floor(members / 2) + 1;
  const everUp = all.filter((e) => e.answeredAt > -Infinity && table.belongs(e));
  const reached = countVoters(table, everUp);
  const answering = countVoters(table, up.filter(tells));
  const couldComplete = settled && members - countVoters(table, everUp.filter(tells)) + answering >= majority;
  const needed = couldComplete ? Math.max(1, Math.min(majority, answering)) : majority;
  // One that was cast before the present term began is void, but its member had a leader then.
  const votes = countVotes(
    table,
    up.filter((e) => table.isCurrent(e)),
  );
  const most = Math.max(0, ...votes.values());
  const favourites = [...votes].filter(([, count]) => count === most && count >= needed);
  return {
    named: favourites.length === 1 ? favourites[0]?.[0] : undefined,
    needed,
    naming: [...countVotes(table, up).values()].reduce((sum, count) => sum + count, 0),
    partial: settled && table.members.length > 0 && reached > 0 && reached < majority ? reached : undefined,
  };
}

const tells = ({ hasQuorum }: EndpointRecord): boolean => hasQuorum === undefined;

/** Endpoints of voting members; before the members are known, every endpoint counts for one that is no learner's. */
function ofVoters(table: EndpointTable, endpoints: readonly EndpointRecord[]): readonly EndpointRecord[] {
  if (table.members.length === 0) return endpoints.filter((e) => !table.isLearner(e));
  const ids = new Set<string | undefined>(table.voters.map((m) => m.id));
  return endpoints.filter(({ id }) => ids.has(id));
}

/** How many members stand behind these endpoints; one that is reached at several URLs counts once. */
function countVoters(table: EndpointTable, endpoints: readonly EndpointRecord[]): number {
  return new Set(ofVoters(table, endpoints).map((e) => e.id ?? e.url)).size;
}

/** How many members name each leader; a removed one has no vote, nor has one that has not said who it is. */
function countVotes(table: EndpointTable, endpoints: readonly EndpointRecord[]): Map<string, number> {
  const ballots = new Map(ofVoters(table, endpoints).map((e) => [e.id ?? e.url, e.leader]));
  const votes = new Map<string, number>();
  for (const leader of ballots.values()) {
    if (typeof leader === 'string') votes.set(leader, (votes.get(leader) ?? 0) + 1);
  }
  return votes;
}
