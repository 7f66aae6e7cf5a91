/**
 * The main job: follow a cluster, write to a directory and watch it, while the leader dies. At the end the promises are counted;
 * one that was broken is an exit code of 1.
 *
 *   npm start                                on three embedded members: kills the leader and lets it come back
 *   ETCD_ENDPOINTS=host:port,... npm start   the same on a cluster of yours, for 5 s; kills nobody, but you may meanwhile
 *
 * It writes below a directory of its own, and removes it at the end. `npm start -- 60` writes for 60 s on a cluster of yours.
 */
import { EtcdClient, isOutcomeUnknown, type WatchEvent } from 'rxetcd';
import { EmbeddedCluster } from 'rxetcd/testing';
import {
  EMPTY,
  NEVER,
  catchError,
  concat,
  concatMap,
  defer,
  delay,
  distinctUntilChanged,
  endWith,
  filter,
  finalize,
  ignoreElements,
  interval,
  last,
  map,
  merge,
  race,
  share,
  switchMap,
  take,
  takeUntil,
  tap,
  throwError,
  timeInterval,
  timeout,
  timer,
  type Observable,
} from 'rxjs';

/** Between two writes, ms. */
const writePeriod = 100;
/** How long things stay as they are between two blows, ms. */
const calm = 1_000;
/** How long an acknowledged write may take to be seen at the end, ms. */
const patience = 5_000;
/** How long an election may take, ms. */
const electionLimit = 10_000;

const startedAt = performance.now();
const say = (what: string, line: string): void => {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(2);
  console.log(`${seconds.padStart(6)} s  ${what.padEnd(8)} ${line}`);
};

/** What a run has seen. */
class Account {
  /** Indexes of acknowledged writes. */
  readonly acknowledged: number[] = [];
  /** Indexes of events, as they came. */
  readonly seen: number[] = [];
  /** Writes of which nobody knows whether they were done. */
  unknown = 0;
  /** Between a kill and the next leader, ms. */
  readonly interregna: number[] = [];

  get missed(): number {
    const seen = new Set(this.seen);
    return this.acknowledged.filter((index) => !seen.has(index)).length;
  }

  /** The promises: what each says, and whether it was kept. */
  get promises(): [text: string, kept: boolean][] {
    const { acknowledged, seen, unknown, missed, interregna } = this;
    const inOrder = seen.every((index, i) => i === 0 || index > seen[i - 1]!);
    return [
      [`${acknowledged.length} writes acknowledged, ${unknown} of unknown outcome`, acknowledged.length > 0],
      [`${seen.length} events, ${missed === 0 ? 'none' : missed} of the acknowledged missed`, missed === 0],
      [`each event once, in order`, inOrder],
      ...interregna.map((ms): [string, boolean] => [
        `a new leader was named ${(ms / 1_000).toFixed(2)} s after the kill`,
        true,
      ]),
    ];
  }
}

/** One line whenever somebody's part or health changes. */
const printStates$ = (client: EtcdClient): Observable<unknown> =>
  client.clusterState$.pipe(
    map(({ members }) =>
      members
        .map(({ name, clientURLs, status, isLeader }) =>
          [name === '' ? clientURLs.join(' ') : name, isLeader ? 'leads' : status].join(' '),
        )
        .join(', '),
    ),
    distinctUntilChanged(),
    tap((line) => say('cluster', line)),
  );

const printEvent = ({ action, node, index }: WatchEvent): void => {
  say('event', `${index}: ${action} ${node.key} = ${node.value ?? ''}`);
};

/** One write after the other until told to stop. One of unknown outcome is counted, not repeated. */
const write$ = (client: EtcdClient, dir: string, account: Account, stop$: Observable<unknown>) =>
  interval(writePeriod).pipe(
    // What is being written when the stop comes is still waited for.
    // eslint-disable-next-line rxjs-x/no-unsafe-takeuntil
    takeUntil(stop$),
    concatMap((n) =>
      client.set$(`${dir}/instance-${n % 5}`, `revision ${n}`).pipe(
        tap(({ node }) => account.acknowledged.push(node.modifiedIndex ?? 0)),
        catchError((error: unknown) => {
          if (!isOutcomeUnknown(error)) return throwError(() => error);
          account.unknown += 1;
          say('write', `${n}: outcome unknown`);
          return EMPTY;
        }),
      ),
    ),
  );

/** Kills the leader, waits for the next one, and lets the dead one run again. */
const strike$ = (client: EtcdClient, cluster: EmbeddedCluster, account: Account): Observable<unknown> =>
  client.leader$().pipe(
    filter((leader) => leader !== undefined),
    take(1),
    delay(calm),
    switchMap(({ name }) => {
      say('KILL', name);
      const killed = cluster.members.find((member) => member.name === name)!;
      const next$ = client.leader$().pipe(
        filter((leader) => leader !== undefined && leader.name !== name),
        take(1),
        timeout({
          first: electionLimit,
          with: () => throwError(() => new Error('BROKEN  nobody leads after the kill')),
        }),
        timeInterval(),
        tap((leader) => account.interregna.push(leader.interval)),
        delay(calm),
      );
      const restart$ = defer(() => {
        say('RESTART', name);
        return killed.restart$();
      });
      return concat(killed.kill$(), next$, restart$).pipe(last(), delay(calm));
    }),
  );

/** Writes and watches until the stop, then until every acknowledged write was seen. */
const run$ = (client: EtcdClient, stop$: (account: Account) => Observable<unknown>): Observable<Account> =>
  defer(() => {
    const account = new Account();
    const dir = `/rxetcd-main-job-${Date.now().toString(36)}`;
    const work$ = (from: number): Observable<unknown> => {
      const watching$ = client.watch$(dir, { fromIndex: from + 1 }).pipe(
        tap((event) => account.seen.push(event.index)),
        tap(printEvent),
      );
      const written$ = write$(client, dir, account, stop$(account)).pipe(ignoreElements(), endWith(true));
      const allSeen$ = interval(20).pipe(filter(() => account.missed === 0));
      const end$ = written$.pipe(
        switchMap(() => race(allSeen$, timer(patience))),
        take(1),
        share(),
      );
      return merge(watching$, printStates$(client), NEVER).pipe(takeUntil(end$));
    };
    return concat(
      client.createDir$(dir).pipe(switchMap(({ node }) => work$(node.modifiedIndex ?? 0))),
      client.deleteDir$(dir, { recursive: true }),
    ).pipe(ignoreElements(), endWith(account));
  });

/** Runs with a client of these endpoints, which is closed at the end. */
const withClient$ = (
  endpoints: string[],
  run: (client: EtcdClient) => Observable<Account>,
): Observable<Account> =>
  EtcdClient.connect$(endpoints, { deadline: 10_000, heartbeat: 1_000 }).pipe(
    switchMap((client) => run(client).pipe(finalize(() => client.close()))),
  );

const onEmbedded$ = EmbeddedCluster.start$(3).pipe(
  switchMap((cluster) => {
    say('start', `three embedded members: ${cluster.endpoints.join(' ')}`);
    return concat(
      withClient$(cluster.endpoints, (client) =>
        run$(client, (account) => strike$(client, cluster, account)),
      ),
      cluster.stop$().pipe(ignoreElements()),
    );
  }),
);

const onYours$ = (endpoints: string[], seconds: number): Observable<Account> =>
  withClient$(endpoints, (client) => {
    say('start', `${endpoints.join(' ')}: kills nobody; you may, for ${seconds} s`);
    return run$(client, () => timer(seconds * 1_000));
  });

const endpoints = (process.env['ETCD_ENDPOINTS'] ?? '')
  .split(',')
  .map((endpoint) => endpoint.trim())
  .filter((endpoint) => endpoint !== '');
const seconds = Number(process.argv[2] ?? 5);

(endpoints.length === 0 ? onEmbedded$ : onYours$(endpoints, seconds)).subscribe({
  next: ({ promises }) => {
    console.log('');
    for (const [text, kept] of promises) console.log(`${kept ? 'kept  ' : 'BROKEN'}  ${text}`);
    if (promises.some(([, kept]) => !kept)) process.exitCode = 1;
  },
  error: (error: unknown) => {
    console.error(String(error));
    process.exitCode = 1;
  },
});
