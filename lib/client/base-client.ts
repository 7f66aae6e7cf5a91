/// <reference lib="esnext.disposable" preserve="true" />
import type { Observable, Subscription } from 'rxjs';
import type { ClusterState } from '../cluster/cluster-state.js';
import type { ClusterState$ } from '../cluster/cluster-state-subject.js';
import type { Member } from '../cluster/member.js';
import type { ClientEvent } from '../insight/events.js';
import { logEvents, type LogOptions } from '../insight/log-events.js';
import type { ClientCore } from './client-core.js';

/** What a client has whatever API it speaks: the state of its cluster, what it tells, its end. */
export abstract class BaseClient implements AsyncDisposable {
  readonly #core: ClientCore;

  /**
   * Members and leader, followed by a heartbeat while anyone subscribes here, watches, or has a call in flight. Never
   * errors; completes when the client is closed. The heartbeat's timers do not keep a process alive.
   */
  readonly clusterState$: ClusterState$;
  /** What happens inside, for logs and metrics; hot. Never a body, a value or a credential. */
  readonly events$: Observable<ClientEvent>;

  /** @internal */
  constructor(core: ClientCore) {
    this.#core = core;
    this.clusterState$ = core.cluster.state$;
    this.events$ = core.events.events$;
  }

  /** The URLs known: the configured ones, then those found in the cluster. */
  get endpoints(): readonly string[] {
    return this.#core.cluster.endpoints;
  }

  /**
   * Emits the leader now (undefined if none is known), then each change; endless. Unlike `clusterState$`, a
   * subscription keeps a Node process alive.
   *
   * Errors: UnsupportedByServerError once no server at any endpoint has the client's API.
   */
  leader$(): Observable<Member | undefined> {
    return this.#core.leader$();
  }

  /** Probes every member now and emits the state that follows. */
  refreshCluster$(): Observable<ClusterState> {
    return this.#core.refreshCluster$();
  }

  /**
   * Prints what happens, one line for each event, until its subscription or the client ends.
   *
   * @returns the subscription that ends it
   * @throws InvalidOptionError naming the option and the value
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd';
   * const client = new EtcdClient();
   * const logging = client.logEvents({ level: 'debug', write: (line) => console.log(line) });
   * client.get$('/k').subscribe({ complete: () => logging.unsubscribe() });
   * ```
   */
  logEvents(options?: LogOptions): Subscription {
    return logEvents(this.#core.events, options);
  }

  /**
   * Ends the client: open watches, `clusterState$` and `events$` complete, calls in flight and later ones fail with
   * ClientClosedError, connections are closed. Closing twice does nothing.
   */
  close(): void {
    this.#core.close();
  }

  /**
   * Closes the client: what `await using` does at the end of its block.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd';
   * import { firstValueFrom } from 'rxjs';
   * async function colour(): Promise<string | undefined> {
   *   await using client = new EtcdClient('http://10.0.0.1:2379');
   *   return await firstValueFrom(client.getValue$('/config/app/colour'));
   * }
   * ```
   */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** One readable line, without options. */
  toString(): string {
    return this.#core.toString();
  }

  /** The same line. */
  toJSON(): string {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
