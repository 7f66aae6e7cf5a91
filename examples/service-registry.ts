/**
 * A registry of services: each instance is a key under /svc/web with a TTL, which it renews while it lives.
 *
 *   npm run example -- service-registry NAME [TTL]
 *
 * announces NAME, prints who is live whenever that changes, and ends on Ctrl-C or when somebody deletes its key. An
 * instance that dies is gone after its TTL (default 15 s).
 */
import { EtcdClient, isKeyNotFound, ofAction, type EtcdNode, type WatchEvent } from 'rxetcd';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import {
  catchError,
  concat,
  distinctUntilChanged,
  EMPTY,
  exhaustMap,
  filter,
  finalize,
  fromEvent,
  ignoreElements,
  map,
  merge,
  retry,
  scan,
  share,
  takeUntil,
  throwError,
  timer,
  type Observable,
} from 'rxjs';

// Not the process number: in containers that is 1 for all.
const [name = `web-${hostname()}-${randomUUID().slice(0, 8)}`, ttl = '15'] = process.argv.slice(3);
const key = `/svc/web/${name}`;
const client = new EtcdClient(process.env['ETCD_ENDPOINTS']?.split(',') ?? 'localhost:2379');

/** Keeps the key alive for as long as it is subscribed; emits nothing. Two renewals may fail before it expires. */
function announce$(seconds: number): Observable<never> {
  const period = (seconds * 1_000) / 3;
  const register$ = client.set$(key, `http://${name}.example`, { ttl: seconds });
  const renew$ = client
    .refresh$(key, seconds)
    .pipe(catchError((error: unknown) => (isKeyNotFound(error) ? register$ : throwError(() => error))));
  return concat(register$, timer(period, period).pipe(exhaustMap(() => renew$))).pipe(
    retry({ delay: period }), // the key is ours alone: to set it again after an unknown outcome harms nobody
    ignoreElements(),
  );
}

const nameOf = (node: EtcdNode): string => node.key.slice('/svc/web/'.length);

/** The names of the live instances after an event. */
function live(names: readonly string[], { action, node }: WatchEvent): readonly string[] {
  if (action === 'sync' || action === 'resync') return (node.nodes ?? []).map(nameOf);
  const others = names.filter((other) => other !== nameOf(node));
  return node.value === undefined ? others : [...others, nameOf(node)];
}

const changes$ = client.watch$('/svc/web', { initial: true }).pipe(share());
const deleted$ = changes$.pipe(
  ofAction('delete'),
  filter(({ node }) => node.key === key),
);
const interrupted$ = merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM'));

const list$ = changes$.pipe(
  scan(live, []),
  map((names) => `live: ${[...names].sort().join(' ')}`),
  distinctUntilChanged(),
);
const deregister$ = client.delete$(key, { deadline: 2_000 }).pipe(
  ignoreElements(),
  catchError(() => EMPTY), // gone already, or it expires by itself
);

concat(merge(list$, announce$(Number(ttl))).pipe(takeUntil(merge(deleted$, interrupted$))), deregister$)
  .pipe(finalize(() => client.close()))
  .subscribe({
    next: (line) => console.log(line),
    error: (error: unknown) => console.error(String(error)),
    complete: () => console.log(`${name} is no longer announced`),
  });
