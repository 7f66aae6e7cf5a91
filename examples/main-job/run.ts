import { isOutcomeUnknown, type BaseClient } from 'rxetcd';
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
import { Account } from './account.js';
import type { Cluster } from './members.js';
import { say } from './say.js';
import type { Store } from './store.js';

/** Between two writes, ms. */
const writePeriod = 100;
/** How long things stay as they are between two blows, ms. */
const calm = 1_000;
/** How long an acknowledged write may take to be seen at the end, ms. */
const patience = 5_000;
/** How long an election may take, ms. */
const electionLimit = 10_000;

/** One line whenever somebody's part or health changes, or a majority is lost. */
const printStates$ = (client: BaseClient): Observable<unknown> =>
  client.clusterState$.pipe(
    map(({ members, hasQuorum }) =>
      [
        ...members.map(({ name, clientURLs, status, isLeader }) =>
          [name === '' ? clientURLs.join(' ') : name, isLeader ? 'leads' : status].join(' '),
        ),
        ...(hasQuorum === false ? ['no quorum'] : []),
      ].join(', '),
    ),
    distinctUntilChanged(),
    tap((line) => say('cluster', line)),
  );

/** One write after the other until told to stop. One of unknown outcome is counted, not repeated. */
const write$ = (
  store: Store,
  prefix: string,
  account: Account,
  stop$: Observable<unknown>,
): Observable<unknown> =>
  interval(writePeriod).pipe(
    // What is being written when the stop comes is still waited for.
    // eslint-disable-next-line rxjs-x/no-unsafe-takeuntil
    takeUntil(stop$),
    concatMap((n) =>
      store.write$(prefix, n).pipe(
        tap((place) => account.acknowledged.push(place)),
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
export const strike$ = (client: BaseClient, cluster: Cluster, account: Account): Observable<unknown> =>
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
export const run$ = (store: Store, stop$: (account: Account) => Observable<unknown>): Observable<Account> =>
  defer(() => {
    const account = new Account();
    const prefix = `/rxetcd-main-job-${Date.now().toString(36)}`;
    const work$ = (from: number): Observable<unknown> => {
      const watching$ = store.watch$(prefix, from).pipe(
        tap(({ place, line }) => {
          // What one transaction has changed has one place.
          if (place !== undefined && place !== account.seen.at(-1)) account.seen.push(place);
          say('event', line);
        }),
      );
      const written$ = write$(store, prefix, account, stop$(account)).pipe(ignoreElements(), endWith(true));
      const allSeen$ = interval(20).pipe(filter(() => account.missed === 0));
      const end$ = written$.pipe(
        switchMap(() => race(allSeen$, timer(patience))),
        take(1),
        share(),
      );
      return merge(watching$, printStates$(store.client), NEVER).pipe(takeUntil(end$));
    };
    return concat(store.begin$(prefix).pipe(switchMap(work$)), store.end$(prefix)).pipe(
      ignoreElements(),
      endWith(account),
    );
  });
