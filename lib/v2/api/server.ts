import { map, type Observable } from 'rxjs';
import { isRecord } from '../../check.js';
import type { Member } from '../../cluster/member.js';
import { EtcdErrorCode, type EtcdError } from '../../errors.js';
import type { CallOptions, CallSettings } from '../../options.js';
import type { ApiAnswer, ApiCalls } from './api-calls.js';
import { faultOf, foreignFault, whatElse } from '../wire/decode.js';
import { eachMember$ } from './each-member.js';
import { parseJson } from '../wire/parse-json.js';
import { isLegacy, readVersion, type ServerVersion } from '../old/server-release.js';

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
    return this.#calls.checked$(options, {}, (settings) =>
      this.#calls.run$(
        'machines',
        { path: '/v2/machines' },
        settings,
        ({ operation, status, body, exchange }) => {
          const urls = body
            .split(',')
            .map((url) => url.trim())
            .filter((url) => url !== '');
          if (status !== 200 || !urls.every(isUrl)) throw faultOf(operation, status, body, exchange);
          return urls;
        },
      ),
    );
  }

  version$(options: CallOptions = {}): Observable<ServerVersion> {
    return this.#calls.checked$(options, {}, (settings) => this.#version$(settings));
  }

  versions$(options: CallOptions = {}): Observable<MemberVersion> {
    return this.#calls.checked$(options, {}, (settings) =>
      eachMember$(this.#calls.context, settings, options.timeout, (at, limits) =>
        this.#version$(limits, at),
      ).pipe(
        map((answer) => {
          if (!('value' in answer)) return answer;
          const { member, endpoint, value } = answer;
          return { member, endpoint, ...value };
        }),
      ),
    );
  }

  health$(options: CallOptions = {}): Observable<MemberHealth> {
    return this.#calls.checked$(options, {}, (settings) =>
      eachMember$(this.#calls.context, settings, options.timeout, (at, limits) =>
        isLegacy(this.#calls.context.cluster.version(at))
          ? this.#calls.run$('health', { path: '/v2/leader', at }, limits, readLegacyHealth)
          : this.#calls.run$('health', { path: '/health', at }, limits, readHealth),
      ).pipe(
        map((answer) => {
          if (!('value' in answer)) return { ...answer, healthy: false };
          const { member, endpoint, value } = answer;
          const reason = this.#calls.context.cluster.unsupported(endpoint);
          return { member, endpoint, ...(reason === undefined ? {} : { reason }), ...value };
        }),
      ),
    );
  }

  #version$(settings: CallSettings, at?: string): Observable<ServerVersion> {
    return this.#calls.run$(
      'version',
      { path: '/version', at },
      settings,
      ({ operation, status, body, exchange }) => {
        const version = status === 200 ? readVersion(body) : undefined;
        if (version === undefined) throw faultOf(operation, status, body, exchange);
        return version;
      },
    );
  }
}

/** `{"health":"true"}`: the word is a string, and etcd 3.5 adds a reason. A 503 is an answer, too. */
function readHealth({ operation, status, body, exchange }: ApiAnswer): { healthy: boolean; reason?: string } {
  const json = parseJson(body);
  // Every etcd that has this path serves it, with the v2 API or without: what does not is no etcd.
  if (!isRecord(json) || !isWord(json['health']) || (status !== 200 && status !== 503))
    throw foreignFault(operation, status, body, exchange, whatElse(body));
  const { health, reason } = json;
  return {
    healthy: status === 200 && (health === 'true' || health === true),
    ...(typeof reason === 'string' && reason !== '' ? { reason } : {}),
  };
}

const isWord = (health: unknown): boolean => typeof health === 'string' || typeof health === 'boolean';

const isUrl = (text: string): boolean => /^https?:\/\//.test(text) && URL.canParse(text);

/** Before 2.0 there is no `/health`; a member that can name a leader is as well as one can tell. */
function readLegacyHealth({ operation, status, body, exchange }: ApiAnswer): {
  healthy: boolean;
  reason?: string;
} {
  if (status === 200 && isUrl(body.trim())) return { healthy: true };
  const { errorCode } = faultOf(operation, status, body, exchange).config;
  if (errorCode === EtcdErrorCode.LeaderElect) return { healthy: false, reason: 'no leader' };
  throw faultOf(operation, status, body, exchange);
}
