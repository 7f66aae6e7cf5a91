/**
 * Failover, timed: `kill -9` of the leader under writers and watches, again and again.
 *
 *   node failover.js [kills = 10]
 *
 * For each kill: until the first survivor names a new leader (asked past the client, every 5 ms), until
 * `clusterState$` names it, and from there until the first acknowledged write and the first event.
 */
import { EtcdClient } from 'rxetcd';
import {
  catchError,
  concatMap,
  defer,
  EMPTY,
  filter,
  firstValueFrom,
  lastValueFrom,
  map,
  merge,
  mergeMap,
  of,
  range,
  repeat,
  Subscription,
  take,
  tap,
  timer,
} from 'rxjs';
import { startLocalCluster, type LocalCluster } from '../spec/support/local-cluster.js';

const writers = 20;
const watches = 20;
const now = (): number => performance.now();

interface Round {
  /** ms after the kill. */
  named: number;
  known: number;
  /** ms after `known`. */
  written: number;
  seen: number;
}

/** Asks the survivors themselves, past the client. */
async function firstNaming(endpoints: readonly string[], killed: string): Promise<number> {
  const naming$ = merge(
    ...endpoints.map((endpoint) =>
      defer(() =>
        fetch(`${endpoint}/v2/members/leader`).then((r) => r.json() as Promise<{ name?: string }>),
      ).pipe(
        catchError(() => of({ name: undefined })),
        repeat({ delay: 5 }),
      ),
    ),
  ).pipe(
    filter(({ name }) => name !== undefined && name !== killed),
    take(1),
    map(now),
  );
  return firstValueFrom(naming$);
}

async function round(cluster: LocalCluster): Promise<Round> {
  const client = new EtcdClient(cluster.endpoints);
  const running = new Subscription();
  const acknowledged: number[] = [];
  const events: number[] = [];
  let stopped = false;

  const writer = (i: number) => {
    let n = 0;
    return defer(() => client.set$(`/bench/${String(i)}`, String(n++))).pipe(
      tap(() => acknowledged.push(now())),
      catchError(() => EMPTY),
      repeat({ delay: () => (stopped ? EMPTY : timer(5)) }),
    );
  };
  running.add(
    range(0, watches)
      .pipe(mergeMap(() => client.watch$('/bench')))
      .subscribe(() => events.push(now())),
  );
  running.add(range(0, writers).pipe(mergeMap(writer)).subscribe());
  await firstValueFrom(timer(5, 5).pipe(filter(() => events.length > 500)));

  const leader = await firstValueFrom(cluster.leader$());
  const survivors = cluster.endpoints.filter((url) => url !== leader.clientUrl);
  const known$ = client.clusterState$.pipe(
    filter((state) => state.leader !== undefined && state.leader.name !== leader.name),
    take(1),
    map(now),
  );
  const killedAt = now();
  const known = firstValueFrom(known$);
  await firstValueFrom(leader.kill$());
  const [namedAt, knownAt] = await Promise.all([firstNaming(survivors, leader.name), known]);
  await firstValueFrom(
    timer(0, 5).pipe(filter(() => (acknowledged.at(-1) ?? 0) > knownAt && (events.at(-1) ?? 0) > knownAt)),
  );

  stopped = true;
  running.unsubscribe();
  client.close();
  await lastValueFrom(leader.restart$().pipe(concatMap(() => cluster.ready$())));
  return {
    named: namedAt - killedAt,
    known: knownAt - killedAt,
    written: (acknowledged.find((t) => t > knownAt) ?? NaN) - knownAt,
    seen: (events.find((t) => t > knownAt) ?? NaN) - knownAt,
  };
}

function line(label: string, values: number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const ms = (v: number | undefined): string => (v ?? NaN).toFixed(1).padStart(8);
  return `${label.padEnd(52)}${ms(sorted[Math.floor(sorted.length / 2)])}${ms(sorted[0])}${ms(sorted.at(-1))}`;
}

const kills = Number(process.argv[2] ?? 10);
const cluster = await firstValueFrom(startLocalCluster({ timing: { heartbeat: 100, election: 1_000 } }));
const rounds: Round[] = [];
for (let i = 0; i < kills; i++) rounds.push(await round(cluster));
await lastValueFrom(cluster.down$());
console.log(
  `${String(kills)} kills of the leader, ${String(writers)} writers, ${String(watches)} watches; ms: median, least, most`,
);
console.log(
  line(
    'kill -> a survivor names the new leader',
    rounds.map((r) => r.named),
  ),
);
console.log(
  line(
    '  -> clusterState$ names it',
    rounds.map((r) => r.known - r.named),
  ),
);
console.log(
  line(
    'clusterState$ names it -> first acknowledged write',
    rounds.map((r) => r.written),
  ),
);
console.log(
  line(
    'clusterState$ names it -> first event',
    rounds.map((r) => r.seen),
  ),
);
