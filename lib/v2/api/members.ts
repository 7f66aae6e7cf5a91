import { tap, type Observable } from 'rxjs';
import { demand, type Check } from '../../check.js';
import type { MemberInfo } from '../../cluster/member.js';
import type { CallOptions } from '../../options.js';
import { demandSuccess, type ApiCalls, type ApiRequest } from './api-calls.js';
import { decodeObject, type Answer } from '../wire/decode.js';
import { memberOf, memberShape, membersOf, membersShape } from '../wire/member-json.js';

const memberId: Check = (v) =>
  typeof v === 'string' && /^[0-9a-f]{1,16}$/i.test(v)
    ? undefined
    : 'a member id: hexadecimal, as etcd prints it';

const urls: Check = (v) => {
  const list: unknown[] = Array.isArray(v) ? Array.from(v) : [];
  return list.length > 0 && list.every((url) => typeof url === 'string' && /^https?:\/\/[^/]+:\d+$/.test(url))
    ? undefined
    : 'one peer URL or more, as http://10.0.0.4:2380';
};

/**
 * The members of the cluster and their administration (etcd: Documentation/v2/members_api.md). `clusterState$` follows
 * each change that is made here.
 *
 * Errors besides those of every call: EtcdApiError with `status` 404 (`isNotFound`: no such member), 409 (`isConflict`:
 * the peer URL is taken), 410 (`isGone`: removed before). A cluster too unhealthy for the change answers 500, after
 * which the outcome counts as unknown.
 *
 * @example
 * ```ts
 * import { EtcdClient } from 'rxetcd';
 * const client = new EtcdClient();
 * client.members.list$().subscribe((members) => console.log(members.map((m) => `${m.id} ${m.name}`)));
 * ```
 */
export class MembersApi {
  readonly #calls: ApiCalls;

  constructor(calls: ApiCalls) {
    this.#calls = calls;
  }

  /** Lists the members, as the leader knows them, or any member while there is none. */
  list$(options: CallOptions = {}): Observable<MemberInfo[]> {
    return this.#calls.call$(
      'members.list',
      options,
      () => ({ path }),
      (answer) => membersOf(decodeObject(answer, membersShape)),
    );
  }

  /** The leader, by its own word; waits through an election. `leader$()` of the client follows it. */
  leader$(options: CallOptions = {}): Observable<MemberInfo> {
    return this.#calls.call$('members.leader', options, () => ({ path: `${path}/leader` }), readMember);
  }

  /**
   * Adds a member by its peer URLs; it has no name until it has started. Start it with the cluster's new member list
   * and `--initial-cluster-state existing`.
   */
  add$(peerURLs: readonly string[], options: CallOptions = {}): Observable<MemberInfo> {
    const request = (): ApiRequest => {
      demand('peerURLs', peerURLs, urls);
      return { method: 'POST', path, json: { peerURLs }, of: peerURLs.join(' ') };
    };
    return this.#change$('members.add', options, request, readMember);
  }

  /** Gives a member other peer URLs. */
  update$(id: string, peerURLs: readonly string[], options: CallOptions = {}): Observable<void> {
    const request = (): ApiRequest => {
      demand('id', id, memberId);
      demand('peerURLs', peerURLs, urls);
      return { method: 'PUT', path: `${path}/${id}`, json: { peerURLs }, of: id };
    };
    return this.#change$('members.update', options, request, demandSuccess);
  }

  /** Removes a member; its process ends, and its id can never join again. */
  remove$(id: string, options: CallOptions = {}): Observable<void> {
    const request = (): ApiRequest => {
      demand('id', id, memberId);
      return { method: 'DELETE', path: `${path}/${id}`, of: id };
    };
    return this.#change$('members.remove', options, request, demandSuccess);
  }

  #change$<T>(...call: Parameters<typeof ApiCalls.prototype.call$<T>>): Observable<T> {
    return this.#calls.call$(...call).pipe(
      tap(() => {
        this.#calls.context.cluster.doubt();
      }),
    );
  }
}

const path = '/v2/members';

const readMember = (answer: Answer): MemberInfo => memberOf(decodeObject(answer, memberShape));
