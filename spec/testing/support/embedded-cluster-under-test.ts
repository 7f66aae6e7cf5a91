import { EmbeddedCluster } from 'rxetcd/testing';
import type { EmbeddedMember } from 'rxetcd/testing';
import { firstValueFrom } from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import { exchange, openExchange } from './raw-exchange.js';
import type { OpenAnswer, RawAnswer } from './raw-exchange.js';

export const put = ({ url }: EmbeddedMember, key: string): Promise<RawAnswer> =>
  exchange(url, { method: 'PUT', target: `/v2/keys/${key}?value=v` });
export const get = ({ url }: EmbeddedMember, target: string): Promise<RawAnswer> =>
  exchange(url, { method: 'GET', target });
export const statusOf = async (member: EmbeddedMember, target: string): Promise<number> =>
  (await get(member, target)).status;
/** Of the last change that the member knows. */
export const termOf = async (member: EmbeddedMember): Promise<number> => {
  const { headers } = await get(member, '/v2/keys/');
  return Number(headers[headers.indexOf('X-Raft-Term') + 1]);
};
/** Whom a member holds for the leader, or what it says instead. */
export const namedBy = async (member: EmbeddedMember): Promise<string> => {
  const { body } = await get(member, '/v2/members/leader');
  const { name, message } = JSON.parse(body) as { name?: string; message?: string };
  return name ?? message!;
};
/** Waits until all of these name it. */
export const allName = (members: readonly EmbeddedMember[], name: string): Promise<void> =>
  eventually(async () => {
    for (const member of members) expect(await namedBy(member)).toBe(name);
  });

/** Quick, but not so quick that a busy machine sees what has passed already; ms. */
const timing = { electionTimeout: 250, requestTimeout: 1_000 };

/** An embedded cluster of three for each test. */
export interface EmbeddedClusterUnderTest {
  readonly cluster: EmbeddedCluster;
  readonly leader: EmbeddedMember;
  readonly followers: EmbeddedMember[];
  /** Waits for a leader that is not this one. */
  newLeader(old: EmbeddedMember): Promise<EmbeddedMember>;
  /** A watch that ends with the test. */
  watch(member: EmbeddedMember, target: string): Promise<OpenAnswer>;
}

export function embeddedClusterUnderTest(): EmbeddedClusterUnderTest {
  let cluster: EmbeddedCluster;
  const open: OpenAnswer[] = [];
  beforeEach(async () => {
    cluster = await firstValueFrom(EmbeddedCluster.start$(3, timing));
  });
  afterEach(async () => {
    for (const answer of open.splice(0)) answer.close();
    await firstValueFrom(cluster.stop$());
  });
  return {
    get cluster() {
      return cluster;
    },
    get leader() {
      return cluster.leader!;
    },
    get followers() {
      return cluster.members.filter((member) => member !== cluster.leader);
    },
    newLeader: (old) =>
      eventually(() => {
        expect(cluster.leader).toBeDefined();
        expect(cluster.leader).not.toBe(old);
        return cluster.leader!;
      }),
    watch: async ({ url }, target) => {
      const answer = await openExchange(url, { method: 'GET', target });
      open.push(answer);
      return answer;
    },
  };
}
