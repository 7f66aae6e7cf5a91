import { defer, map, type Observable } from 'rxjs';
import { eachMember$, type MemberAnswer } from '../../cluster/each-member.js';
import { healthOf, type MemberHealth } from '../../cluster/member-health.js';
import { send$ } from '../../cluster/send.js';
import { foreignFault, whatElse, type ServerAnswer } from '../../cluster/server-answer.js';
import { readVersion, type MemberVersion, type ServerVersion } from '../../cluster/server-version.js';
import { checkedCall, type CallOptions, type CallSettings } from '../../options.js';
import type { HttpRequest, HttpResponse } from '../../transport/http.js';
import { defined } from '../../util/defined.js';
import type { V3Context } from '../context.js';

/** What the servers tell about themselves, beside the API: to everybody, by GET. */
export class ServerApi {
  readonly #context: V3Context;

  constructor(context: V3Context) {
    this.#context = context;
  }

  version$(options: CallOptions = {}): Observable<ServerVersion> {
    return defer(() => this.#get$('version', '/version', undefined, this.#checked(options), releasesOf));
  }

  versions$(options: CallOptions = {}): Observable<MemberVersion> {
    return this.#each$(options, (at, limits) => this.#get$('version', '/version', at, limits, releasesOf));
  }

  health$(options: CallOptions = {}): Observable<MemberHealth> {
    const { cluster } = this.#context;
    return this.#each$(options, (at, limits) =>
      this.#get$('health', '/health', at, limits, (answer) => ({
        ...defined({ reason: cluster.unsupported(at) }),
        ...healthOf(answer),
      })),
    ).pipe(map((answer) => ('error' in answer ? { ...answer, healthy: false } : answer)));
  }

  #checked(options: CallOptions): CallSettings {
    return checkedCall(this.#context.settings, options, {});
  }

  #each$<T extends object>(
    options: CallOptions,
    ask: (at: string, limits: CallSettings) => Observable<T>,
  ): Observable<MemberAnswer<T>> {
    return defer(() => eachMember$(this.#context, this.#checked(options), options.timeout, ask));
  }

  #get$<T>(
    operation: string,
    path: string,
    at: string | undefined,
    settings: CallSettings,
    read: (answer: ServerAnswer) => T,
  ): Observable<T> {
    const { cluster, transport } = this.#context;
    return send$<HttpRequest, HttpResponse, T>(this.#context, {
      operation,
      retryClass: 'read',
      settings,
      at,
      request: (endpoint, timeout) => ({
        method: 'GET',
        path,
        endpoint,
        timeout,
        operation,
        pool: 'command',
      }),
      read: ({ status, body }, { endpoint }) => {
        cluster.heard(endpoint);
        return read({ operation, status, body, endpoint, secrets: transport.secrets });
      },
    });
  }
}

function releasesOf(answer: ServerAnswer): ServerVersion {
  const version = answer.status === 200 ? readVersion(answer.body) : undefined;
  if (version === undefined) throw foreignFault(answer, whatElse(answer.body));
  return version;
}
