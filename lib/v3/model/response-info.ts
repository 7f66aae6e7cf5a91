import type { Answer } from '../wire/messages.js';

/** What an answer tells about the server, beside its data. */
export interface ResponseInfo {
  /** The cluster's id, in hexadecimal as `etcdctl` prints it. */
  readonly clusterId: string;
  /** The id of the member that answered. */
  readonly memberId: string;
  /** The store's revision when it was answered; 0 where etcd tells none: members. */
  readonly revision: number;
  /** The raft term; 0 before the member has found a leader for the first time. */
  readonly raftTerm: number;
  /** The URL that answered. */
  readonly endpoint: string;
}

/** What an answer's header tells; undefined if it names no member. */
export function responseInfo(
  header: Answer<'ResponseHeader'> | undefined,
  endpoint: string,
): ResponseInfo | undefined {
  const { cluster_id: clusterId, member_id: memberId, revision = 0, raft_term: raftTerm = 0 } = header ?? {};
  if (clusterId === undefined || memberId === undefined) return undefined;
  return { clusterId, memberId, revision, raftTerm, endpoint };
}
