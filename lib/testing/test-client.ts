import {
  EMPTY,
  Subscription,
  concat,
  defer,
  finalize,
  ignoreElements,
  merge,
  of,
  switchMap,
  using,
  type Observable,
} from 'rxjs';
import { EtcdClient } from '../client/etcd-client.js';
import type { ClientOptions } from '../options.js';
import { EmbeddedCluster } from './embedded-cluster.js';
import { callerOf } from './forgotten.js';

/**
 * A client for tests: of the cluster in `ETCD_ENDPOINTS` (endpoints with commas between), else of an embedded cluster of three
 * members that starts with the subscription and ends with it. Emits the client and stays open: unsubscribing closes the client
 * and ends its cluster; when the client is closed, it completes.
 *
 * `firstValueFrom(testClient$())` therefore gives a client that is closed already, and a line on stderr says so: put what the test
 * does behind a `switchMap`.
 *
 * @example
 * ```ts
 * import { testClient$ } from 'rxetcd/testing';
 * import { firstValueFrom, switchMap } from 'rxjs';
 * const { node } = await firstValueFrom(testClient$().pipe(switchMap((client) => client.set$('/k', 'v'))));
 * ```
 * @param options every option of the client; `endpoints` given here win
 */
export function testClient$(options: ClientOptions = {}): Observable<EtcdClient> {
  const startedAt = callerOf({ start$: testClient$ });
  return defer(() => {
    const endpoints = options.endpoints ?? fromEnvironment();
    return endpoints === undefined
      ? withCluster$(options, startedAt)
      : open$({ ...options, endpoints }, startedAt);
  });
}

function fromEnvironment(): string[] | undefined {
  const endpoints = (process.env['ETCD_ENDPOINTS'] ?? '')
    .split(',')
    .map((endpoint) => endpoint.trim())
    .filter((endpoint) => endpoint !== '');
  return endpoints.length === 0 ? undefined : endpoints;
}

function withCluster$(options: ClientOptions, startedAt: string): Observable<EtcdClient> {
  return EmbeddedCluster.start$(3, {}, startedAt).pipe(
    switchMap((cluster) =>
      using(
        () => new Subscription(() => end(cluster)),
        // A client that was closed is followed by the end of the cluster, and then by ours.
        () =>
          concat(
            open$({ ...options, endpoints: cluster.endpoints }, startedAt),
            defer(() => cluster.stop$()).pipe(ignoreElements()),
          ),
      ),
    ),
  );
}

function end(cluster: EmbeddedCluster): void {
  cluster.stop$().subscribe({ error: () => undefined });
}

/** Emits a client, closes it at the end, and completes when somebody else does. */
function open$(options: ClientOptions, startedAt: string): Observable<EtcdClient> {
  return defer(() => {
    const client = new EtcdClient(options);
    const closed$ = client.events$.pipe(ignoreElements());
    // Who unsubscribes while it is being emitted is left with a client that nobody can use any more.
    let handingOver = true;
    const emitted$ = concat(
      of(client),
      defer(() => ((handingOver = false), EMPTY)),
    );
    return merge(closed$, emitted$).pipe(
      finalize(() => {
        client.close();
        if (handingOver) process.stderr.write(closedAtOnce(startedAt));
      }),
    );
  });
}

const closedAtOnce = (startedAt: string): string =>
  `rxetcd/testing: the client of testClient$ at ${startedAt} was closed as soon as it was emitted, as firstValueFrom(testClient$()) ` +
  'does. Put what is done with it behind a switchMap; or start a server by "await using etcd = await firstValueFrom(' +
  'EmbeddedEtcd.start$())", and make a client of etcd.url.\n';
