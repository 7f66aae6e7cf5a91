/**
 * `kill -9` of the leader under writers and watches, again and again: until the first survivor names a new leader
 * (asked past the client, every 5 ms), until `clusterState$` names it, and from there until the first acknowledged
 * write and the first event.
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
import { startLocalCluster, type LocalCluster } from '../spec/support/cluster/local-cluster.js';
import { ofRounds, type Section } from './figure.js';
import { nodeEtcd } from './node-etcd.js';
import { spread } from './rounds.js';
import { until } from './until.js';

const kills = 10;
const writers = 20;
const watches = 20;
const now = (): number => performance.now();

interface Round {
  /** ms after the kill. */
  readonly named: number;
  /** ms after `named`. */
  readonly known: number;
  /** ms after `known`. */
  readonly written: number;
  readonly seen: number;
  /** node-etcd's first acknowledged write, ms after `named`. */
  readonly rival: number;
}

/** Asks the survivors themselves, past the client. */
function firstNaming(endpoints: readonly string[], killed: string): Promise<number> {
  const naming$ = merge(
    ...endpoints.map((endpoint) =>
      defer(() =>
        fetch(`${endpoint}/v2/members/leader`).then((r) => r.json() as Promise<{ name?: string }>),
      ).pipe(
        catchError(() => of({ name: undefined })),
        repeat({ delay: 5 }),
      ),
    ),
  );
  return firstValueFrom(
    naming$.pipe(
      filter(({ name }) => name !== undefined && name !== killed),
      take(1),
      map(now),
    ),
  );
}

/** Writers through node-etcd, each with one write in flight; when each write was acknowledged. */
function rivalWriters(endpoints: readonly string[]): { acknowledged: number[]; stop: () => void } {
  const client = nodeEtcd(endpoints);
  const acknowledged: number[] = [];
  let stopped = false;
  const write = (key: string, n: number): void => {
    client.set(key, String(n), (error) => {
      if (!error) acknowledged.push(now());
      if (!stopped) setTimeout(write, 5, key, n + 1);
    });
  };
  for (let i = 0; i < writers; i += 1) write(`/rival/${String(i)}`, 0);
  return { acknowledged, stop: () => (stopped = true) };
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
  const rival = rivalWriters(cluster.endpoints);
  running.add(
    range(0, watches)
      .pipe(mergeMap((i) => client.watch$(`/bench/${String(i)}`)))
      .subscribe(() => events.push(now())),
  );
  running.add(range(0, writers).pipe(mergeMap(writer)).subscribe());
  await until('writes and events', () => events.length > 500 && rival.acknowledged.length > 50);

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
  const first = (times: readonly number[], after: number): number => times.find((t) => t > after) ?? NaN;
  await until('the writes after the kill', () =>
    [first(acknowledged, knownAt), first(events, knownAt), first(rival.acknowledged, namedAt)].every(
      (time) => !Number.isNaN(time),
    ),
  );
  stopped = true;
  rival.stop();
  running.unsubscribe();
  client.close();
  await lastValueFrom(leader.restart$().pipe(concatMap(() => cluster.ready$())));
  return {
    named: namedAt - killedAt,
    known: knownAt - namedAt,
    written: first(acknowledged, knownAt) - knownAt,
    seen: first(events, knownAt) - knownAt,
    rival: first(rival.acknowledged, namedAt) - namedAt,
  };
}

export const failover: Section = async () => {
  const cluster = await firstValueFrom(startLocalCluster({ timing: { heartbeat: 100, election: 1_000 } }));
  try {
    const rounds: Round[] = [];
    for (let i = 0; i < kills; i += 1) rounds.push(await round(cluster));
    const partOf = (part: keyof Round) => spread(rounds.map((one) => one[part]));
    return [
      {
        bar: 'kill -9 of the leader: a survivor names the new one → `clusterState$` does, ms',
        ...ofRounds(partOf('known')),
        target: { most: 100 },
        beside: `the election itself ${partOf('named').median.toFixed(0)} ms after the kill`,
      },
      {
        bar: '`clusterState$` names it → first acknowledged write, ms',
        ...ofRounds(partOf('written')),
        target: { most: 100 },
        beside: `node-etcd, from the survivor's word on: ${partOf('rival').median.toFixed(0)} ms`,
      },
      { bar: '`clusterState$` names it → first event of a watch, ms', ...ofRounds(partOf('seen')) },
    ];
  } finally {
    await lastValueFrom(cluster.down$());
  }
};
