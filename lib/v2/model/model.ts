import type { LostEvents } from '../../errors.js';

/** A node of the key space, as etcd writes it (etcd: Documentation/v2/api.md). */
export interface EtcdNode {
  /** The full key, from the leading slash; the root is `/`. */
  readonly key: string;
  /** The value; absent in directories and in the node of a deletion. */
  readonly value?: string;
  /** True for a directory. */
  readonly dir?: boolean;
  /** The children of a directory, when listed and not empty. */
  readonly nodes?: readonly EtcdNode[];
  /** Seconds left to live, when it has a TTL. */
  readonly ttl?: number;
  /** When it expires: etcd's own string, RFC 3339 with nanoseconds. */
  readonly expiration?: string;
  /** The index at which it was created; absent when the key does not exist. */
  readonly createdIndex?: number;
  /** The index of its last change; absent when the key does not exist. */
  readonly modifiedIndex?: number;
}

/** What an answer tells about the server, beside its data. */
export interface ResponseInfo {
  /** The store's index (X-Etcd-Index), where the header can be read. */
  readonly etcdIndex?: number;
  readonly raftIndex?: number;
  readonly raftTerm?: number;
  readonly clusterId?: string;
  /** The URL that answered. */
  readonly endpoint: string;
  /** The HTTP status. */
  readonly status: number;
}

/** The actions of etcd. */
export type EtcdAction =
  'get' | 'set' | 'create' | 'update' | 'delete' | 'expire' | 'compareAndSwap' | 'compareAndDelete';

/** The answer to a call on a key. */
export interface KeyResponse {
  readonly action: EtcdAction;
  readonly node: EtcdNode;
  /** The node before the change, if there was one. */
  readonly prevNode?: EtcdNode;
  readonly info: ResponseInfo;
}

/** A change of a key, as a watch emits it. */
export interface ChangeEvent {
  readonly action: Exclude<EtcdAction, 'get'>;
  readonly node: EtcdNode;
  readonly prevNode?: EtcdNode;
  /** The index of the change: watch from `index + 1` to go on after it. */
  readonly index: number;
  readonly info: ResponseInfo;
}

/** The state at the start of a watch with `initial: true`; `node` is `{ key }` alone if the key does not exist. */
export interface SyncEvent {
  readonly action: 'sync';
  readonly node: EtcdNode;
  readonly index: number;
  readonly info: ResponseInfo;
}

/** The state read afresh after events were lost; `node` is `{ key }` alone if the key does not exist. */
export interface ResyncEvent {
  readonly action: 'resync';
  readonly node: EtcdNode;
  readonly index: number;
  /** What is lost, and why: a range of indexes, both inclusive, unless the store itself is another one. */
  readonly lost: LostEvents;
  readonly info: ResponseInfo;
}

/** What a watch emits. */
export type WatchEvent = ChangeEvent | SyncEvent | ResyncEvent;
