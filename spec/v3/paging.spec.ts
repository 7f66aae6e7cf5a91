import { firstValueFrom, lastValueFrom, of, throwError, toArray, type Observable } from 'rxjs';
import { Fault } from '../../lib/cluster/fault.js';
import { EtcdApiError, ResponseTooLargeError } from '../../lib/errors.js';
import { tooLarge } from '../../lib/transport/refusals.js';
import { CompactedError } from '../../lib/v3/errors.js';
import { allOf$, pages$, StoreChanged, type Page } from '../../lib/v3/paging.js';
import { decodeJson } from '../../lib/v3/wire/json-codec.js';
import type { Message } from '../../lib/v3/wire/messages.js';
import { rejectionOf } from '../support/jest/rejection.js';
import { header } from './wire/answers.js';

type Request = Message<'RangeRequest'>;

const bounds = { key: Uint8Array.of(0), range_end: Uint8Array.of(0) };
const soon = { initialDelay: 1, maxDelay: 1 };
const word = {
  errorCode: 11,
  message: 'mvcc: required revision has been compacted',
  reason: '',
  index: 0,
  status: 400,
};
const compacted = new CompactedError('range', word);

/** A store of keys `0`, `1` and so on, with values of those sizes, that notes what it was asked for. */
class Store {
  readonly asked: { readonly from: number; readonly limit: number; readonly revision: number | undefined }[] =
    [];
  /** What goes wrong, one request after the other. */
  readonly faults: (Error | undefined)[] = [];
  revision = 7;
  clusterId = '1';

  constructor(readonly sizes: readonly number[]) {}

  readonly read$ = ({ key = bounds.key, limit = 0, revision }: Request): Observable<Page> => {
    // Behind the key that was read last stands a zero.
    const from = key.length === 1 ? 0 : Number(Buffer.from(key.subarray(0, -1)).toString()) - 99_999;
    this.asked.push({ from, limit, revision });
    const fault = this.faults.shift();
    if (fault !== undefined) return throwError(() => fault);
    const kvs = this.sizes.slice(from, from + limit).map((size, i) => ({
      key: Buffer.from(String(from + i + 100_000)).toString('base64'),
      value: Buffer.alloc(size).toString('base64'),
    }));
    const answer = decodeJson('RangeResponse', {
      header: { ...header, cluster_id: this.clusterId, revision: String(this.revision++) },
      kvs,
      count: String(this.sizes.length - from),
      more: from + kvs.length < this.sizes.length,
    });
    return of({ answer });
  };
}

const sizesOf = (pages: readonly Page[]): number[] => pages.map(({ answer }) => answer.kvs.length);
const read = (store: Store, request: Partial<Request> = {}, size?: number) =>
  lastValueFrom(pages$({ ...bounds, ...request }, store.read$, size).pipe(toArray()));
const small = (count: number): number[] => Array.from({ length: count }, () => 10);

test('all pages are read at the revision of the first, each from behind the last key', async () => {
  const store = new Store(small(2_500));
  expect(sizesOf(await read(store))).toEqual([1_000, 1_000, 500]);
  expect(store.asked).toEqual([
    { from: 0, limit: 1_000, revision: undefined },
    { from: 1_000, limit: 1_000, revision: 7 },
    { from: 2_000, limit: 1_000, revision: 7 },
  ]);
});

test('or at the one that is wanted', async () => {
  const store = new Store(small(3));
  expect(sizesOf(await read(store, { revision: 5 }, 2))).toEqual([2, 1]);
  expect(store.asked.map(({ revision }) => revision)).toEqual([5, 5]);
});

test.each([
  [1_000, [1_000]],
  [1_001, [1_000, 1]],
  [2_000, [1_000, 1_000]],
  [9_999, [1_000, 1_000, 500]],
])('a limit of %i over all', async (limit, expected) => {
  const store = new Store(small(2_500));
  expect(sizesOf(await read(store, { limit }))).toEqual(expected);
});

test('an empty range is one empty page', async () => {
  expect(sizesOf(await read(new Store([])))).toEqual([0]);
});

test('a page has about 1 MiB, by the size of those before', async () => {
  const sizes = [...small(1_000), ...Array.from({ length: 30 }, () => 100_000)];
  const store = new Store([...sizes.slice(0, 1_000), ...sizes.slice(1_000)]);
  expect(sizesOf(await read(store))).toEqual([1_000, 30]);
  const heavy = new Store(Array.from({ length: 1_100 }, () => 100_000));
  const [first, ...rest] = sizesOf(await read(heavy));
  expect(first).toBe(1_000);
  expect(new Set(rest)).toEqual(new Set([10]));
});

test.each([
  ['in a call', () => new ResponseTooLargeError('range', 1)],
  ['of a member', () => tooLarge(1, 'range')],
])('a page that is too large is read in smaller ones (%s)', async (_, error) => {
  const store = new Store(small(300));
  store.faults.push(error(), error());
  expect(sizesOf(await read(store))).toEqual([15, 285]);
  expect(store.asked.map(({ limit }) => limit)).toEqual([1_000, 125, 15, 1_000]);
});

test('a single key that is too large is the end, and so is a page of a size that was wanted', async () => {
  const store = new Store(small(300));
  const error = new ResponseTooLargeError('range', 1);
  store.faults.push(...Array.from({ length: 10 }, () => error));
  expect(await rejectionOf(pages$(bounds, store.read$))).toBe(error);
  expect(store.asked.map(({ limit }) => limit)).toEqual([1_000, 125, 15, 1]);
  const sized = new Store(small(300));
  sized.faults.push(error);
  expect(await rejectionOf(pages$(bounds, sized.read$, 100))).toBe(error);
});

test('who wants no more pages has none read', async () => {
  const store = new Store(small(2_500));
  await firstValueFrom(pages$(bounds, store.read$));
  expect(store.asked).toHaveLength(1);
});

test('pages of two clusters are none', async () => {
  const store = new Store(small(1_500));
  const call$ = pages$(bounds, (request) => {
    if (store.asked.length === 1) store.clusterId = '2';
    return store.read$(request);
  });
  expect(await rejectionOf(call$)).toBeInstanceOf(StoreChanged);
});

describe('all of them', () => {
  const whole = (store: Store, count?: number) => allOf$(pages$(bounds, store.read$), soon, count);
  const fault = new Fault({ summary: '400', errorCode: 11, toError: () => compacted });

  test.each([
    ['a call', compacted],
    ['a member', fault],
  ])('are read anew once their revision is gone: the word of %s', async (_, error) => {
    const store = new Store(small(1_500));
    store.faults.push(undefined, error);
    expect(sizesOf(await firstValueFrom(whole(store)))).toEqual([1_000, 500]);
    expect(store.asked.map(({ from, revision }) => [from, revision])).toEqual([
      [0, undefined],
      [1_000, 7],
      [0, undefined],
      [1_000, 8],
    ]);
  });

  test('five times at most, or as often as is said', async () => {
    for (const [count, expected] of [
      [undefined, 6],
      [0, 1],
    ] as const) {
      const store = new Store(small(1_500));
      store.faults.push(...Array.from({ length: 10 }, () => [undefined, compacted]).flat());
      expect(await rejectionOf(whole(store, count))).toBe(compacted);
      expect(store.asked).toHaveLength(expected * 2);
    }
  });

  test('but not for another reason', async () => {
    const refused = new EtcdApiError('range', { ...word, errorCode: 7 });
    const store = new Store(small(1_500));
    store.faults.push(undefined, refused);
    expect(await rejectionOf(whole(store))).toBe(refused);
    expect(store.asked).toHaveLength(2);
  });
});
