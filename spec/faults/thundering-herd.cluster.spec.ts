import { EtcdClient, isOutcomeUnknown, isRequestTimeout, type ClientEvent } from 'rxetcd';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import { startHttpTap, type HttpTap, type TappedRequest } from '../support/proxies/http-tap.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { WatchLog } from '../support/promises/watch-log.js';

/* Elections as slow as etcd's own, so that there is something to wait for. */
const timing = { heartbeat: 100, election: 1_000 };
/** Requests of one client to the survivors while they elect. */
const mostPerSecond = 200;

/** So many at once keep a slow machine busy: what is late is not to be taken for dead. */
const patient = { connectTimeout: 10_000, probeTimeout: 10_000, timeout: 30_000, deadline: 50_000 };

type Told = ClientEvent & { readonly seenAt: number };

describe('1,000 waiting calls and 100 watches', () => {
  const keys = Array.from({ length: 100 }, (_, i) => `/herd/${i}`);
  let cluster: LocalCluster;
  let leader: LocalCluster['members'][number];
  let taps: HttpTap[];
  let client: EtcdClient;
  let logs: WatchLog[];
  let told: Told[];

  beforeEach(async () => {
    cluster = await firstValueFrom(startLocalCluster({ timing }));
    leader = await firstValueFrom(cluster.leader$());
    const followers = cluster.members.filter((member) => member !== leader);
    taps = await Promise.all(followers.map(({ clientUrl }) => firstValueFrom(startHttpTap(clientUrl))));
    client = new EtcdClient([leader.clientUrl, ...taps.map(({ url }) => url)], {
      discover: false,
      ...patient,
    });
    told = [];
    client.events$.subscribe((event) => told.push({ ...event, seenAt: performance.now() }));
    // Each key is a watch of its own: none is shared.
    logs = await Promise.all(keys.map((key) => new WatchLog(client, key).live()));
  });

  afterEach(async () => {
    client.close();
    await Promise.all(taps.map((tap) => firstValueFrom(tap.close$())));
    await lastValueFrom(cluster.down$());
  });

  const since = (from: number): TappedRequest[] =>
    taps
      .flatMap(({ requests }) => requests)
      .filter(({ at }) => at >= from)
      .sort((a, b) => a.at - b.at);
  const countOf = (list: readonly { path?: string; key?: string }[], key: string): number =>
    list.filter((one) => one.key === key || one.path?.startsWith(`/v2/keys${key}?`)).length;
  const lossesSince = (from: number) =>
    told.filter((event) => event.type === 'watch-lost').filter(({ seenAt }) => seenAt >= from);
  const streams = (requests: readonly TappedRequest[]) =>
    requests.filter(({ path }) => path.includes('stream=true'));

  /** The most of them within any second. */
  const mostIn1s = (requests: readonly TappedRequest[]): number =>
    Math.max(0, ...requests.map(({ at }) => requests.filter((r) => r.at >= at && r.at < at + 1_000).length));

  /** Every watch sees what is written now. */
  async function expectWatchesLive(): Promise<void> {
    const written = await Promise.all(keys.map((key) => firstValueFrom(client.set$(key, 'seen'))));
    await Promise.all(logs.map((log, i) => log.reach(written[i]!.node.modifiedIndex)));
    expect(logs.map(({ lines }) => lines)).toEqual(keys.map((key) => [`set ${key}=seen`]));
  }

  it('survive the leader, and do not storm the others while they elect', async () => {
    const from = performance.now();
    await firstValueFrom(leader.kill$());
    await eventually(() => client.clusterState$.value.leader === undefined);
    const numbers = Array.from({ length: 500 }, (_, i) => i);
    const answers = await Promise.all([
      ...numbers.map((i) => firstValueFrom(client.set$(`/calls/${i}`, 'written once'))),
      ...numbers.map((i) => firstValueFrom(client.exists$(`/read/${i}`, { quorum: true }))),
    ]);
    expect(answers).toHaveLength(1_000);

    const named = told.find(
      (event) => event.type === 'leader-change' && event.seenAt >= from && event.leader !== undefined,
    )!.seenAt;
    const requests = since(from);
    // None of the calls left before there was a leader, and no write was sent twice.
    const calls = requests.filter(({ path }) => /\/(calls|read)\//.test(path));
    expect(calls.filter(({ at }) => at < named)).toEqual([]);
    expect(calls.filter(({ method }) => method === 'PUT')).toHaveLength(500);

    expect(mostIn1s(requests.filter(({ at }) => at < named))).toBeLessThan(mostPerSecond);
    // Of a watch one request for each time that it lost its place; some went to the dead leader.
    const losses = lossesSince(from);
    const reopened = streams(requests);
    expect(keys.filter((key) => countOf(reopened, key) > countOf(losses, key))).toEqual([]);
    expect(keys.filter((key) => countOf(losses, key) === 0)).toEqual([]);
    await expectWatchesLive();
  });

  it('have watches that ask again with growing delays, once for each, while nobody lets them in', async () => {
    const refusal = { errorCode: 300, message: 'Raft Internal Error', cause: 'no', index: 0 };
    for (const tap of taps)
      tap.instead = ({ path }) =>
        path.includes('wait=true') ? { status: 500, body: JSON.stringify(refusal) } : undefined;
    const from = performance.now();
    await firstValueFrom(leader.kill$());
    const steps = 5;
    await eventually(
      () => {
        const reopened = streams(since(from));
        return keys.every((key) => countOf(reopened, key) >= steps);
      },
      { within: 30_000 },
    );
    const reopened = streams(since(from));
    const losses = lossesSince(from);
    for (const key of keys) {
      const lostAt = losses.filter((event) => event.key === key).map(({ seenAt }) => seenAt);
      // Half of 50, 100, 200 ... ms at least; told by the client, as requests may arrive late and close to each other.
      const least = [25, 50, 100, 200, 400];
      const gaps = lostAt.slice(1).map((time, i) => time - lostAt[i]!);
      expect(gaps.filter((gap, i) => gap < least[i]! * 0.9)).toEqual([]);
      expect(gaps.length).toBeGreaterThanOrEqual(steps - 1);
      expect(countOf(reopened, key)).toBeLessThanOrEqual(lostAt.length);
    }
    for (const tap of taps) tap.instead = () => undefined;
    await expectWatchesLive();
  });

  it('do not ask each for itself whether a member lives that leaves them waiting', async () => {
    const tap = await firstValueFrom(startHttpTap(leader.clientUrl));
    taps.push(tap);
    tap.instead = ({ method }) => (method === 'PUT' ? 'silence' : undefined);
    const caller = new EtcdClient(
      [tap, ...taps].map(({ url }) => url),
      { discover: false, ...patient },
    );
    await firstValueFrom(caller.refreshCluster$());
    const limits = { timeout: 3_000, deadline: 4_000 };
    const ends = Array.from({ length: 1_000 }, (_, i) =>
      firstValueFrom(caller.set$(`/hung/${i}`, 'never', limits)).catch((error: unknown) => error),
    );
    const errors = await Promise.all(ends);
    caller.close();
    // Some were sent; the others waited for a free connection.
    expect(
      errors.filter((error) => !isOutcomeUnknown(error) && !isRequestTimeout(error)).slice(0, 3),
    ).toEqual([]);
    const probes = tap.requests.filter(({ path }) => path === '/v2/members/leader');
    expect(probes.length).toBeGreaterThan(0);
    // One for each call would be 1,000.
    expect(probes.length).toBeLessThan(100);
  });
});
