import {
  isWatchHistoryLost,
  ofAction,
  watchEvents,
  type ClientEvent,
  type EtcdClient,
  type OpenWatch,
  type WatchEvent,
  type WatchOptions,
} from 'rxetcd';
import {
  firstValueFrom,
  lastValueFrom,
  map,
  mergeMap,
  range,
  type Observable,
  type Subscription,
} from 'rxjs';
import { writeBurst } from '../../support/promises/burst-writer.js';
import { eventually } from '../../support/jest/eventually.js';
import { ScriptRunner } from '../../support/programs/run-script.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';
import { ordered, reliable, unique } from '../../support/promises/validators.js';
import { WatchLog } from '../../support/promises/watch-log.js';

/* Who watches the same shares one connection, and nothing else. */
const server = serverUnderTest();
let client: EtcdClient;
let key: string;

beforeEach(() => {
  client = server.client();
  key = server.key();
});

const set = (name: string, value: string) => firstValueFrom(client.set$(name, value));
const watch = (options?: WatchOptions, watcher = client, name = key) => {
  const log = new WatchLog(watcher, name, options);
  server.afterwards(() => log.unsubscribe());
  return log;
};
/** Subscribes until the test ends; what it has emitted so far. */
const collect = <T>(values$: Observable<T>): T[] => {
  const values: T[] = [];
  const subscription = values$.subscribe((value) => values.push(value));
  server.afterwards(() => subscription.unsubscribe());
  return values;
};
const restart = async () => {
  await firstValueFrom(server.member.restart$());
  await firstValueFrom(server.member.ready$());
};
/** The states in a row, each once. */
const stagesOf = (events: readonly ClientEvent[]) =>
  events.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1]);

test.each(['a directory', 'a key'])(
  '10,000 subscribers of %s hold one connection and see the same',
  async (what) => {
    const subscribers = 10_000;
    const changes = 20;
    const names = Array.from({ length: changes }, (_, i) => (what === 'a key' ? key : `${key}/${String(i)}`));
    const seen = Array.from({ length: subscribers }, (): number[] => []);
    const lists = collect(client.watches$);
    const running: Subscription[] = seen.map((indexes) =>
      client.watch$(key).subscribe(({ index }) => indexes.push(index)),
    );
    server.afterwards(() => running.forEach((subscription) => subscription.unsubscribe()));
    await eventually(() => expect(lists.at(-1)).toMatchObject([{ key, subscribers, state: 'live' }]));
    expect(await server.watchers()).toBe(1);

    const written: number[] = [];
    for (const [i, name] of names.entries()) written.push((await set(name, String(i))).node.modifiedIndex!);
    await eventually(() => seen.every((indexes) => indexes.length >= changes));
    expect(await server.watchers()).toBe(1);
    const different = seen.filter((indexes) => indexes.join() !== written.join());
    expect(different).toEqual([]);

    running.splice(0, subscribers - 1).forEach((subscription) => subscription.unsubscribe());
    await eventually(() => expect(lists.at(-1)).toMatchObject([{ subscribers: 1 }]));
  },
);

describe('a subscriber that throws', () => {
  test('harms nobody else, and its error is not swallowed', async () => {
    const runner = new ScriptRunner();
    server.afterwards(() => runner.remove());
    // In a process of its own, for its error is an uncaught exception.
    const { stdout, stderr, exitCode } = await runner.run(`
      import { EtcdClient } from './index.js';
      import { filter, firstValueFrom } from 'rxjs';
      const client = new EtcdClient('${server.url}');
      const uncaught = [];
      process.on('uncaughtException', ({ message }) => uncaught.push(message));
      const live = firstValueFrom(client.events$.pipe(filter(({ type }) => type === 'watch-live')));
      const seen = { before: [], thrower: [], after: [] };
      client.watch$('${key}').subscribe(({ node }) => seen.before.push(node.value));
      client.watch$('${key}').subscribe(({ node }) => {
        seen.thrower.push(node.value);
        throw new Error('thrown at ' + node.value);
      });
      client.watch$('${key}', { initial: true }).subscribe(({ node }) => seen.after.push(node.value ?? 'sync'));
      const until = async (condition) => {
        while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
      };
      await live;
      await until(() => seen.after.length === 1);
      for (const value of ['1', '2', '3']) await firstValueFrom(client.set$('${key}', value));
      await until(() => uncaught.length === 3 && seen.after.length === 4);
      console.log(JSON.stringify({ ...seen, uncaught }));
      client.close();
    `);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    const all = ['1', '2', '3'];
    expect(JSON.parse(stdout)).toEqual({
      before: all,
      thrower: all,
      after: ['sync', ...all],
      uncaught: all.map((value) => `thrown at ${value}`),
    });
  });

  test('whose `until` throws ends alone, with that error', async () => {
    const [other, thrower] = [
      watch(),
      watch({
        until: () => {
          throw new Error('no answer');
        },
      }),
    ];
    await other.live();
    for (const value of ['1', '2']) await set(key, value);
    await other.count(2);
    await eventually(() => expect(thrower.error).toEqual(new Error('no answer')));
    expect(thrower.lines).toEqual([`set ${key}=1`]);
    expect(other.error).toBeUndefined();
  });
});

describe('per subscriber', () => {
  test('until and initial are one’s own', async () => {
    await set(key, '0');
    const plain = await watch().live();
    const state = watch({ initial: true });
    const short = watch({ until: ({ node }) => node.value === '2' });
    await state.count(1);
    for (const value of ['1', '2', '3']) await set(key, value);
    await Promise.all([plain.count(3), state.count(4), short.until(() => short.completed)]);
    const lines = ['1', '2', '3'].map((value) => `set ${key}=${value}`);
    expect(plain.lines).toEqual(lines);
    expect(state.lines).toEqual([`sync ${key}=0`, ...lines]);
    expect(short.lines).toEqual(lines.slice(0, 2));
    expect(await server.watchers()).toBe(1);
  });

  test('onHistoryLost is: one ends, the other gets the state and goes on', async () => {
    // Without a heartbeat nobody tells the watch that the store moves on.
    const idle = server.client({ heartbeat: false });
    const [patient, strict] = [watch({}, idle), watch({ onHistoryLost: 'error' }, idle)];
    await Promise.all([patient.live(), strict.live()]);
    expect(await server.watchers()).toBe(1);
    await lastValueFrom(range(0, 1_100).pipe(mergeMap(() => client.set$(`${key}-flood`, ''), 32)));
    await restart();
    client = server.client();
    await set(key, 'there');
    await patient.until(() => patient.events.some(({ node }) => node.value === 'there'));
    await eventually(() => expect(isWatchHistoryLost(strict.error)).toBe(true));
    expect(strict.events).toEqual([]);
    expect(patient.events[0]?.action).toBe('resync');
    await set(key, 'next');
    await patient.until(() => patient.lines.at(-1) === `set ${key}=next`);
  });

  test('who comes late with initial gets the state, then all that follows, once, while somebody writes', async () => {
    const first = await watch().live();
    const writing = writeBurst(
      server.url,
      Array.from({ length: 3_000 }, (_, i) => ({ key: `${key}/${String(i)}`, value: String(i), at: i })),
      { seen: () => first.events.length },
    );
    const late: WatchLog[] = [];
    for (let i = 1; i <= 6; i += 1) {
      await first.count(i * 300);
      late.push(watch({ initial: true }));
    }
    const stored = await writing;
    const last = stored.at(-1)!.index;
    expect(reliable(await first.reach(last), stored)).toEqual([]);
    for (const log of late) {
      const events = await log.reach(last);
      const [sync, ...changes] = events;
      expect(sync?.action).toBe('sync');
      const after = stored.filter(({ index }) => index > sync!.index);
      // The writers were still at it, or nothing was tried.
      expect(after.length).toBeGreaterThan(0);
      expect([...ordered(events), ...unique(events), ...reliable(changes, after)]).toEqual([]);
      const held = (sync?.node.nodes ?? []).map((node) => node.modifiedIndex!).sort((a, b) => a - b);
      expect(held).toEqual(stored.filter(({ index }) => index <= sync!.index).map(({ index }) => index));
    }
    const watches = await firstValueFrom(client.watches$);
    expect(watches).toHaveLength(1);
    expect(watches[0]).toMatchObject({ subscribers: 7 });
  });
});

test('watches that differ in `recursive` or have a `fromIndex` do not share', async () => {
  const fromIndex = (await set(`${key}-mark`, '')).node.modifiedIndex! + 1;
  const lists = collect(client.watches$);
  const options: WatchOptions[] = [
    {},
    { recursive: true },
    { recursive: false },
    { fromIndex },
    { fromIndex },
  ];
  const logs = options.map((own) => watch(own));
  await eventually(() => {
    expect(lists.at(-1)?.map(({ state }) => state)).toEqual(['live', 'live', 'live', 'live']);
  });
  expect(lists.at(-1)?.map(({ recursive, subscribers }) => ({ recursive, subscribers }))).toEqual([
    { recursive: true, subscribers: 2 },
    { recursive: false, subscribers: 1 },
    { recursive: true, subscribers: 1 },
    { recursive: true, subscribers: 1 },
  ]);
  expect(new Set(lists.at(-1)?.map(({ id }) => id)).size).toBe(4);
  await eventually(async () => expect(await server.watchers()).toBe(4));
  await set(key, 'v');
  for (const log of logs) expect((await log.count(1)).map(({ action }) => action)).toEqual(['set']);
});

describe('grace', () => {
  test('who comes back within a second finds the connection as it was', async () => {
    const proxy = await server.proxy();
    const behind = server.client({ endpoints: proxy.url, discover: false, heartbeat: false });
    const stages = collect(behind.events$.pipe(watchEvents(key)));
    await firstValueFrom(behind.get$('/'));
    const before = await watch({}, behind).live();
    const [{ id, since } = { id: 0, since: new Date(0) }] = await firstValueFrom(behind.watches$);
    before.unsubscribe();
    const [left] = await firstValueFrom(behind.watches$);
    expect(left).toMatchObject({ id, since, subscribers: 0, state: 'live' });
    // A store that moved on proves that the connection outlives its subscriber, not just its entry in a list.
    await set(key, 'between');
    expect(await server.watchers()).toBe(1);
    const again = watch({}, behind);
    expect(await firstValueFrom(behind.watches$)).toMatchObject([
      { id, since, subscribers: 1, state: 'live' },
    ]);
    await set(key, 'after');
    await again.until(() => again.lines.at(-1) === `set ${key}=after`);
    expect(stagesOf(stages)).toEqual(['watch-live']);
  });

  test('behind it the server is rid of the watcher, and the next watch is another', async () => {
    const stages = collect(client.events$.pipe(watchEvents(key)));
    (await watch().live()).unsubscribe();
    const leftAt = performance.now();
    await eventually(async () => expect(await server.watchers()).toBe(0));
    expect(performance.now() - leftAt).toBeGreaterThan(900);
    expect(await firstValueFrom(client.watches$)).toEqual([]);
    expect(stagesOf(stages)).toEqual(['watch-live', 'watch-ended']);
    const again = await watch().live();
    await set(key, 'v');
    await again.count(1);
    expect(new Set(stages.map(({ id }) => id)).size).toBe(2);
  });
});

test('watches$ tells of each coming, going and change, and completes with the client', async () => {
  const lists: (readonly OpenWatch[])[] = [];
  let completed = false;
  client.watches$.subscribe({ next: (list) => lists.push(list), complete: () => (completed = true) });
  expect(lists).toEqual([[]]);
  const latest = () => lists.at(-1)!;
  const startedAt = Date.now();

  const one = await watch().live();
  const { node } = await set(key, 'v');
  await one.count(1);
  const two = watch({ recursive: false });
  await eventually(() => expect(latest().map(({ state }) => state)).toEqual(['live', 'live']));
  expect(latest()).toEqual([
    {
      id: expect.any(Number) as number,
      key,
      recursive: true,
      state: 'live',
      index: node.modifiedIndex,
      endpoint: server.url,
      subscribers: 1,
      since: expect.any(Date) as Date,
    },
    expect.objectContaining({ key, recursive: false, subscribers: 1 }),
  ]);
  const [open] = latest();
  expect(Math.abs(open!.since.getTime() - startedAt)).toBeLessThan(10_000);
  const third = watch();
  await eventually(() => expect(latest()[0]).toMatchObject({ id: open!.id, subscribers: 2 }));
  third.unsubscribe();
  await eventually(() => expect(latest()[0]).toMatchObject({ subscribers: 1 }));

  await firstValueFrom(server.member.kill$());
  server.afterwards(() => (server.member.state === 'running' ? undefined : restart()));
  await eventually(() => expect(latest()[0]).toMatchObject({ id: open!.id, state: 'lost', subscribers: 1 }));
  expect(latest()[0]!.since.getTime()).toBeGreaterThanOrEqual(open!.since.getTime());
  await restart();
  await eventually(() => expect(latest().map(({ state }) => state)).toEqual(['live', 'live']));

  two.unsubscribe();
  await eventually(() => expect(latest().map(({ id }) => id)).toEqual([open!.id]));
  expect(completed).toBe(false);
  client.close();
  expect(completed).toBe(true);
});

test('a watch whose member does not answer is on the list, without a place', async () => {
  const proxy = await server.proxy();
  proxy.pause();
  const behind = server.client({ endpoints: proxy.url, discover: false });
  const log = watch({}, behind);
  expect(await firstValueFrom(behind.watches$)).toEqual([
    {
      id: expect.any(Number) as number,
      key,
      recursive: true,
      state: 'connecting',
      subscribers: 1,
      since: expect.any(Date) as Date,
    },
  ]);
  proxy.resume();
  await log.live();
  expect(await firstValueFrom(behind.watches$)).toMatchObject([{ key, state: 'live', endpoint: proxy.url }]);
});

test('events$ tells each stage of a watch’s life, by its id and by its key', async () => {
  const proxy = await server.proxy();
  const behind = server.client({ endpoints: proxy.url, discover: false });
  const log = await watch({}, behind).live();
  const other = await watch({}, behind, `${key}-other`).live();
  const [{ id } = { id: 0 }] = await firstValueFrom(behind.watches$);
  const byId = collect(behind.events$.pipe(watchEvents(id)));
  const byKey = collect(behind.events$.pipe(watchEvents(key.slice(1))));
  const others = collect(behind.events$.pipe(watchEvents(`${key}-other`)));
  proxy.refuse();
  proxy.reset();
  await eventually(() => expect(stagesOf(byId)).toEqual(['watch-lost']));
  for (const value of ['1', '2', '3']) await set(key, value);
  await firstValueFrom(proxy.accept$());
  await log.count(3);
  await eventually(() => expect(byId.at(-1)?.type).toBe('watch-live'));
  await eventually(() => expect(others.at(-1)?.type).toBe('watch-live'));
  behind.close();
  expect(stagesOf(byId)).toEqual(['watch-lost', 'watch-catching-up', 'watch-live', 'watch-ended']);
  expect(byKey).toEqual(byId);
  for (const event of byId) expect(event).toMatchObject({ id, key });
  expect(byId.find(({ type }) => type === 'watch-lost')).toMatchObject({
    endpoint: proxy.url,
    reason: expect.any(String) as string,
  });
  expect(byId.at(-1)).toMatchObject({ durationMs: expect.any(Number) as number });
  expect(others.length).toBeGreaterThan(0);
  for (const event of others) expect(event).toMatchObject({ key: `${key}-other` });
  expect(new Set([id, ...others.map((event) => event.id)]).size).toBe(2);
  expect(other.error).toBeUndefined();
});

test('ofAction lets only these actions through, and narrows the type to them', async () => {
  const values: Observable<'set' | 'delete'> = client.watch$(key).pipe(
    ofAction('set', 'delete'),
    map(({ action }) => action),
  );
  // @ts-expect-error A watch has other events, too.
  const wider: Observable<'set' | 'delete'> = client.watch$(key).pipe(map(({ action }) => action));
  // @ts-expect-error No such action.
  ofAction('sett');
  const lost: Observable<number> = client.watch$(key).pipe(
    ofAction('resync'),
    map((event) => event.lost.from),
  );
  expect([wider, lost]).toHaveLength(2);

  const actions = collect(values);
  const whole: WatchEvent[] = collect(client.watch$(key));
  await watch().live();
  await firstValueFrom(client.create$(key, '1'));
  await set(key, '2');
  await firstValueFrom(client.update$(key, '3'));
  await firstValueFrom(client.delete$(key));
  await eventually(() => expect(whole).toHaveLength(4));
  expect(actions).toEqual(['set', 'delete']);
});
