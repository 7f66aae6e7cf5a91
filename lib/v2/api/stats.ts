import { map, type Observable } from 'rxjs';
import { check } from '../../check.js';
import { EtcdError } from '../../errors.js';
import type { CallOptions, CallSettings } from '../../options.js';
import type { ApiCalls } from './api-calls.js';
import { fault } from '../../cluster/server-answer.js';
import { decodeObject, type Answer } from '../wire/decode.js';
import { eachMember$ } from '../../cluster/each-member.js';
import { number, optional, record, recordOf, text } from '../wire/shape.js';
import type { LeaderStats, MemberStats, SelfStats, StoreStats } from '../model/stats-model.js';

/** Options of the statistics of one member. */
export interface StatsOptions extends CallOptions {
  /** Asks every member: one value for each, a dead one included. Default false: one member, whichever. */
  each?: boolean | undefined;
}

/**
 * Statistics (etcd: Documentation/v2/api.md, "Statistics"), in etcd's own words.
 *
 * @example
 * ```ts
 * import { EtcdClient } from 'rxetcd';
 * const client = new EtcdClient();
 * client.stats.store$({ each: true }).subscribe(({ member, stats, error }) => {
 *   console.log(member.name, stats?.watchers ?? error?.code);
 * });
 * ```
 */
export class StatsApi {
  readonly #calls: ApiCalls;

  constructor(calls: ApiCalls) {
    this.#calls = calls;
  }

  /** The leader's view of its followers; waits through an election. With `each` all but the leader answer an error. */
  leader$(options: StatsOptions & { each: true }): Observable<MemberStats<LeaderStats>>;
  leader$(options?: StatsOptions & { each?: false | undefined }): Observable<LeaderStats>;
  leader$(options: StatsOptions = {}): Observable<LeaderStats | MemberStats<LeaderStats>> {
    return this.#run$('leader', options, (answer) => {
      const { leader, followers } = decodeObject(answer, leaderShape) as unknown as Partial<LeaderStats>;
      return { leader: leader ?? '', followers: followers ?? {} };
    });
  }

  /** What a member tells of itself. */
  self$(options: StatsOptions & { each: true }): Observable<MemberStats<SelfStats>>;
  self$(options?: StatsOptions & { each?: false | undefined }): Observable<SelfStats>;
  self$(options: StatsOptions = {}): Observable<SelfStats | MemberStats<SelfStats>> {
    return this.#run$('self', options, (answer) => decodeObject(answer, selfShape) as unknown as SelfStats);
  }

  /** Counts of a member's store, since that member started. */
  store$(options: StatsOptions & { each: true }): Observable<MemberStats<StoreStats>>;
  store$(options?: StatsOptions & { each?: false | undefined }): Observable<StoreStats>;
  store$(options: StatsOptions = {}): Observable<StoreStats | MemberStats<StoreStats>> {
    return this.#run$(
      'store',
      options,
      (answer) => decodeObject(answer, storeShape) as unknown as StoreStats,
    );
  }

  #run$<T>(
    name: 'leader' | 'self' | 'store',
    options: StatsOptions,
    read: (answer: Answer) => T,
  ): Observable<T | MemberStats<T>> {
    const ask$ = (settings: CallSettings, at?: string): Observable<T> =>
      this.#calls.run$(`stats.${name}`, { path: `/v2/stats/${name}`, at }, settings, (answer) => {
        demandLeader(answer, at !== undefined);
        return read(answer);
      });
    return this.#calls.checked$(
      options,
      { each: check.boolean },
      (settings): Observable<T | MemberStats<T>> =>
        options.each === true
          ? eachMember$(this.#calls.context, settings, options.timeout, (at, limits) =>
              ask$(limits, at).pipe(map((stats) => ({ stats }))),
            )
          : ask$(settings),
    );
  }
}

const count = optional(number);
const leaderShape = record({
  leader: optional(text),
  followers: optional(
    recordOf(record({ latency: recordOf(number), counts: record({ fail: number, success: number }) })),
  ),
});
/** Releases leave out what they do not count. */
const selfShape = record({
  name: optional(text),
  id: optional(text),
  state: optional(text),
  startTime: optional(text),
  leaderInfo: record({ leader: optional(text), uptime: optional(text), startTime: optional(text) }),
  recvAppendRequestCnt: count,
  recvPkgRate: count,
  recvBandwidthRate: count,
  sendAppendRequestCnt: count,
  sendPkgRate: count,
  sendBandwidthRate: count,
});
const storeShape = record({ getsSuccess: number, setsSuccess: number, watchers: count, expireCount: count });

/** A follower's refusal: the leader has just changed, unless this very member was to be asked. */
function demandLeader(answer: Answer, final: boolean): void {
  if (answer.status !== 403 || final) return;
  throw fault(answer, {
    summary: '403 not current leader',
    executed: 'no',
    leaderless: true,
    toError: (details) =>
      new EtcdError('UNEXPECTED_RESPONSE', `${answer.operation}: no member says that it leads`, details),
  });
}
