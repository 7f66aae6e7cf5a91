import { firstValueFrom } from 'rxjs';
import { writeBurst } from '../support/promises/burst-writer.js';
import { eventually } from '../support/jest/eventually.js';
import { startHeaderStripper } from '../support/proxies/header-stripper.js';
import { startMiddlebox, type Middlebox } from '../support/middlebox/middlebox.js';
import type { NextLine } from '../support/middlebox/relay.js';
import { serverUnderTest } from '../support/etcd/server-under-test.js';
import { WatchLog } from '../support/promises/watch-log.js';

/*
 * Events that a middlebox keeps for a while, while other connections pass. Whatever goes wrong before the promise itself is asked
 * for, goes wrong in `beforeEach`, and makes these specs red.
 */
const server = serverUnderTest();
let box: Middlebox;
let release: () => void;

/** Holds all lines that are chosen behind so many bytes, until `release`. */
function hold(chosen: (next: NextLine) => boolean, bytes = 0): { readonly count: number } {
  const held = { count: 0 };
  const until = new Promise<void>((resolve) => (release = resolve));
  box.relay.delay = (next) => {
    if (!chosen(next)) return undefined;
    held.count += 1;
    return { bytes, until };
  };
  return held;
}
const letPass = () => {
  box.relay.delay = () => undefined;
  release();
};
const isPoll = ({ path }: NextLine) => path.includes('waitIndex=') && !path.includes('stream=true');

const put = async (key: string, value: string): Promise<number> => {
  const answer = await server.fetch(`/keys${key}`, { method: 'PUT', body: new URLSearchParams({ value }) });
  return ((await answer.json()) as { node: { modifiedIndex: number } }).node.modifiedIndex;
};
const watch = (endpoint: string, key: string, heartbeat: number | false): WatchLog => {
  const client = server.client({
    endpoints: endpoint,
    discover: false,
    heartbeat,
    retry: { initialDelay: 10, maxDelay: 50 },
  });
  const log = new WatchLog(client, key);
  server.afterwards(() => log.unsubscribe());
  client.watches$.subscribe(([first]) => (position = first?.index ?? 0));
  return log;
};
/** Up to where the watch is, as it says itself. */
let position = 0;
/** Waits for what may never come: the test says whether it did. */
const atMost = (within: number, condition: () => boolean) =>
  eventually(condition, { within }).catch(() => undefined);

beforeEach(async () => {
  position = 0;
  release = () => undefined;
  box = await firstValueFrom(startMiddlebox(server.url));
  server.afterwards(() => firstValueFrom(box.close$()));
  server.afterwards(() => letPass());
});

describe('a poll whose event is held behind its head while others answer', () => {
  let log: WatchLog;

  beforeEach(async () => {
    const key = server.key();
    log = await watch(box.url, key, 400).live();
    await put(key, 'first');
    await log.count(1);
    const held = hold(isPoll);
    // It is written while the watch is away: only its history has it.
    const legs = () => box.links.filter(({ asked }) => asked.includes('stream=true'));
    box.relay.page = 503;
    legs().forEach((link) => link.reset());
    const index = await put(key, 'second');
    box.relay.page = undefined;
    await eventually(() => held.count > 0);
    await atMost(4_000, () => position >= index);
    letPass();
    await put(key, 'third');
    await log.until(() => log.lines.some((line) => line.endsWith('=third')));
  });

  it('P2: it is told, or a resync makes up for it', () => {
    const told = log.events.map(({ action, node }) => (action === 'resync' ? action : node.value));
    expect([
      ['first', 'second', 'third'],
      ['first', 'resync', 'third'],
      ['first', 'resync'],
    ]).toContainEqual(told);
  });
});

describe('a stream that pauses in a burst, and is silenced by etcd', () => {
  const keys = 300;
  let expired = 0;

  beforeEach(async () => {
    const dir = server.key();
    const names = Array.from({ length: keys }, (_, i) => `${dir}/${i}`);
    // Their size makes sure that etcd cannot send as fast as it expires them.
    const value = 'x'.repeat(10_000);
    await writeBurst(
      server.url,
      names.map((key) => ({ key, value, ttl: 600 })),
    );
    const log = await watch(box.url, dir, false).live();
    let stream: NextLine | undefined;
    hold((next) => next.path.includes('stream=true') && (stream ??= next) === next);
    // Without an event, until they expire together.
    const body = new URLSearchParams({ refresh: 'true', prevExist: 'true', ttl: '1' });
    await Promise.all(names.map((key) => server.fetch(`/keys${key}`, { method: 'PUT', body })));
    // etcd has given the stream up, and all that it had for it has come.
    await eventually(async () => (await server.watchers()) === 0);
    let arrived = -1;
    await eventually(() => arrived === (arrived = stream?.arrived() ?? 0), { every: 200 });
    expect(arrived).toBeGreaterThan(96);
    expect(arrived).toBeLessThan(keys);
    // Now it passes, with a pause a little before its end, for as long as the poll takes that looks whether it still lives.
    const begin = release;
    const pause = hold((next) => {
      if (isPoll(next)) letPass();
      return next.passed === arrived - 6 && !isPoll(next);
    });
    begin();
    await eventually(() => pause.count === 1);
    await log.until(() => log.events.length >= arrived);
    await atMost(2_500, () => log.events.length === keys);
    expired = log.events.length;
  });

  it('P3: the rest comes', () => {
    expect(expired).toBe(keys);
  });
});

describe('a poll that brings half an event, while the store moves on', () => {
  let log: WatchLog;

  beforeEach(async () => {
    // Where headers cannot be read, watches poll.
    const stripper = await firstValueFrom(startHeaderStripper(box.url));
    server.afterwards(() => firstValueFrom(stripper.close$()));
    const key = server.key();
    log = await watch(stripper.url, key, 400).live();
    await put(key, 'first');
    await log.count(1);
    let isHalf = false;
    const held = hold((next) => {
      if (!next.path.includes(`${key}?`) || !next.path.includes('wait=true') || isHalf) return false;
      return (isHalf = true);
    }, 20);
    await put(key, 'second');
    await eventually(() => held.count === 1);
    await writeBurst(
      server.url,
      Array.from({ length: 300 }, (_, i) => ({ key: `${key}-other`, value: String(i) })),
    );
    await atMost(3_000, () => log.events.length === 2);
  });

  it('P7: the event is asked for again', () => {
    expect(log.lines.map((line) => line.split('=')[1])).toEqual(['first', 'second']);
  });
});
