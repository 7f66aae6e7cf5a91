import { defer, of, throwError, timer, map, type Observable } from 'rxjs';
import { resolveOptions } from '../../../lib/options.js';
import type { HttpRequest, HttpResponse } from '../../../lib/transport/http.js';
import { TransportError } from '../../../lib/transport/transport-error.js';
import type { V2Context } from '../../../lib/v2/context.js';
import { storeIndex$ } from '../../../lib/v2/watch/store-index.js';
import type { StoreIndex } from '../../../lib/v2/watch/read-index.js';
import { Watermark } from '../../../lib/v2/watermark.js';

/** What the store's index is, or how asking for it fails; answered after 10 ms. */
let store: number | Error;
/** The header cannot be read, only the body. */
let blind: boolean;
let requests: (HttpRequest & { at: number })[];
let watermark: Watermark;

function pulseOf(
  heartbeat: number | false,
  key: string | (() => string | undefined) = '/a',
): Observable<StoreIndex> {
  const exchange$ = (request: HttpRequest): Observable<HttpResponse> =>
    defer(() => {
      requests.push({ ...request, at: performance.now() });
      return timer(10).pipe(
        map((): HttpResponse => {
          if (store instanceof Error) throw store;
          const index = String(store);
          return {
            status: 404,
            headers: {
              get: (name) => (name === 'x-etcd-index' && !blind ? index : undefined),
              toJSON: () => ({}),
            },
            body: `{"errorCode":100,"message":"Key not found","cause":"/a/_rxetcd","index":${index}}`,
          };
        }),
      );
    });
  const context = {
    settings: resolveOptions({ heartbeat, probeTimeout: 77 }),
    cluster: {
      watchEndpoint$: () => of('http://leader'),
      sawTerm: () => undefined,
      heard: () => undefined,
    },
    transport: { exchange$ },
    watermark,
  } as unknown as V2Context;
  return storeIndex$(context, typeof key === 'string' ? () => key : key);
}

beforeEach(() => {
  jest.useFakeTimers();
  store = 5;
  blind = false;
  requests = [];
  watermark = new Watermark();
});
afterEach(() => jest.useRealTimers());

/** The pauses between the answer to one request and the next request. */
const pauses = () => requests.slice(1).map((r, i) => r.at - (requests[i]?.at ?? 0) - 10);

describe('storeIndex$', () => {
  test('tells the index of the store where the watches are, and when it was asked', () => {
    const begun = performance.now();
    const seen: StoreIndex[] = [];
    pulseOf(5_000).subscribe((reading) => seen.push(reading));
    jest.advanceTimersByTime(10);
    expect(seen).toEqual([
      { endpoint: 'http://leader', index: 5, sentAt: begun, answered: true, denied: false },
    ]);
    expect(watermark.value).toBe(5);
    expect(requests).toMatchObject([{ path: '/v2/keys/a/_rxetcd', timeout: 77, pool: 'watch' }]);
  });

  test('asks below the key that is watched, also at the root', () => {
    pulseOf(5_000, '/').subscribe();
    pulseOf(5_000, '/a b').subscribe();
    expect(requests.map((r) => r.path)).toEqual(['/v2/keys/_rxetcd', '/v2/keys/a%20b/_rxetcd']);
  });

  test('where headers cannot be read, the body tells', () => {
    blind = true;
    const seen: number[] = [];
    pulseOf(5_000).subscribe(({ index }) => seen.push(index));
    jest.advanceTimersByTime(10);
    expect([seen, watermark.value]).toEqual([[5], 5]);
  });

  test.each([
    [5_000, 3_000],
    [3_000, 3_000],
    [2_000, 2_000],
    [500, 500],
  ])('with a heartbeat of %i ms it beats every %i ms while the store is quiet', (heartbeat, expected) => {
    pulseOf(heartbeat).subscribe();
    jest.advanceTimersByTime(4 * (expected + 10) + 5);
    expect(pauses()).toEqual([expected, expected, expected, expected]);
  });

  test.each([
    [5_000, 1_100],
    [500, 500],
  ])('with a heartbeat of %i ms it beats every %i ms while the store moves fast', (heartbeat, fast) => {
    const subscription = pulseOf(heartbeat).subscribe(() => (store = (store as number) + 101));
    store = 1_000;
    jest.advanceTimersByTime(3 * (fast + 10) + 5);
    expect(pauses()).toEqual([fast, fast, fast]);
    subscription.unsubscribe();
  });

  test('and slowly again when that is over; 100 events between two beats are not fast', () => {
    let growth = 101;
    pulseOf(5_000).subscribe(() => (store = (store as number) + growth));
    jest.advanceTimersByTime(3_010 + 1_110 + 5);
    growth = 100;
    jest.advanceTimersByTime(1_110 + 3_010 + 3_010);
    expect(pauses()).toEqual([3_000, 1_100, 1_100, 3_000, 3_000]);
  });

  test('a failure does not end it: it says so and asks again', () => {
    store = new TransportError('reset', 'ECONNRESET', true);
    const seen: unknown[] = [];
    pulseOf(1_000).subscribe({
      next: (p) => seen.push(p.answered && p.index),
      error: (e: unknown) => seen.push(e),
    });
    jest.advanceTimersByTime(1_500);
    expect(seen).toEqual([false, false]);
    store = 9;
    jest.advanceTimersByTime(1_000);
    expect(seen).toEqual([false, false, 9]);
  });

  test('is shared by all watches, and ends a second after the last of their legs', () => {
    const shared$ = pulseOf(3_000);
    const first = shared$.subscribe();
    const second = shared$.subscribe();
    expect(requests).toHaveLength(1);
    first.unsubscribe();
    jest.advanceTimersByTime(3_020);
    expect(requests).toHaveLength(2);
    second.unsubscribe();
    jest.advanceTimersByTime(1_000);
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(10_000);
    expect(requests).toHaveLength(2);
    // And begins anew with the next.
    shared$.subscribe();
    expect(requests).toHaveLength(3);
  });

  test('a watch that leaves and comes again with each event of its polls does not ask anew', () => {
    const shared$ = pulseOf(3_000);
    for (let i = 0; i < 20; i += 1) {
      const subscription = shared$.subscribe();
      jest.advanceTimersByTime(100);
      subscription.unsubscribe();
      jest.advanceTimersByTime(10);
    }
    expect(requests).toHaveLength(1);
  });

  test('without any watch left it ends at once', () => {
    let key: string | undefined = '/a';
    const subscription = pulseOf(3_000, () => key).subscribe();
    key = undefined;
    subscription.unsubscribe();
    expect(jest.getTimerCount()).toBe(0);
  });

  test('with heartbeat: false there is none', () => {
    pulseOf(false).subscribe();
    jest.advanceTimersByTime(60_000);
    expect(requests).toEqual([]);
  });

  test('between two beats it keeps no process alive', () => {
    const timers: NodeJS.Timeout[] = [];
    const fake = setTimeout;
    const spy = jest.spyOn(globalThis, 'setTimeout').mockImplementation((work: () => void, ms?: number) => {
      const handle = fake(work, ms);
      timers.push(handle);
      return handle;
    });
    const subscription = pulseOf(1_000).subscribe();
    jest.advanceTimersByTime(10);
    expect(timers.map((t) => t.hasRef())).toEqual([false]);
    subscription.unsubscribe();
    spy.mockRestore();
  });
});

test('an error thrown while the endpoint is chosen is a failure like others', () => {
  const context = {
    settings: resolveOptions(),
    cluster: { watchEndpoint$: () => throwError(() => new Error('none')) },
    transport: {},
  } as unknown as V2Context;
  const errors: unknown[] = [];
  const subscription = storeIndex$(context, () => '/').subscribe({ error: (e: unknown) => errors.push(e) });
  jest.advanceTimersByTime(10_000);
  expect(errors).toEqual([]);
  subscription.unsubscribe();
});
