import type { EtcdClient, WatchEvent } from 'rxetcd';
import { lastValueFrom, toArray } from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import { watchesUnderTest } from '../../support/etcd/watches-under-test.js';

const watches = watchesUnderTest();
const { server, set, watch } = watches;
let client: EtcdClient;
let key: string;

beforeEach(() => {
  ({ client, key } = watches);
});

describe('until', () => {
  test('is asked after its event was emitted, so that it can count what it has', async () => {
    const got: string[] = [];
    let over = false;
    client.watch$(key, { initial: true, until: () => got.length >= 2 }).subscribe({
      next: ({ node }) => got.push(node.value ?? ''),
      complete: () => (over = true),
    });
    await eventually(() => got.length === 1);
    await set(key, 'second');
    await set(key, 'third');
    await eventually(() => over);
    expect(got).toEqual(['', 'second']);
  });

  test('the accepted event is the last, and the server is rid of the watch', async () => {
    const log = await watch(key, { until: ({ node }) => node.value === 'stop' }).live();
    for (const value of ['1', 'stop', '2']) await set(key, value);
    await log.until(() => log.completed);
    expect(log.lines).toEqual([`set ${key}=1`, `set ${key}=stop`]);
    await eventually(async () => expect(await server.watchers()).toBe(0));
  });

  test('is asked of the state as well', async () => {
    await set(key, 'ready');
    const events = await lastValueFrom(
      client
        .watch$(key, { initial: true, until: ({ node }) => node.value === 'ready' })
        .pipe(toArray<WatchEvent>()),
    );
    expect(events.map(({ action }) => action)).toEqual(['sync']);
  });
});
