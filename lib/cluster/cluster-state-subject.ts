import { BehaviorSubject, type Observer, type Subscription } from 'rxjs';
import type { ClusterState } from './cluster-state.js';

/** The only way to drive a {@link ClusterState$}; held by the cluster. */
export interface ClusterStateControl {
  next(state: ClusterState): void;
  complete(): void;
}

const refuse = (): never => {
  throw new TypeError('clusterState$ can only be observed: the client alone emits on it');
};

/**
 * The cluster's state as a BehaviorSubject that only its client can drive: `next`, `error`, `complete` and `unsubscribe` throw.
 * It never errors; it completes when the client is closed. While it is subscribed, the heartbeat runs.
 *
 * @example
 * ```ts
 * import { EtcdClient } from 'rxetcd';
 * const client = new EtcdClient();
 * client.clusterState$.subscribe((state) => console.log(`${state}`));
 * ```
 */
export class ClusterState$ extends BehaviorSubject<ClusterState> {
  readonly #hold: () => Subscription;

  /**
   * @hidden the client makes it
   * @param hold keeps the heartbeat running until its subscription ends
   * @param attach receives the control
   */
  constructor(
    initial: ClusterState,
    hold: () => Subscription,
    attach: (control: ClusterStateControl) => void,
  ) {
    super(initial);
    this.#hold = hold;
    attach({
      next: (state) => {
        super.next(state);
      },
      complete: () => {
        super.complete();
      },
    });
  }

  /** As every Observable's; the heartbeat runs until the subscription ends. */
  override subscribe(
    observerOrNext?: Partial<Observer<ClusterState>> | ((value: ClusterState) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    const observer =
      typeof observerOrNext === 'function'
        ? { next: observerOrNext, ...(error ? { error } : {}), ...(complete ? { complete } : {}) }
        : (observerOrNext ?? {});
    const subscription = super.subscribe(observer);
    if (!subscription.closed) subscription.add(this.#hold());
    return subscription;
  }

  /** Throws: the client alone drives it. */
  override next(): void {
    refuse();
  }

  /** Throws: the client alone drives it. */
  override error(): void {
    refuse();
  }

  /** Throws: the client alone drives it. */
  override complete(): void {
    refuse();
  }

  /** Throws: the client alone drives it. */
  override unsubscribe(): void {
    refuse();
  }
}
