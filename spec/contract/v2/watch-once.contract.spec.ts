import { isRequestTimeout, type EtcdClient } from 'rxetcd';
import { filter, firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { lineOf, watchesUnderTest } from '../../support/etcd/watches-under-test.js';

const watches = watchesUnderTest();
const { server, set, remove, mark } = watches;
let client: EtcdClient;
let key: string;

beforeEach(() => {
  ({ client, key } = watches);
});

describe('watchOnce$', () => {
  test('emits the next change and completes', async () => {
    const live = firstValueFrom(client.events$.pipe(filter(({ type }) => type === 'watch-live')));
    const events = lastValueFrom(client.watchOnce$(key).pipe(toArray()));
    await live;
    await set(`${key}/a`, '1');
    await set(`${key}/b`, '2');
    expect((await events).map(lineOf)).toEqual([expect.stringMatching(`set ${key}/a=1$`)]);
    await eventually(async () => expect(await server.watchers()).toBe(0));
  });

  test('with fromIndex answers from history', async () => {
    const from = await mark();
    await set(`${key}/below`, '1');
    await set(key.concat('/below'), '2');
    const event = await firstValueFrom(client.watchOnce$(key, { fromIndex: from }));
    expect(lineOf(event)).toMatch(`set ${key}/below=1`);
  });

  test('without recursive waits for its own key', async () => {
    const from = await mark();
    await set(`${key}/below`, '1');
    await remove(key);
    const event = await firstValueFrom(client.watchOnce$(key, { fromIndex: from, recursive: false }));
    expect(lineOf(event)).toMatch(`delete ${key}=`);
  });

  test('ends in RequestTimeoutError when nothing comes in time, and the server is rid of it', async () => {
    const error = await rejectionOf(client.watchOnce$(key, { timeout: 50 }));
    expect(isRequestTimeout(error)).toBe(true);
    expect(error).toMatchObject({ name: 'RequestTimeoutError', timeoutMs: 50 });
    await eventually(async () => expect(await server.watchers()).toBe(0));
  });
});
