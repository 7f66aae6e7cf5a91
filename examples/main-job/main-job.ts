/**
 * The main job: follow a cluster, write keys and watch them, while the leader dies. At the end the promises are counted; one that
 * was broken is an exit code of 1.
 *
 *   npm start                                on three members of the etcd of this machine, by the v3 API, or on three embedded
 *                                            ones, by v2, where there is none: kills the leader and lets it come back
 *   ETCD_ENDPOINTS=host:port,... npm start   the same on a cluster of yours, for 5 s; kills nobody, but you may meanwhile
 *   ETCD_API=v2 npm start                    by the v2 API
 *
 * It writes below a prefix of its own, and removes that at the end. `npm start -- 60` writes for 60 s on a cluster of yours.
 */
import { concat, finalize, ignoreElements, switchMap, timer, type Observable } from 'rxjs';
import type { Account } from './account.js';
import { members$ } from './members.js';
import { say } from './say.js';
import { run$, strike$ } from './run.js';
import type { Store } from './store.js';
import { connectV2$ } from './v2.js';
import { connectV3$ } from './v3.js';

const isV2 = process.env['ETCD_API'] === 'v2';
const seconds = Number(process.argv[2] ?? 5);
const endpoints = (process.env['ETCD_ENDPOINTS'] ?? '')
  .split(',')
  .map((endpoint) => endpoint.trim())
  .filter((endpoint) => endpoint !== '');

/** Runs with a client of these endpoints, which is closed at the end. */
const withStore$ = (
  connect$: (endpoints: string[]) => Observable<Store>,
  at: string[],
  run: (store: Store) => Observable<Account>,
): Observable<Account> =>
  connect$(at).pipe(switchMap((store) => run(store).pipe(finalize(() => store.client.close()))));

const onOwn$ = members$(isV2).pipe(
  switchMap(({ title, api, cluster, stop$ }) => {
    say('start', `${title}: ${cluster.endpoints.join(' ')}`);
    return concat(
      withStore$(api === 'v2' ? connectV2$ : connectV3$, cluster.endpoints, (store) =>
        run$(store, (account) => strike$(store.client, cluster, account)),
      ),
      stop$.pipe(ignoreElements()),
    );
  }),
);

const onYours$ = withStore$(isV2 ? connectV2$ : connectV3$, endpoints, (store) => {
  say(
    'start',
    `${endpoints.join(' ')}, by the ${isV2 ? 'v2' : 'v3'} API: kills nobody; you may, for ${seconds} s`,
  );
  return run$(store, () => timer(seconds * 1_000));
});

(endpoints.length === 0 ? onOwn$ : onYours$).subscribe({
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
