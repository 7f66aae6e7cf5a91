/// <reference lib="esnext.disposable" preserve="true" />
import { map } from 'rxjs';
import type { Observable } from 'rxjs';
import type { EmbeddedClusterOptions } from './cluster-options.js';
import type { EmbeddedMember } from './cluster/embedded-member.js';
import { EmbeddedCluster } from './embedded-cluster.js';
import { callerOf } from './forgotten.js';

/**
 * One etcd server within this process, for development and tests only: everything is in memory and gone with the process. It
 * speaks the v2 HTTP API of etcd 3.4. In production, real etcd clusters serve.
 */
export class EmbeddedEtcd implements AsyncDisposable {
  /** What it is made of: a cluster of one. */
  readonly cluster: EmbeddedCluster;
  readonly member: EmbeddedMember;

  private constructor(cluster: EmbeddedCluster, member: EmbeddedMember) {
    this.cluster = cluster;
    this.member = member;
  }

  /**
   * Emits the server once it answers; ends it if it is unsubscribed before. Errors with `InvalidOptionError`, or with `ListenError`
   * if the port is taken.
   */
  static start$(options: EmbeddedClusterOptions = {}): Observable<EmbeddedEtcd> {
    return EmbeddedCluster.start$(1, options, callerOf(EmbeddedEtcd)).pipe(
      map((cluster) => {
        const [member] = cluster.members;
        if (member === undefined) throw new Error('a cluster of one without a member');
        return new EmbeddedEtcd(cluster, member);
      }),
    );
  }

  get url(): string {
    return this.member.url;
  }

  /** Ends it; nothing of it keeps the process alive. */
  stop$(): Observable<void> {
    return this.cluster.stop$();
  }

  /**
   * Ends it: what `await using` does at the end of its block.
   *
   * @example
   * ```ts
   * import { EtcdClient } from 'rxetcd';
   * import { EmbeddedEtcd } from 'rxetcd/testing';
   * import { firstValueFrom } from 'rxjs';
   * async function test(): Promise<void> {
   *   await using etcd = await firstValueFrom(EmbeddedEtcd.start$());
   *   await using client = new EtcdClient(etcd.url);
   *   await firstValueFrom(client.set$('/k', 'v'));
   * }
   * ```
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.cluster[Symbol.asyncDispose]();
  }

  /** One readable line. */
  toString(): string {
    return `EmbeddedEtcd ${this.url} (${this.member.state})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
