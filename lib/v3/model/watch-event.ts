import type { LostRevisions } from '../../errors.js';
import type { KeyValue } from './key-value.js';

/** A key was written. */
export interface PutEvent {
  readonly type: 'put';
  /** The key as it is now. */
  readonly kv: KeyValue;
  /** As it was before; with `prevKv`, unless it is new or that has been compacted away. */
  readonly prevKv?: KeyValue;
  /** The revision of the change. */
  readonly revision: number;
  /** No other event of this watch has the same revision and is still to come. */
  readonly last: boolean;
}

/** A key was deleted, or its lease ended. */
export interface DeleteEvent {
  readonly type: 'delete';
  /** The key as text; see `keyBytes` for one that is no UTF-8. */
  readonly key: string;
  readonly keyBytes: Uint8Array;
  /** The key as it was before; with `prevKv`, unless that has been compacted away. */
  readonly prevKv?: KeyValue;
  /** The revision of the change. */
  readonly revision: number;
  /** No other event of this watch has the same revision and is still to come. */
  readonly last: boolean;
}

/** A change, as etcd tells it. */
export type ChangeEvent = PutEvent | DeleteEvent;

/** The state of the range with which a watch begins; events follow from the next revision on. */
export interface SyncEvent {
  readonly type: 'sync';
  readonly kvs: readonly KeyValue[];
  readonly revision: number;
}

/** The state of the range in place of events that are lost; events follow from the next revision on. */
export interface ResyncEvent {
  readonly type: 'resync';
  readonly kvs: readonly KeyValue[];
  readonly revision: number;
  /** What is lost, and why. */
  readonly lost: LostRevisions;
  /** Why it is lost. */
  readonly reason: LostRevisions['reason'];
}

/** With `live`: the watch has caught up; what follows happens as it is told. Told again after each interruption. */
export interface LiveEvent {
  readonly type: 'live';
  /** Up to this revision everything was told. */
  readonly revision: number;
}

/** With `progress`: the member has told how far it is, and nothing was changed in the range up to there. */
export interface ProgressEvent {
  readonly type: 'progress';
  /** Up to this revision everything was told. */
  readonly revision: number;
}

/** What a watch tells: a union on `type`. */
export type WatchEvent = ChangeEvent | SyncEvent | ResyncEvent | LiveEvent | ProgressEvent;
