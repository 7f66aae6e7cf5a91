/**
 * One `kill -9` of the leader under writers and watches of a client, and under writers of its rival: until the first survivor
 * names a new leader (asked past the client, every 5 ms), until `clusterState$` names it, and from there until the first
 * acknowledged write and the first event.
 */
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
  range,
  repeat,
  Subscription,
  type Observable,
} from 'rxjs';
import type { LocalCluster } from '../spec/support/cluster/local-cluster.js';
import { until } from './until.js';

const writers = 20;
const watches = 20;
const now = (): number => performance.now();

/** The client that is measured. */
interface Subject {
  readonly clusterState$: Observable<{
    readonly leader?: { readonly name?: string | undefined } | undefined;
  }>;
  write$(key: string, value: string): Observable<unknown>;
  watch$(key: string): Observable<unknown>;
  close(): void;
}

/** Who writes beside it. */
interface Rival {
  write(key: string, value: string): Promise<unknown>;
  close(): void;
}

export interface Parties {
  readonly subject: (endpoints: readonly string[]) => Subject;
  readonly rival: (endpoints: readonly string[]) => Rival;
  /** Whom a member takes for the leader, asked past the client; undefined if for none. May throw. */
  readonly named: (endpoint: string) => Promise<string | undefined>;
}

export interface Round {
  /** ms after the kill. */
  readonly named: number;
  /** ms after `named`. */
  readonly known: number;
  /** ms after `known`. */
  readonly written: number;
  readonly seen: number;
  /** The rival's first acknowledged write, ms after `named`. */
  readonly rival: number;
  /** The first acknowledged writes of both, ms after the kill. */
  readonly writtenAfterKill: number;
  readonly rivalAfterKill: number;
}

/** When the first survivor names another leader than `killed`. */
const firstNaming = (
  endpoints: readonly string[],
  killed: string | undefined,
  named: Parties['named'],
): Promise<number> =>
  firstValueFrom(
    merge(
      ...endpoints.map((endpoint) =>
        defer(() => named(endpoint)).pipe(
          catchError(() => [undefined]),
          repeat({ delay: 5 }),
        ),
      ),
    ).pipe(
      filter((leader) => leader !== undefined && leader !== killed),
      map(now),
    ),
  );

/** Writes to several keys, each with one write in flight; emits when one was acknowledged. */
const writing$ = (
  write$: (key: string, value: string) => Observable<unknown>,
  dir: string,
): Observable<number> =>
  range(0, writers).pipe(
    mergeMap((i) => {
      let n = 0;
      return defer(() => write$(`${dir}/${String(i)}`, String(n++))).pipe(
        map(now),
        catchError(() => EMPTY),
        repeat({ delay: 5 }),
      );
    }),
  );

/** What was under way at the kill is answered by then, and nobody is elected so soon, ms. */
const calm = 500;

const first = (times: readonly number[], after: number): number => times.find((time) => time > after) ?? NaN;

export async function failoverRound(
  cluster: LocalCluster,
  { subject, rival: rivalOf, named }: Parties,
): Promise<Round> {
  const client = subject(cluster.endpoints);
  const rival = rivalOf(cluster.endpoints);
  const running = new Subscription();
  const acknowledged: number[] = [];
  const ofRival: number[] = [];
  const events: number[] = [];
  running.add(
    range(0, watches)
      .pipe(mergeMap((i) => client.watch$(`/bench/${String(i)}`)))
      .subscribe(() => events.push(now())),
  );
  running.add(
    writing$((key, value) => client.write$(key, value), '/bench').subscribe((at) => acknowledged.push(at)),
  );
  running.add(
    writing$((key, value) => defer(() => rival.write(key, value)), '/rival').subscribe((at) =>
      ofRival.push(at),
    ),
  );
  await until('writes and events', () => events.length > 500 && ofRival.length > 50);

  const leader = await firstValueFrom(cluster.leader$());
  const survivors = cluster.endpoints.filter((url) => url !== leader.clientUrl);
  const killed = await named(survivors[0]!);
  const known = firstValueFrom(
    client.clusterState$.pipe(
      filter((state) => state.leader !== undefined && state.leader.name !== leader.name),
      map(now),
    ),
  );
  const killedAt = now();
  await firstValueFrom(leader.kill$());
  const [namedAt, knownAt] = await Promise.all([firstNaming(survivors, killed, named), known]);
  await until('the writes after the kill', () =>
    [first(acknowledged, knownAt), first(events, knownAt), first(ofRival, namedAt)].every(
      (time) => !Number.isNaN(time),
    ),
  );
  running.unsubscribe();
  client.close();
  rival.close();
  await lastValueFrom(leader.restart$().pipe(concatMap(() => cluster.ready$())));
  return {
    named: namedAt - killedAt,
    known: knownAt - namedAt,
    written: first(acknowledged, knownAt) - knownAt,
    seen: first(events, knownAt) - knownAt,
    rival: first(ofRival, namedAt) - namedAt,
    writtenAfterKill: first(acknowledged, killedAt + calm) - killedAt,
    rivalAfterKill: first(ofRival, killedAt + calm) - killedAt,
  };
}
