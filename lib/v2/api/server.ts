import { map, type Observable } from 'rxjs';
import { defined } from '../../util/defined.js';
import { EtcdErrorCode } from '../../errors.js';
import type { CallOptions, CallSettings } from '../../options.js';
import type { ApiCalls } from './api-calls.js';
import { faultOf, type Answer } from '../wire/decode.js';
import { eachMember$, type MemberAnswer } from '../../cluster/each-member.js';
import { healthOf, type Health, type MemberHealth } from '../../cluster/member-health.js';
import { readVersion, type MemberVersion, type ServerVersion } from '../../cluster/server-version.js';
import { isLegacy } from '../old/server-release.js';

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

const isUrl = (text: string): boolean => /^https?:\/\//.test(text) && URL.canParse(text);

/** Before 2.0 there is no `/health`; a member that can name a leader is as well as one can tell. */
function legacyHealthOf(answer: Answer): Health {
  if (answer.status === 200 && isUrl(answer.body.trim())) return { healthy: true };
  const fault = faultOf(answer);
  if (fault.config.errorCode === EtcdErrorCode.LeaderElect) return { healthy: false, reason: 'no leader' };
  throw fault;
}
