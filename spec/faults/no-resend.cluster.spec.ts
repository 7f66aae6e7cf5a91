import { EtcdClient, isAllNodesDown, isOutcomeUnknown, type ClientEvent, type ClientOptions } from 'rxetcd';
import {
  catchError,
  concat,
  defer,
  EMPTY,
  filter,
  firstValueFrom,
  lastValueFrom,
  map,
  mergeMap,
  of,
  range,
  repeat,
  Subject,
  takeUntil,
  timer,
} from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { rejectionOf } from '../support/jest/rejection.js';
import type { TcpProxy } from '../support/proxies/tcp-proxy.js';
import type { TestMember } from '../support/cluster/test-cluster.js';
import { acceptAgain, SentWrites, startWriteTap, type SentWrite } from '../support/proxies/write-tap.js';

describe('no write is sent twice, nor to a member that cannot take it', () => {
  let cluster: LocalCluster;
  let sent: SentWrites;
  let taps: TcpProxy[];
  let client: EtcdClient;
  let told: ClientEvent[];
  let stop$: Subject<void>;

  beforeAll(async () => {
    // Elections as long as by default, so that there is time to wait in.
    cluster = await firstValueFrom(startLocalCluster({ timing: { heartbeat: 100, election: 1_000 } }));
  });
  afterAll(async () => {
    await lastValueFrom(cluster.down$());
  });

  beforeEach(async () => {
    sent = new SentWrites();
    taps = [];
    told = [];
    stop$ = new Subject();
    for (const endpoint of cluster.endpoints) taps.push(await firstValueFrom(startWriteTap(endpoint, sent)));
  });
  afterEach(async () => {
    stop$.next();
    client.close();
    for (const tap of taps) await firstValueFrom(tap.close$());
    const down = cluster.members.filter(({ state }) => state === 'down');
    await lastValueFrom(concat(...down.map((member) => member.restart$()), cluster.ready$()));
  });

  /** A client that knows the leader, by its taps alone. */
  async function connect(options: ClientOptions = {}): Promise<void> {
    const endpoints = taps.map(({ url }) => url);
    client = new EtcdClient({
      endpoints,
      discover: false,
      heartbeat: 100,
      probeTimeout: 300,
      deadline: 20_000,
      ...options,
    });
    client.events$.subscribe((event) => told.push(event));
    // Keeps the heartbeat running.
    client.clusterState$.subscribe();
    await firstValueFrom(client.leader$().pipe(filter((leader) => leader !== undefined)));
    // Two name a leader; one that has never answered would be unknown, not down.
    await eventually(() => client.clusterState$.value.members.every(({ status }) => status === 'running'));
  }

  /** A member that is gone refuses connections, its tap as well. */
  async function kill(which: 'leader' | 'follower'): Promise<number> {
    const { index } = await firstValueFrom(cluster.kill$(which));
    taps[index]!.refuse();
    return index;
  }

  async function restart(index: number): Promise<void> {
    await firstValueFrom(cluster.restart$(index));
    await acceptAgain(taps[index]!);
  }

  it('during an election writes wait, and leave for a live leader that is named; each is sent once', async () => {
    await connect();
    const values: string[] = [];
    const acknowledged = new Set<string>();
    const failures: unknown[] = [];
    const writers$ = range(0, 20).pipe(
      mergeMap(() =>
        defer(() => {
          const value = `w${values.length}`;
          values.push(value);
          return client.set$(`/w/${value}`, value).pipe(
            map(() => acknowledged.add(value)),
            catchError((error: unknown) => of(failures.push(error))),
          );
        }).pipe(repeat({ delay: () => (isWriting ? timer(5) : EMPTY) })),
      ),
    );
    let isWriting = true;
    const written = lastValueFrom(writers$.pipe(takeUntil(stop$)));
    const progress = async (): Promise<void> => {
      const wanted = acknowledged.size + 100;
      await eventually(() => acknowledged.size >= wanted, { within: 30_000 });
    };
    await progress();

    let waited = 0;
    for (let kills = 0; kills < 3; kills += 1) {
      const fallen = await firstValueFrom(cluster.leader$());
      await eventually(() => client.clusterState$.value.leader?.name === fallen.name);
      const [heardBefore, toldBefore] = [sent.all.length, told.length];
      const named = firstValueFrom(
        client.leader$().pipe(
          filter((leader) => leader !== undefined && leader.name !== fallen.name),
          // In the same breath: those that wait leave next.
          map(() => ({
            heard: sent.all.slice(heardBefore),
            requests: told.slice(toldBefore).filter((event) => event.type === 'request'),
            waiting: values.length - acknowledged.size - failures.length,
          })),
        ),
      );
      await kill('leader');
      const heardUnled = await heardUntilNamed(fallen);
      const { heard, requests, waiting } = await named;

      const byOthers = (writes: readonly SentWrite[]) =>
        writes.filter(({ target }) => target !== fallen.clientUrl);
      expect(byOthers(heardUnled.slice(heardBefore))).toEqual([]);
      expect(byOthers(heard)).toEqual([]);
      const { url } = taps[fallen.index]!;
      expect(requests.filter(({ operation, endpoint }) => operation === 'set' && endpoint !== url)).toEqual(
        [],
      );
      waited += waiting;

      await progress();
      await restart(fallen.index);
      await lastValueFrom(cluster.ready$());
      await progress();
    }
    expect(waited).toBeGreaterThan(0);
    isWriting = false;
    await written;
    expect(failures.filter((error) => !isOutcomeUnknown(error))).toEqual([]);
    expect([...acknowledged].filter((value) => sent.of(value) !== 1)).toEqual([]);
    expect(values.filter((value) => sent.of(value) > 1)).toEqual([]);
  });

  /** What was sent until the last moment at which surely no survivor named a live leader yet. */
  async function heardUntilNamed(fallen: TestMember): Promise<SentWrite[]> {
    const survivors = cluster.members.filter((member) => member !== fallen);
    let heard = [...sent.all];
    for (;;) {
      const now = [...sent.all];
      const names = await Promise.all(survivors.map(leaderBy));
      if (names.some((name) => name !== undefined && name !== fallen.name)) return heard;
      heard = now;
    }
  }

  it('without a quorum no write leaves, and each says so', async () => {
    await connect();
    const killed = [await kill('leader'), await kill('leader')];
    await eventually(() => client.clusterState$.value.hasQuorum === false);
    const before = sent.all.length;
    const writes = [
      client.set$('/never', 'x', { deadline: 500 }),
      client.create$('/never', 'x', { deadline: 500 }),
      client.createInOrder$('/never', 'x', { deadline: 500 }),
      client.compareAndSwap$('/never', 'x', { prevValue: 'y', deadline: 500 }),
      client.delete$('/never', { deadline: 500 }),
    ];
    const errors = await Promise.all(writes.map((write$) => rejectionOf(write$)));
    expect(errors.map((error) => isAllNodesDown(error) && error.reason)).toEqual(
      writes.map(() => 'no-quorum'),
    );
    expect(sent.all.slice(before)).toEqual([]);
    for (const index of killed) await restart(index);
    await firstValueFrom(client.set$('/again', 'x'));
  });

  it('a write that is refused everywhere goes out once, when a member takes it', async () => {
    await connect();
    for (const tap of taps) {
      tap.refuse();
      tap.reset();
    }
    const writes = ['a', 'b', 'c'].map((value) => firstValueFrom(client.set$(`/refused/${value}`, value)));
    await eventually(() => client.clusterState$.value.members.every(({ status }) => status === 'down'));
    expect(sent.all).toEqual([]);
    await Promise.all(taps.map(acceptAgain));
    await Promise.all(writes);
    expect(sent.all.map(({ value }) => value).sort()).toEqual(['a', 'b', 'c']);
  });

  it('a write whose connection breaks is not sent again', async () => {
    await connect();
    const leader = await firstValueFrom(cluster.leader$());
    const tap = taps[leader.index]!;
    tap.pause('toClient');
    const outcome = rejectionOf(client.set$('/broken', 'x'));
    await eventually(() => sent.of('x') === 1);
    tap.reset();
    tap.resume();
    expect(isOutcomeUnknown(await outcome)).toBe(true);
    await firstValueFrom(client.set$('/broken', 'y'));
    expect(sent.all.map(({ value }) => value)).toEqual(['x', 'y']);
  });
});

/** Whom a member names; undefined if nobody (a new leader has no name at first), or if it does not answer. */
const leaderBy = async ({ clientUrl }: TestMember): Promise<string | undefined> =>
  fetch(`${clientUrl}/v2/members/leader`, { signal: AbortSignal.timeout(500) })
    .then(async (answer) => ((await answer.json()) as { name?: string }).name)
    .then((name) => (name === '' ? undefined : name))
    .catch(() => undefined);
