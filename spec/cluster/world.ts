import type { MemberInfo } from '../../lib/cluster/member.js';
import type { ProbeAnswer } from '../../lib/cluster/probe.js';
import { EndpointTable } from '../../lib/cluster/endpoint-table.js';
import { leaderVote } from '../../lib/cluster/leader-vote.js';
import { deriveView, type View } from '../../lib/cluster/view.js';

/** The URL of a member, by its id. */
export const urlOf = (id: string) => `http://m${id}:2379`;
export const info = (id: string): MemberInfo => ({
  id,
  name: `node${id}`,
  clientURLs: [urlOf(id)],
  peerURLs: [`http://m${id}:2380`],
});
export const infos = (...ids: string[]) => ids.map(info);

/** A table, a clock, and short words for what may happen. */
export class World {
  readonly table: EndpointTable;
  time = 100;

  constructor(
    ids: string[],
    readonly members = infos(...ids),
    discover = true,
    configured = ids.map(urlOf),
  ) {
    this.table = new EndpointTable(configured, discover);
  }

  /** These members answer a probe, and name this leader (null: none; undefined: they cannot tell). */
  say(ids: string[], leader: string | null | undefined, more: Partial<ProbeAnswer> = {}): this {
    for (const id of ids)
      this.answer(urlOf(id), { id, ...(leader === undefined ? {} : { leader }), ...more });
    return this;
  }

  answer(url: string, answer: ProbeAnswer): this {
    this.time += 1;
    this.table.probed(url, this.time, { clusterId: 'ours', members: this.members, ...answer });
    return this.count();
  }

  /** A light probe: nothing but the leader. */
  only(ids: string[], leader: string | null): this {
    this.time += 1;
    for (const id of ids) this.table.probed(urlOf(id), this.time, { leader });
    return this.count();
  }

  /** A connection to these was reset. */
  reset(...ids: string[]): this {
    this.time += 1;
    for (const id of ids) this.table.failed(urlOf(id), this.time, false);
    return this.count();
  }

  /** These refuse connections, or their probe failed. */
  down(...ids: string[]): this {
    this.time += 1;
    for (const id of ids) this.table.failed(urlOf(id), this.time, true);
    return this.count();
  }

  after(ms: number): this {
    this.time += ms;
    return this;
  }

  /** What the cluster does after each answer and each failure. */
  private count(): this {
    this.table.names(leaderVote(this.table).named, this.time);
    return this;
  }

  get view(): View {
    return deriveView(this.table, this.time);
  }
}

export const summary = (view: View) => ({
  leader: view.members.find((m) => m.isLeader)?.id,
  gate: view.leaderEndpoint,
  quorum: view.hasQuorum,
});
export const open = (id: string) => ({ leader: id, gate: urlOf(id), quorum: true });
export const shut = (quorum: boolean | undefined) => ({ leader: undefined, gate: undefined, quorum });
