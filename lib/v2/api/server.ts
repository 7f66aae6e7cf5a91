import { map, type Observable } from 'rxjs';
import { isRecord } from '../../check.js';
import { defined } from '../../util/defined.js';
import type { Member } from '../../cluster/member.js';
import { EtcdErrorCode, type EtcdError } from '../../errors.js';
import type { CallOptions, CallSettings } from '../../options.js';
import type { ApiCalls } from './api-calls.js';
import { foreignFault, whatElse } from '../../cluster/server-answer.js';
import { faultOf, type Answer } from '../wire/decode.js';
import { eachMember$, type MemberAnswer } from './each-member.js';
import { parseJson, wordIn } from '../../transport/parse-json.js';
import { readVersion, type ServerVersion } from '../../cluster/server-version.js';
import { isLegacy } from '../old/server-release.js';

/** One member's releases, or why it did not tell them. */
export interface MemberVersion extends Partial<ServerVersion> {
  readonly member: Member;
  /** The URL that was asked; absent when none of the member's can be used. */
  readonly endpoint?: string;
  readonly error?: EtcdError;
}

/** One member's health. */
export interface MemberHealth {
  readonly member: Member;
  /** The URL that was asked; absent when none of the member's can be used. */
  readonly endpoint?: string;
  /** The member answers and has a leader through which it can read. */
  readonly healthy: boolean;
  /** Why not, where the member says so; of a healthy one, why this client cannot use it: it has no v2 API. */
  readonly reason?: string;
  /** Why there is no answer. */
  readonly error?: EtcdError;
}

/** What the servers tell about themselves (etcd: Documentation/v2/admin_guide.md, other_apis.md). */
export class ServerApi {
  readonly #calls: ApiCalls;

  constructor(calls: ApiCalls) {
    this.#calls = calls;
  }

  machines$(options: CallOptions = {}): Observable<string[]> {
    return this.#calls.call$(
      'machines',
      options,
      () => ({ path: '/v2/machines' }),
      (answer) => {
        const urls = answer.body
          .split(',')
          .map((url) => url.trim())
          .filter((url) => url !== '');
        if (answer.status !== 200 || !urls.every(isUrl)) throw faultOf(answer);
        return urls;
      },
    );
  }

  version$(options: CallOptions = {}): Observable<ServerVersion> {
    return this.#calls.call$('version', options, () => ({ path: '/version' }), releasesOf);
  }

  versions$(options: CallOptions = {}): Observable<MemberVersion> {
    return this.#each$(options, (at, limits) =>
      this.#calls.run$('version', { path: '/version', at }, limits, releasesOf),
    );
  }

  health$(options: CallOptions = {}): Observable<MemberHealth> {
    const { cluster } = this.#calls.context;
    return this.#each$(options, (at, limits) => {
      const isOld = isLegacy(cluster.version(at));
      const path = isOld ? '/v2/leader' : '/health';
      return this.#calls.run$('health', { path, at }, limits, (answer) => ({
        ...defined({ reason: cluster.unsupported(at) }),
        ...(isOld ? legacyHealthOf(answer) : healthOf(answer)),
      }));
    }).pipe(map((answer) => ('error' in answer ? { ...answer, healthy: false } : answer)));
  }

  #each$<T extends object>(
    options: CallOptions,
    ask: (at: string, limits: CallSettings) => Observable<T>,
  ): Observable<MemberAnswer<T>> {
    return this.#calls.checked$(options, {}, (settings) =>
      eachMember$(this.#calls.context, settings, options.timeout, ask),
    );
  }
}

function releasesOf(answer: Answer): ServerVersion {
  const version = answer.status === 200 ? readVersion(answer.body) : undefined;
  if (version === undefined) throw faultOf(answer);
  return version;
}

type Health = Pick<MemberHealth, 'healthy' | 'reason'>;

/** `{"health":"true"}`: the word is a string, and etcd 3.5 adds a reason. A 503 is an answer, too. */
function healthOf(answer: Answer): Health {
  const { status, body } = answer;
  const json = parseJson(body);
  // Every etcd that has this path serves it, with the v2 API or without: what does not is no etcd.
  if (!isRecord(json) || !isWord(json['health']) || (status !== 200 && status !== 503))
    throw foreignFault(answer, whatElse(body));
  const { health } = json;
  return defined({
    healthy: status === 200 && (health === 'true' || health === true),
    reason: wordIn(json, 'reason'),
  });
}

const isWord = (health: unknown): boolean => typeof health === 'string' || typeof health === 'boolean';

const isUrl = (text: string): boolean => /^https?:\/\//.test(text) && URL.canParse(text);

/** Before 2.0 there is no `/health`; a member that can name a leader is as well as one can tell. */
function legacyHealthOf(answer: Answer): Health {
  if (answer.status === 200 && isUrl(answer.body.trim())) return { healthy: true };
  const fault = faultOf(answer);
  if (fault.config.errorCode === EtcdErrorCode.LeaderElect) return { healthy: false, reason: 'no leader' };
  throw fault;
}
