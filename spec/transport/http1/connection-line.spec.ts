import { Agent } from 'node:http';
import axios from 'axios';
import { EtcdClient, type ClientOptions } from 'rxetcd';
import {
  lastValueFrom,
  map,
  materialize,
  mergeMap,
  NEVER,
  range,
  ReplaySubject,
  share,
  Subject,
  take,
  toArray,
} from 'rxjs';
import { wasSent, type Trace } from '../../../lib/transport/transport.js';
import { eventually } from '../../support/jest/eventually.js';
import type { ScriptedAction } from '../../support/scripted/scripted-action.js';
import { failureOf, scriptedTransports } from '../scripted-transports.js';
import { setAll, slowEtcd } from './slow-etcd.js';

/* Calls that wait for a connection which others use. */
const scripted = scriptedTransports();
const { serve, open, requestOf } = scripted;
const clients: EtcdClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

function clientOf(options: ClientOptions): EtcdClient {
  const client = new EtcdClient({ endpoints: scripted.server.url, ...options });
  clients.push(client);
  return client;
}

test('what never left by the deadline is no unknown outcome, and probes nobody', async () => {
  await serve(slowEtcd(() => NEVER).handler);
  const client = clientOf({ deadline: 2_500, timeout: 60_000, heartbeat: false });
  const ends = await setAll(client, 300);
  expect(ends).toHaveLength(300);
  const unsent = ends.filter((end) => end.startsWith('RequestTimeoutError'));
  expect(unsent.length).toBeGreaterThan(0);
  expect(ends.filter((end) => end.startsWith('OutcomeUnknownError'))).toHaveLength(300 - unsent.length);
  const keys = new Set(unsent.map((end) => /\/k\d+/.exec(end)?.[0] ?? ''));
  const arrived = scripted.server.requests.map(({ path }) => path.slice('/v2/keys'.length));
  expect(arrived.filter((key) => keys.has(key))).toEqual([]);
  // Those that were sent had their member checked, all at once; those in line nobody.
  expect(scripted.server.requests.filter(({ path }) => path === '/v2/members/leader').length).toBeLessThan(
    20,
  );
});

test('a request in the line has no time of its own, and is unsent', async () => {
  const release$ = new Subject<ScriptedAction>();
  await serve(() => release$);
  const transport = open('undici');
  const trace: Trace = {};
  const busy = Array.from({ length: 128 }, () => transport.exchange$(requestOf()).subscribe());
  await eventually(() => scripted.server.requests.length === 128);
  const waiting = transport.exchange$(requestOf({ method: 'PUT', timeout: 50 }), trace).subscribe();
  expect([wasSent(trace), trace.exchange?.since]).toEqual([false, undefined]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  // Its timeout has passed many times over, and it waits.
  expect([waiting.closed, wasSent(trace)]).toEqual([false, false]);
  waiting.unsubscribe();
  busy.forEach((one) => {
    one.unsubscribe();
  });
});

test('a timeout that begins with the connection ends what is not answered', async () => {
  await serve(() => ({ silence: true }));
  const error = await failureOf(open('undici').exchange$(requestOf({ timeout: 100 })));
  expect(error).toMatchObject({ kind: 'timeout', sent: true, timeoutMs: 100 });
});

describe.each<[string, number, () => ClientOptions]>([
  ['undici', 128, () => ({})],
  ["the user's axios over http", 128, () => ({ axios: axios.create({ adapter: 'http' }) })],
  [
    "an agent of the user's own",
    10,
    () => ({ axios: axios.create({ httpAgent: new Agent({ keepAlive: true, maxSockets: 10 }) }) }),
  ],
])('a connection that comes free: %s', (_, slots, options) => {
  test('takes nothing that is due by then', async () => {
    const release$ = new ReplaySubject<ScriptedAction>(1);
    await serve(slowEtcd(() => release$).handler);
    const client = clientOf({ ...options(), heartbeat: false, probeTimeout: 50_000 });
    await lastValueFrom(client.refreshCluster$());
    const busy = range(0, slots).pipe(
      mergeMap((i) => client.set$(`/busy${String(i)}`, 'v')),
      share(),
    );
    let due = 0;
    // The first answer keeps the event loop busy until the deadline of those in line has passed: the other answers, which
    // lie in their sockets, are read before any timer.
    busy.pipe(take(1)).subscribe(() => {
      while (performance.now() < due + 20);
    });
    const answered = lastValueFrom(busy.pipe(toArray()));
    const arrived = (): string[] => scripted.server.requests.map(({ path }) => path);
    await eventually(() => arrived().filter((path) => path.includes('/busy')).length >= slots);
    const deadline = 1_000;
    const behind = lastValueFrom(
      range(0, 50).pipe(
        mergeMap((i) => client.set$(`/behind${String(i)}`, 'v', { deadline }).pipe(materialize())),
        map((end) => (end.kind === 'E' ? String(end.error) : end.kind)),
        toArray(),
      ),
    );
    due = performance.now() + deadline;
    release$.next({ status: 200 });
    expect(await answered).toHaveLength(slots);
    const ends = await behind;
    // The connection of the first answer may have been given on before anybody heard of that.
    expect(ends.filter((end) => end.startsWith('RequestTimeoutError')).length).toBeGreaterThanOrEqual(49);
    const sent = arrived().flatMap((path) => (path.includes('/behind') ? [path.split('/').at(-1)] : []));
    const unsure = ends.flatMap((end) => (end.startsWith('OutcomeUnknownError') ? [end] : []));
    expect(unsure.map((end) => /behind\d+/.exec(end)?.[0])).toEqual(sent);
    // And it is still good.
    const before = scripted.server.accepted;
    await lastValueFrom(client.set$('/after', 'v'));
    expect(scripted.server.accepted - before).toBeLessThanOrEqual(1);
  });
});
