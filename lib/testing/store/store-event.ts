import type { NodeView } from './node-view.js';

export type Action =
  'get' | 'set' | 'create' | 'update' | 'delete' | 'compareAndSwap' | 'compareAndDelete' | 'expire';

/** What a call did, and what watchers are told of it. */
export interface StoreEvent {
  readonly action: Action;
  readonly node: NodeView;
  readonly prevNode?: NodeView;
  /** The store's index when the call was done: X-Etcd-Index. */
  readonly index: number;
  /** Only the TTL was renewed: no watcher hears of it. */
  readonly refresh?: boolean;
}

/** Whether it made the key: the answer's status is 201. */
export const isCreation = ({ action, prevNode }: StoreEvent): boolean =>
  action === 'create' || (action === 'set' && prevNode === undefined);
