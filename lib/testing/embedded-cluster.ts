/// <reference lib="esnext.disposable" preserve="true" />
import { createHash } from 'node:crypto';
import {
  concatMap,
  defer,
  finalize,
  firstValueFrom,
  forkJoin,
  from,
  map,
  switchMap,
  tap,
  timer,
  toArray,
} from 'rxjs';
import type { Observable } from 'rxjs';
import { unrefScheduler } from '#platform/util/unref-scheduler.js';
import { EmbeddedAuth } from './auth/embedded-auth.js';
import { checkClusterOptions } from './cluster-options.js';
import type { EmbeddedClusterOptions } from './cluster-options.js';
import { Consensus } from './cluster/consensus.js';
import { EmbeddedMember } from './cluster/embedded-member.js';
import { MemberList } from './cluster/member-list.js';
import type { Common } from './cluster/member-view.js';
import { AllowedHosts } from './http/allowed-hosts.js';
import { callerOf, expectEnd } from './forgotten.js';
import type { MemberInfo } from './http/membership.js';
import { systemClock } from './store/clock.js';

/** The index of a new cluster's raft log, less that of its store and the leader's first entry. */
const raftAhead = 1;
/** How long a member that was removed goes on, in ms: it still answers that it was. */
const lastWords = 10;

/**
 * An etcd cluster within this process, for development and tests only: everything is in memory and gone with the process, and no
 * consensus protocol runs. Its members speak the v2 HTTP API of etcd 3.4. In production, real etcd clusters serve.
 */
export class EmbeddedCluster implements AsyncDisposable {
  readonly members: readonly EmbeddedMember[];
  readonly #consensus: Consensus;
  #common: Common | undefined;
  /** What is to be told when it ends. */
  #ended: () => void = () => undefined;

  private constructor(
    size: number,
    {
      host = '127.0.0.1',
      allowedHosts = [],
      clock = systemClock(),
      alone: _,
      ...timing
    }: EmbeddedClusterOptions,
  ) {
    const { electionTimeout = 1_000 } = timing;
    const { requestTimeout = 5_000 + 2 * electionTimeout } = timing;
    this.#consensus = new Consensus(clock, { electionTimeout, requestTimeout }, 2 * size + 1 + raftAhead);
    const common = () => this.#demandCommon();
    const allowed = new AllowedHosts(host, allowedHosts);
    this.members = Array.from(
      { length: size },
      (_, i) => new EmbeddedMember(`etcd${i + 1}`, { host, allowed, clock, common }),
    );
  }

  /**
   * Emits the cluster once all members answer; ends it if it is unsubscribed before. Errors with `InvalidOptionError`, or with
   * `ListenError` if a port is taken.
   */
  static start$(size?: number, options?: EmbeddedClusterOptions): Observable<EmbeddedCluster>;
  /** @internal @param startedAt where in the user's code, if not by a call of this */
  static start$(
    size?: number,
    options?: EmbeddedClusterOptions,
    // eslint-disable-next-line @typescript-eslint/unified-signatures -- the types of the package leave it out
    startedAt?: string,
  ): Observable<EmbeddedCluster>;
  static start$(
    size = 3,
    options: EmbeddedClusterOptions = {},
    startedAt = callerOf(EmbeddedCluster),
  ): Observable<EmbeddedCluster> {
    return defer(() => {
      checkClusterOptions(size, options);
      const cluster = new EmbeddedCluster(size, options);
      let running = false;
      return cluster.#listen$(options.port ?? 0).pipe(
        tap(() => {
          running = true;
          if (options.alone !== true) cluster.#expectEnd(startedAt);
        }),
        map(() => cluster),
        finalize(() => {
          if (!running) cluster.#end();
        }),
      );
    });
  }

  /** The members' URLs. */
  get endpoints(): string[] {
    return this.members.map(({ url }) => url);
  }

  /** The member that leads; undefined if none does. */
  get leader(): EmbeddedMember | undefined {
    return this.members.find(({ state, replica }) => state === 'running' && replica.leader === replica);
  }

  /** Elects a leader at once: this member, or any. Throws without a majority. */
  elect(member?: EmbeddedMember): void {
    this.#consensus.elect(member?.replica);
  }

  /** Forgets past events on all members, so that watches that ask for them are told that they are gone (errorCode 401). */
  clearHistory(): void {
    for (const member of this.members) member.clearHistory();
  }

  /** Ends all members; nothing of them keeps the process alive. */
  stop$(): Observable<void> {
    return defer(() => {
      this.#ended();
      this.#consensus.stop();
      return forkJoin(this.members.map((member) => member.stop$()));
    }).pipe(map(() => undefined));
  }

  /** Ends all members: what `await using` does at the end of its block. */
  [Symbol.asyncDispose](): Promise<void> {
    return firstValueFrom(this.stop$());
  }

  /** One readable line. */
  toString(): string {
    return `EmbeddedCluster: ${this.members.join(', ')}`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  #expectEnd(startedAt: string): void {
    const { members, endpoints: urls } = this;
    this.#ended = expectEnd({
      urls,
      startedAt,
      get handles() {
        const sockets = members.reduce((sum, { connections }) => sum + connections, 0);
        return { servers: members.filter(({ listens }) => listens).length, sockets };
      },
    });
  }

  #listen$(port: number): Observable<void> {
    return from(this.members).pipe(
      concatMap((member, i) => member.listen$(port === 0 ? 0 : port + i)),
      toArray(),
      map(() => this.#found()),
    );
  }

  /** All ports are known: the members get their ids, a store with what etcd writes at first, and a leader. */
  #found(): void {
    const infos = this.members.map(({ name, url }, i): MemberInfo => {
      const peerURL = `http://127.0.0.1:${2380 + i}`;
      return { id: idOf(name, url), name, peerURLs: [peerURL], clientURLs: [url] };
    });
    const clusterId = idOf(...infos.map(({ id }) => id));
    const list: MemberList = new MemberList(infos, {
      isHealthy: () => list.absent === 0 && this.members.every(({ state }) => state !== 'dead'),
      changed: (removed) => this.#listChanged(list, removed),
    });
    this.#common = { clusterId, auth: new EmbeddedAuth(), consensus: this.#consensus, list };
    for (const { replica } of this.members) {
      for (const { id } of infos) replica.store.create(`/0/members/${id}/raftAttributes`, { value: '{}' });
      for (const { id } of infos) replica.store.set(`/0/members/${id}/attributes`, { value: '{}' });
      replica.store.set('/0/version', { value: '3.4.0' });
      this.#consensus.join(replica);
    }
    this.#consensus.elect();
    for (const member of this.members) member.start();
  }

  #listChanged(list: MemberList, removed: MemberInfo | undefined): void {
    this.#consensus.expect(list.absent);
    const member = removed && this.members.find(({ name }) => name === removed.name);
    if (member === undefined) return;
    this.#consensus.leave(member.replica);
    timer(lastWords, unrefScheduler)
      .pipe(switchMap(() => member.kill$()))
      .subscribe({ error: () => undefined });
  }

  #demandCommon(): Common {
    if (this.#common === undefined) throw new Error('the cluster has not started yet');
    return this.#common;
  }

  #end(): void {
    this.stop$().subscribe({ error: () => undefined });
  }
}

/** 16 hexadecimal digits, no zero in front. */
const idOf = (...parts: string[]): string => {
  const digest = createHash('sha1').update(parts.join(' ')).digest('hex');
  return BigInt(`0x${digest.slice(0, 16)}`).toString(16);
};
