import {
  byRevision,
  EtcdClient,
  InvalidOptionError,
  isAllNodesDown,
  isClientClosed,
  isRequestTimeout,
  isUnsupportedByServer,
  isWatchHistoryLost,
  ofType,
  watchEvents,
  type ClientEvent,
  type OpenWatch,
  type RevisionEvent,
  type WatchEvent,
} from 'rxetcd/v3';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { firstValueFrom, lastValueFrom, mergeMap, range as numbers, type Observable } from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';
import { compactPast } from '../../support/v3/watch-bed.js';

/* The client as its users have it, on a server with the flags that it comes with. */

const server = serverUnderTest();
let client: EtcdClient;
let key: string;
const once = <T>(calls$: Observable<T>): Promise<T> => firstValueFrom(calls$);

beforeEach(() => {
  client = new EtcdClient(server.url);
  server.afterwards(() => client.close());
  key = server.key();
});

/** What a watch tells from now on, and as what it ends. */
function follow<E>(events$: Observable<E>): { events: E[]; error?: unknown; stop: () => void } {
  const log: { events: E[]; error?: unknown; stop: () => void } = { events: [], stop: () => undefined };
  const subscription = events$.subscribe({
    next: (event) => log.events.push(event),
    error: (error: unknown) => (log.error = error),
  });
  log.stop = () => subscription.unsubscribe();
  server.afterwards(log.stop);
  return log;
}
const lineOf = (event: WatchEvent): string =>
  event.type === 'put'
    ? `put ${event.kv.value}`
    : event.type === 'delete'
      ? 'delete'
      : 'kvs' in event
        ? `${event.type} ${event.kvs.map(({ value }) => value).join(' ')}`
        : event.type;

describe('the cluster', () => {
  test('is followed: its member, who leads, a quorum, all by the probes of the v3 API', async () => {
    const connected = await once(EtcdClient.connect$(server.url));
    server.afterwards(() => connected.close());
    const { members, leader, hasQuorum } = connected.clusterState$.value;
    expect(members).toHaveLength(1);
    expect(leader?.id).toBe(members[0]!.id);
    expect(hasQuorum).toBe(true);
    expect(String(connected)).toBe(`EtcdClient (open) ${server.url}`);
    expect((await once(connected.leader$()))?.isLeader).toBe(true);
    expect((await once(connected.refreshCluster$())).leader?.id).toBe(leader?.id);
  });

  test('tells its releases and its health', async () => {
    expect((await once(client.version$())).etcdserver).toBe(server.version);
    expect(await once(client.versions$())).toMatchObject({
      endpoint: server.url,
      etcdserver: server.version,
    });
    expect(await once(client.health$())).toMatchObject({ endpoint: server.url, healthy: true });
  });

  test('that is not there is told by the deadline, and by name', async () => {
    const nobody = await rejectionOf(EtcdClient.connect$('127.0.0.1:1', { deadline: 300 }));
    expect(isAllNodesDown(nobody)).toBe(true);
  });

  test('that is none is told at once', async () => {
    const page = createServer((_, response) => response.end('<html>'));
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    server.afterwards(() => page.close());
    const { port } = page.address() as AddressInfo;
    await expect(rejectionOf(EtcdClient.connect$(`127.0.0.1:${port}`))).resolves.toMatchObject({
      code: 'UNEXPECTED_RESPONSE',
    });
  });

  test('without the v3 API is told by its release', async () => {
    const old = createServer((request, response) => {
      response.statusCode = request.url === '/version' ? 200 : 404;
      response.end(
        request.url === '/version' ? '{"etcdserver":"3.2.32","etcdcluster":"3.2.0"}' : '404 page not found\n',
      );
    });
    await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
    server.afterwards(() => old.close());
    const { port } = old.address() as AddressInfo;
    const error = await rejectionOf(EtcdClient.connect$(`127.0.0.1:${port}`));
    expect(isUnsupportedByServer(error)).toBe(true);
    expect(String(error)).toContain('etcd 3.2.32 is older than 3.4.0');
  });
});

describe('a watch', () => {
  test('starts with the state, has caught up, and follows', async () => {
    await once(client.put$(`${key}/a`, '1'));
    const log = follow(client.watch$({ prefix: `${key}/` }, { initial: true, live: true }));
    await eventually(() => log.events.some(({ type }) => type === 'live'));
    await once(client.put$(`${key}/a`, '2'));
    await once(client.delete$(`${key}/a`));
    await eventually(() => log.events.length === 4);
    expect(log.events.map(lineOf)).toEqual(['sync 1', 'live', 'put 2', 'delete']);
  });

  test('shared by those who want the same, and listed as one', async () => {
    let watches: readonly OpenWatch[] = [];
    const listing = client.watches$.subscribe((list) => (watches = list));
    server.afterwards(() => listing.unsubscribe());
    const range = { prefix: `${key}/` };
    const first = follow(client.watch$(range));
    const second = follow(client.watch$({ prefix: new TextEncoder().encode(`${key}/`) }, { live: true }));
    const other = follow(client.watch$(range, { prevKv: true }));
    await eventually(() => watches.length === 2 && watches.every(({ state }) => state === 'live'));
    expect(watches.map(({ subscribers, prevKv }) => [subscribers, prevKv])).toEqual([
      [2, false],
      [1, true],
    ]);
    expect(watches[0]).toMatchObject({ range, key: `${key}/*`, endpoint: server.url });
    await once(client.put$(`${key}/a`, '1'));
    await once(client.put$(`${key}/a`, '2'));
    await eventually(() => [first, second, other].every(({ events }) => lineOf(events.at(-1)!) === 'put 2'));
    expect(other.events.map((event) => 'prevKv' in event && event.prevKv.value)).toEqual([false, '1']);
    [first, second, other].forEach(({ stop }) => stop());
    await eventually(() => watches.length === 0);
  });

  test('of one kind of events; the next event alone', async () => {
    const puts = follow(client.watch$(key, { only: 'put', live: true }));
    const deletion = once(client.watchOnce$(key, { only: 'delete', fromRevision: 1 }));
    await eventually(() => puts.events.length === 1);
    await once(client.put$(key, '1'));
    await once(client.delete$(key));
    await once(client.put$(key, '2'));
    await eventually(() => puts.events.length === 3);
    expect(puts.events.map(lineOf)).toEqual(['live', 'put 1', 'put 2']);
    expect((await deletion).type).toBe('delete');
    expect(isRequestTimeout(await rejectionOf(client.watchOnce$(key, { timeout: 50 })))).toBe(true);
  });

  test('tells how far its member is', async () => {
    const log = follow(client.watch$(key, { progress: true }));
    await eventually(() => log.events.length > 0);
    const { revision } = (await once(client.get$(key))).info;
    expect(log.events[0]).toEqual({ type: 'progress', revision });
  });

  test('revision by revision', async () => {
    const log = follow<RevisionEvent>(client.watch$({ prefix: key }, { live: true }).pipe(byRevision()));
    await eventually(() => log.events.length === 1);
    const put = (name: string) => ({
      request_put: { key: Buffer.from(key + name), value: Buffer.from(name) },
    });
    const { header } = await once(client.raw$('KV', 'Txn', { success: [put('a'), put('b')] }));
    await once(client.put$(key, 'c'));
    await eventually(() => log.events.length === 3);
    expect(log.events.slice(1)).toMatchObject([
      { type: 'revision', revision: header?.revision, events: [{ type: 'put' }, { type: 'put' }] },
      { type: 'revision', events: [{ type: 'put' }] },
    ]);
  });

  test('ends where its user says; one type of events', async () => {
    const last = lastValueFrom(
      client
        .watch$(key, { fromRevision: 1, until: (event) => event.type === 'delete' })
        .pipe(ofType('put', 'delete')),
    );
    await once(client.put$(key, '1'));
    await once(client.delete$(key));
    await once(client.put$(key, '2'));
    expect((await last).type).toBe('delete');
  });

  test('whose history is compacted away: the state and what is lost, or an error', async () => {
    const from = (await once(client.put$(key, '1'))).info.revision;
    await once(client.put$(key, '2'));
    const { revision } = (await once(client.put$(key, '3'))).info;
    await compactPast(server.url, revision);
    const log = follow(client.watch$(key, { fromRevision: from, live: true }));
    const failed = follow(client.watch$(key, { fromRevision: from, onHistoryLost: 'error' }));
    await eventually(() => log.events.length === 2 && failed.error !== undefined);
    const lost = { reason: 'compacted', from, to: revision };
    expect(log.events).toMatchObject([
      { type: 'resync', reason: 'compacted', lost, revision, kvs: [{ value: '3' }] },
      { type: 'live', revision },
    ]);
    expect(isWatchHistoryLost(failed.error) && failed.error.lost).toEqual(lost);
  });

  test('that is idle is not outrun by a compaction, where its member tells its progress in order', async () => {
    const proxy = await server.proxy();
    const own = new EtcdClient(proxy.url, { discover: false });
    server.afterwards(() => own.close());
    const log = follow(own.watch$(key, { live: true, progress: true }));
    await eventually(() => log.events.some(({ type }) => type === 'live'));
    const puts = numbers(0, 1_500).pipe(mergeMap((i) => own.put$(`${key}-other`, String(i)), 32));
    const { revision } = (await lastValueFrom(puts)).info;
    const tellsInOrder = server.release !== '3.4';
    if (tellsInOrder)
      await eventually(() =>
        log.events.some((event) => event.type === 'progress' && event.revision > revision - 500),
      );
    await compactPast(server.url, revision - 500);
    proxy.reset();
    await once(client.put$(key, 'next'));
    await eventually(() => log.events.some(({ type }) => type === 'put' || type === 'resync'));
    const told = log.events.filter(({ type }) => type === 'put' || type === 'resync');
    expect(told.map(lineOf)).toEqual([tellsInOrder ? 'put next' : 'resync next']);
  });

  test('of a key that looks like a directory gives a hint; what it is told of itself', async () => {
    const told: ClientEvent[] = [];
    client.events$.subscribe((event) => told.push(event));
    const stages: string[] = [];
    client.events$.pipe(watchEvents(`${key}/`)).subscribe(({ type }) => stages.push(type));
    follow(client.watch$(`${key}/`));
    await eventually(() => stages.includes('watch-live'));
    expect(told.filter(({ type }) => type === 'hint')).toMatchObject([
      { operation: `watch ${key}/`, hint: expect.stringContaining(`{ prefix: '${key}/' }`) as string },
    ]);
  });

  test('completes when the client is closed; then nothing is to be had', async () => {
    const completed = lastValueFrom(client.watch$(key, { live: true, until: () => false }));
    await once(client.watch$(key, { live: true }));
    client.close();
    expect((await completed).type).toBe('live');
    expect(isClientClosed(await rejectionOf(client.watch$(key)))).toBe(true);
    expect(isClientClosed(await rejectionOf(client.get$(key)))).toBe(true);
  });

  test.each([
    ['range', { prefix: '' }, {}],
    ['fromRevision', 'k', { fromRevision: 0 }],
    ['fromRevision', 'k', { fromRevision: 5, initial: true }],
    ['only', 'k', { only: 'set' }],
    ['until', 'k', { until: true }],
    ['recursive', 'k', { recursive: true }],
  ])('refuses a bad %s', async (option, range, options) => {
    const error = await rejectionOf(client.watch$(range, options as never));
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect((error as InvalidOptionError).option).toMatch(option);
  });
});

describe("etcd's own calls", () => {
  test('by name, with their messages', async () => {
    const { ID, TTL } = await once(client.raw$('Lease', 'LeaseGrant', { TTL: 60 }, { endpoint: server.url }));
    expect(TTL).toBe(60);
    await once(client.put$(key, 'v', { lease: ID }));
    const { keys } = await once(client.raw$('Lease', 'LeaseTimeToLive', { ID, keys: true }));
    expect(keys.map((bytes) => Buffer.from(bytes).toString())).toEqual([key]);
    await once(client.raw$('Lease', 'LeaseRevoke', { ID }));
    expect(await once(client.exists$(key))).toBe(false);
  });

  test.each([
    ['service', ['Kv', 'Range', {}]],
    ['method', ['KV', 'range', {}]],
    ['method', ['Watch', 'Watch', {}]],
    ['message', ['KV', 'Range', 'k']],
    ['endpoint', ['KV', 'Range', {}, { endpoint: 'http://elsewhere:2379' }]],
  ])('a bad %s is refused', async (option, args) => {
    const raw = client.raw$.bind(client) as (...given: unknown[]) => Observable<unknown>;
    await expect(rejectionOf(raw(...args))).resolves.toMatchObject({ code: 'INVALID_OPTION', option });
  });
});
