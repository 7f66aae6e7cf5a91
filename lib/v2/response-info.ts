import type { HttpHeaders } from '../transport/http.js';
import type { ResponseInfo } from './model.js';

/** Reads etcd's headers; a browser may see none of them. */
export function responseInfo(endpoint: string, status: number, headers: HttpHeaders): ResponseInfo {
  const count = (name: string): number | undefined => {
    const value = headers.get(name);
    return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : undefined;
  };
  const etcdIndex = count('x-etcd-index');
  const raftIndex = count('x-raft-index');
  const raftTerm = count('x-raft-term');
  const clusterId = headers.get('x-etcd-cluster-id');
  return {
    ...(etcdIndex === undefined ? {} : { etcdIndex }),
    ...(raftIndex === undefined ? {} : { raftIndex }),
    ...(raftTerm === undefined ? {} : { raftTerm }),
    ...(typeof clusterId === 'string' && clusterId !== '' ? { clusterId } : {}),
    endpoint,
    status,
  };
}
