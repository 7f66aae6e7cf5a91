/**
 * The main job: follow a cluster and watch a directory while the leader dies.
 *
 * By itself it starts three etcd members, writes to `/svc` all the while, kills the leader, and counts: every
 * acknowledged write must have been seen by the watch. With ETCD_ENDPOINTS=host:port,... it follows that cluster until
 * Ctrl-C, and writes and kills nothing.
 */
import { EtcdClient, isOutcomeUnknown, type WatchEvent } from 'rxetcd';
import {
  catchError,
  concat,
  concatMap,
  defer,
  delay,
  endWith,
  filter,
  finalize,
  fromEvent,
  ignoreElements,
  interval,
  map,
  merge,
  of,
  share,
  switchMap,
  take,
  takeUntil,
  tap,
  throwError,
  type Observable,
} from 'rxjs';
import { startLocalCluster, type LocalCluster } from '../spec/support/local-cluster.js';

const startedAt = performance.now();
const say = (line: string): void => {
  console.log(`${((performance.now() - startedAt) / 1_000).toFixed(2).padStart(6)} s  ${line}`);
};

const printState = (client: EtcdClient): Observable<never> =>
  client.clusterState$.pipe(
    tap((state) => {
      const quorum = state.hasQuorum === undefined ? 'unknown' : state.hasQuorum ? 'yes' : 'no';
      say(`cluster: leader ${state.leader?.name ?? 'none'}, quorum ${quorum}`);
      for (const member of state.members) say(`         ${String(member)}`);
    }),
    ignoreElements(),
  );

const printEvent = ({ action, node, index, info }: WatchEvent): void => {
  say(`event ${String(index)}: ${action} ${node.key} ${node.value ?? ''} (from ${info.endpoint})`);
};

/** Follows a cluster until Ctrl-C. */
function follow$(endpoints: string[]): Observable<unknown> {
  const client = new EtcdClient(endpoints);
  return merge(printState(client), client.watch$('/svc', { initial: true }).pipe(tap(printEvent))).pipe(
    takeUntil(fromEvent(process, 'SIGINT')),
    finalize(() => {
      client.close();
    }),
  );
}

/** What was written: acknowledged at an index, or sent without an answer. */
type Written = { index: number } | 'unknown';

/** One write after the other until told to stop. A write of unknown outcome is counted, not repeated. */
function write$(client: EtcdClient, stop$: Observable<unknown>): Observable<Written> {
  return interval(50).pipe(
    // What is being written when the stop comes is still waited for.
    // eslint-disable-next-line rxjs-x/no-unsafe-takeuntil
    takeUntil(stop$),
    concatMap((n) =>
      client.set$(`/svc/instance-${String(n % 5)}`, `revision ${String(n)}`).pipe(
        map(({ node }): Written => ({ index: node.modifiedIndex ?? 0 })),
        catchError((error: unknown) =>
          isOutcomeUnknown(error) ? of<Written>('unknown') : throwError(() => error),
        ),
      ),
    ),
  );
}

/** Kills the leader after a while, and emits when the client has seen the next one for a while. */
function killLeader$(client: EtcdClient, cluster: LocalCluster): Observable<unknown> {
  return client.clusterState$.pipe(
    filter((state) => state.leader !== undefined),
    take(1),
    delay(1_500),
    switchMap((state) => {
      const killed = state.leader?.name;
      say(`killing the leader ${killed ?? ''} (SIGKILL)`);
      const successor$ = client
        .leader$()
        .pipe(filter((leader) => leader !== undefined && leader.name !== killed));
      return concat(cluster.kill$('leader').pipe(ignoreElements()), successor$.pipe(take(1)));
    }),
    delay(1_500),
  );
}

/** Writes and watches through the leader's death; fails if a single acknowledged write was not seen. */
function demonstrate$(cluster: LocalCluster): Observable<unknown> {
  return defer(() => {
    const client = new EtcdClient(cluster.endpoints);
    const seen = new Set<number>();
    const written = new Set<number>();
    let unknown = 0;

    const writing$ = write$(client, killLeader$(client, cluster)).pipe(
      tap((result) => {
        if (result === 'unknown') unknown += 1;
        else written.add(result.index);
      }),
      ignoreElements(),
      endWith('written' as const),
      share(),
    );
    const watching$ = client.watch$('/svc').pipe(
      tap(printEvent),
      tap((event) => {
        seen.add(event.index);
      }),
    );
    // Over when the last write was acknowledged and every acknowledged one was seen.
    const complete = (): boolean => [...written].every((index) => seen.has(index));
    const end$ = writing$.pipe(switchMap(() => interval(20).pipe(filter((n) => complete() || n === 500))));

    return merge(printState(client), watching$).pipe(
      takeUntil(end$),
      finalize(() => {
        client.close();
        const missed = [...written].filter((index) => !seen.has(index)).length;
        say(
          `${String(seen.size)} events seen of ${String(written.size)} writes acknowledged and ${String(unknown)} of ` +
            `unknown outcome: ${missed === 0 ? 'none missed' : `${String(missed)} MISSED`}`,
        );
        process.exitCode = missed === 0 && written.size > 0 ? 0 : 1;
      }),
    );
  });
}

const external = process.env['ETCD_ENDPOINTS'];
const job$ =
  external === undefined || external === ''
    ? defer(() => {
        say('starting three etcd members');
        return startLocalCluster();
      }).pipe(switchMap((cluster) => concat(demonstrate$(cluster), cluster.down$())))
    : follow$(external.split(','));

job$.subscribe({
  error: (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
});
