/**
 * One leader among the processes that run this. Each waits in a queue of keys under a TTL and keeps its own alive; the first in the
 * queue leads, and each of the others watches the one before it. Ends on Ctrl-C, and lets the next one lead at once.
 *
 *   npm run example -- leader-election [DIR] [TTL]      default: /elections/demo, 5 s
 */
import { EtcdClient, isClientClosed, isKeyNotFound, type EtcdNode } from 'rxetcd';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import {
  catchError,
  concat,
  defer,
  distinctUntilChanged,
  expand,
  finalize,
  first,
  fromEvent,
  ignoreElements,
  last,
  map,
  merge,
  of,
  repeat,
  retry,
  switchMap,
  takeUntil,
  throwError,
  timer,
  type Observable,
} from 'rxjs';

// The election.
/** A key of ours in the queue. Nobody else can be before us until `sureUntil`, by `performance.now()`. */
interface Place {
  readonly key: string;
  readonly createdIndex: number;
  readonly modifiedIndex: number;
  readonly sureUntil: number;
}

/**
 * Emits the token of this process when it begins to lead, and undefined when it does not, or can no longer be sure. Takes part for
 * as long as it is subscribed. Tokens grow from leader to leader.
 */
function lead$(client: EtcdClient, dir: string, ttl = 5): Observable<number | undefined> {
  const me = `${hostname()} ${randomUUID()}`; // in a container every process has the same number
  const lifeMs = 1_000 * ttl;
  const marginMs = Math.max(1_000, lifeMs / 5); // for clocks and for what is still being done
  const placeOf = ({ key, createdIndex = 0, modifiedIndex = 0 }: EtcdNode, sentAt: number): Place => ({
    key,
    createdIndex,
    modifiedIndex,
    sureUntil: sentAt + lifeMs - marginMs,
  });

  const queue$ = client.get$(dir, { quorum: true, sorted: true, timeout: 1_000 }).pipe(
    map(({ node }) => node.nodes ?? []),
    catchError((error: unknown) => (isKeyNotFound(error) ? of([]) : throwError(() => error))),
  );

  // Each renewal is conditional on the one before. A failed one is tried again for as long as the key is surely there.
  const renew$ = (place: Place): Observable<Place> =>
    defer(() => {
      const sentAt = performance.now();
      const deadline = place.sureUntil - sentAt;
      if (deadline <= 0) return throwError(() => new Error(`${place.key} was not renewed in time`));
      const limits = { timeout: 1_000, deadline };
      const { key, createdIndex, modifiedIndex: prevIndex } = place;
      return client.compareAndSwap$(key, me, { ttl, prevIndex, ...limits }).pipe(
        map(({ node }) => placeOf(node, sentAt)),
        // Perhaps it was done all the same: the key says so.
        catchError(() => {
          const own$ = client.get$(key, { quorum: true, timeout: 1_000, deadline });
          return timer(50).pipe(
            switchMap(() => own$),
            first(({ node }) => node.createdIndex === createdIndex && node.value === me),
            catchError((error: unknown) =>
              isKeyNotFound(error) ? throwError(() => error) : of({ node: { modifiedIndex: prevIndex } }),
            ),
            switchMap(({ node }) => renew$({ ...place, modifiedIndex: node.modifiedIndex ?? prevIndex })),
          );
        }),
      );
    });
  const keep$ = (place: Place): Observable<Place> =>
    of(place).pipe(expand((kept) => timer(lifeMs / 5).pipe(switchMap(() => renew$(kept)))));

  // A key of ours may be there already: of a request whose answer was lost.
  const enter$ = queue$.pipe(
    switchMap((nodes) => {
      const sentAt = performance.now();
      const own = nodes.find(({ value }) => value === me);
      return own === undefined
        ? client.createInOrder$(dir, me, { ttl }).pipe(map(({ node }) => placeOf(node, sentAt)))
        : renew$(placeOf(own, sentAt));
    }),
  );

  // Whoever waits watches the one before it, and looks anew when that is gone.
  const turn$ = ({ createdIndex }: Place): Observable<number> =>
    queue$.pipe(
      switchMap((nodes) => {
        const before = nodes.filter((node) => (node.createdIndex ?? 0) < createdIndex).at(-1);
        if (before === undefined) return of(createdIndex);
        const until = ({ node }: { node: EtcdNode }): boolean => node.value === undefined;
        const gone$ = client.watch$(before.key, { recursive: false, initial: true, until });
        return gone$.pipe(
          last(),
          map(() => undefined),
        );
      }),
      retry({ delay: 200 }),
      repeat(),
      first((token) => token !== undefined),
    );

  const leave = ({ key }: Place): void => {
    client.compareAndDelete$(key, { prevValue: me, deadline: 2_000 }).subscribe({ error: () => undefined });
  };

  return enter$.pipe(
    switchMap((place) =>
      merge(turn$(place), keep$(place).pipe(ignoreElements())).pipe(finalize(() => leave(place))),
    ),
    catchError((error: unknown) =>
      concat(
        of(undefined),
        throwError(() => error),
      ),
    ),
    retry({ delay: (error) => (isClientClosed(error) ? throwError(() => error) : timer(500)) }),
    distinctUntilChanged(),
  );
}
// So far the election.

const [dir = '/elections/demo', ttl = '5'] = process.argv.slice(3);
const client = new EtcdClient(process.env['ETCD_ENDPOINTS']?.split(',') ?? 'localhost:2379');
const interrupted$ = merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM'));

console.log('standing by');
lead$(client, dir, Number(ttl))
  .pipe(takeUntil(interrupted$))
  .subscribe({
    next: (token) => console.log(token === undefined ? 'standing by' : `leading, token ${token}`),
    error: (error: unknown) => console.error(String(error)),
    // The process ends by itself once its key is deleted.
    complete: () => console.log('left'),
  });
