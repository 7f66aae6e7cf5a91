import type { HttpHeaders } from '../../transport/http.js';
import type { ResponseInfo } from '../model/model.js';

/** Reads etcd's headers; a browser may see none of them. */
export function responseInfo(endpoint: string, status: number, headers: HttpHeaders): ResponseInfo {
  const etcdIndex = count(headers.get('x-etcd-index'));
  const raftIndex = count(headers.get('x-raft-index'));
  const raftTerm = count(headers.get('x-raft-term'));
  const clusterId = headers.get('x-etcd-cluster-id');
  const info: { -readonly [K in keyof ResponseInfo]: ResponseInfo[K] } = { endpoint, status };
  if (etcdIndex !== undefined) info.etcdIndex = etcdIndex;
  if (raftIndex !== undefined) info.raftIndex = raftIndex;
  if (raftTerm !== undefined) info.raftTerm = raftTerm;
  if (typeof clusterId === 'string' && clusterId !== '') info.clusterId = clusterId;
  return info;
}

function count(value: unknown): number | undefined {
  // A number that JavaScript cannot hold would be above all that ever comes.
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
