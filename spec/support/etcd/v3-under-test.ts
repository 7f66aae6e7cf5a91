import { defer, firstValueFrom, map, retry, switchMap, throwError, timer, type Observable } from 'rxjs';
import { resolveOptions, type ClientOptions } from '../../../lib/options.js';
import { ClientCore } from '../../../lib/client/client-core.js';
import { tokensOf } from '../../../lib/v3/api/authenticate.js';
import { v3Call$ } from '../../../lib/v3/api/v3-call.js';
import type { V3Context } from '../../../lib/v3/context.js';
import type { ResponseInfo } from '../../../lib/v3/model/response-info.js';
import { EtcdProcess, isPortTaken } from './etcd-process.js';
import { findEtcd } from './find-etcd.js';
import { freePorts } from '../ports/free-port.js';
import { v3Probe } from '../../../lib/v3/probe.js';
import { SeenRevision } from '../../../lib/v3/seen-revision.js';
import type { AnswerOf, RequestOf, ServiceName, UnaryName } from '../../../lib/v3/wire/methods.js';

/** Starts one etcd with the flags that it comes with: without the v2 API. Lives until `terminate$`. */
export function startEtcd(flags: readonly string[] = []): Observable<EtcdProcess> {
  const once$ = defer(() => findEtcd()).pipe(
    switchMap((binary) =>
      freePorts(2).pipe(
        switchMap(([clientPort = 0, peerPort = 0]) => {
          const member = new EtcdProcess({
            binary,
            clientPort,
            peerPort,
            flags: ['--enable-v2=false', ...flags],
          });
          return member.start$().pipe(
            switchMap(() => member.ready$()),
            map(() => member),
          );
        }),
      ),
    ),
  );
  return once$.pipe(
    retry({ count: 5, delay: (error: unknown) => (isPortTaken(error) ? timer(0) : throwError(() => error)) }),
  );
}

/** What a client of the v3 API is made of, until there is one. */
export interface V3UnderTest extends V3Context {
  /** The token that is sent, where the client has no name and password. */
  secret: string | undefined;
  /** One call, and what its answer tells. */
  ask<S extends ServiceName, M extends UnaryName<S>>(
    service: S,
    method: M,
    message: RequestOf<S, M>,
    at?: string,
  ): Promise<{ answer: AnswerOf<S, M>; info: ResponseInfo | undefined }>;
  readonly core: ClientCore;
}

export function v3Client(options: ClientOptions): V3UnderTest {
  const core = new ClientCore(resolveOptions(options), {
    probeOf: v3Probe,
    isConfidential: () => true,
    unsupported: (endpoint, version) => ({ type: 'no-v2-api', endpoint, version }),
  });
  const { settings, transport, cluster, events } = core;
  const context: V3UnderTest = {
    core,
    settings,
    transport,
    cluster,
    events,
    seen: new SeenRevision(),
    secret: undefined,
    token: () => (context.tokens === undefined ? context.secret : context.tokens.current),
    tokens: tokensOf(settings, () => context),
    ask: async (service, method, message, at) =>
      firstValueFrom(
        v3Call$(context, {
          operation: `${service}.${method}`,
          settings,
          at,
          service,
          method,
          message,
          read: (answer, info) => ({ answer, info }),
        }),
      ),
  };
  return context;
}
