import * as fc from 'fast-check';
import { firstValueFrom, lastValueFrom, concatMap, tap, toArray, type Observable } from 'rxjs';
import { isInvalidOption } from '../../../lib/errors.js';
import {
  isCompacted,
  isFutureRevision,
  isLeaseNotFound,
  type CompactedError,
} from '../../../lib/v3/errors.js';
import { KeysApi } from '../../../lib/v3/api/keys.js';
import type { RangeOptions } from '../../../lib/v3/api/range-options.js';
import { KvCalls } from '../../../lib/v3/api/kv-calls.js';
import type { KeyRange } from '../../../lib/v3/model/key-range.js';
import type { RangeResponse } from '../../../lib/v3/model/responses.js';
import type { EtcdProcess } from '../../support/etcd/etcd-process.js';
import { startEtcdFront, type EtcdFront } from '../../support/v3/etcd-front.js';
import { startEtcd, v3Client, type V3UnderTest } from '../../support/etcd/v3-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { forAll } from '../../support/values/for-all.js';

let member: EtcdProcess;
let client: V3UnderTest;
let keys: KeysApi;

beforeAll(async () => {
  member = await firstValueFrom(startEtcd());
  client = v3Client({ endpoints: member.clientUrl });
  keys = new KeysApi(new KvCalls(client));
});
afterAll(async () => {
  client.core.close();
  await firstValueFrom(member.terminate$());
});

const once = <T>(call$: Observable<T>): Promise<T> => firstValueFrom(call$);
const put = async (name: string, value: string) => (await once(keys.put$(name, value))).info.revision;
const compact = (revision: number) => client.ask('KV', 'Compact', { revision, physical: true });
const names = ({ kvs }: RangeResponse): string[] => kvs.map(({ key }) => key);
const number = (i: number): string => String(i).padStart(6, '0');
/** Writes `<prefix>000000` and so on, 100 in each transaction; returns the last revision. */
async function fill(prefix: string, count: number, value: (i: number) => string = String): Promise<number> {
  let revision = 0;
  for (let from = 0; from < count; from += 100) {
    const success = Array.from({ length: Math.min(100, count - from) }, (_, i) => ({
      request_put: {
        key: Buffer.from(prefix + number(from + i)),
        value: Buffer.from(value(from + i)),
      },
    }));
    revision = (await client.ask('KV', 'Txn', { success })).info!.revision;
  }
  return revision;
}

describe('one key', () => {
  test('is written, read and deleted', async () => {
    expect(await once(keys.get$('/one'))).toEqual({ info: expect.any(Object) as object });
    expect([await once(keys.getValue$('/one')), await once(keys.exists$('/one'))]).toEqual([
      undefined,
      false,
    ]);
    const first = await once(keys.put$('/one', '1'));
    expect('prevKv' in first).toBe(false);
    const second = await once(keys.put$('/one', '2', { prevKv: true }));
    expect(second.prevKv).toMatchObject({ value: '1', modRevision: first.info.revision });
    expect((await once(keys.get$('/one'))).kv).toMatchObject({ key: '/one', value: '2', version: 2 });
    expect([await once(keys.getValue$('/one')), await once(keys.exists$('/one'))]).toEqual(['2', true]);
    const gone = await once(keys.delete$('/one', { prevKv: true }));
    expect(gone).toMatchObject({ deleted: 1, prevKvs: [{ key: '/one', value: '2' }] });
    expect(await once(keys.delete$('/one'))).toMatchObject({ deleted: 0, prevKvs: [] });
  });

  test('is read at a revision, until that is compacted', async () => {
    const first = await put('/past', '1');
    const last = await put('/past', '2');
    const at = (revision: number) => keys.get$('/past', { revision });
    expect((await once(at(first))).kv?.value).toBe('1');
    expect(await once(keys.exists$('/past', { revision: first - 1 }))).toBe(false);
    expect(await once(keys.count$('/past', { revision: last, serializable: true }))).toBe(1);
    await compact(last);
    const error = await rejectionOf(at(first));
    expect(isCompacted(error)).toBe(true);
    expect(error).toMatchObject({
      revision: first,
      message: expect.stringContaining(
        'get /past: etcdserver: mvcc: required revision has been compacted',
      ) as string,
    });
    for (const revision of [last + 1, Number.MAX_SAFE_INTEGER])
      expect(isFutureRevision(await rejectionOf(at(revision)))).toBe(true);
    for (const revision of [0, -1, 1.5, 2 ** 53])
      expect(await rejectionOf(at(revision))).toMatchObject({ option: 'revision', value: revision });
  });

  test('keeps its value or its lease where that is wanted, if it is there', async () => {
    await client.ask('Lease', 'LeaseGrant', { TTL: 600, ID: '77' });
    await once(keys.put$('/kept', 'value', { lease: '77' }));
    await once(keys.put$('/kept', 'other', { ignoreLease: true }));
    await once(keys.put$('/kept', undefined, { ignoreValue: true, lease: '77' }));
    expect((await once(keys.get$('/kept'))).kv).toMatchObject({ value: 'other', lease: '0000000000000077' });
    await once(keys.put$('/kept', 'other'));
    expect((await once(keys.get$('/kept'))).kv?.lease).toBeUndefined();
    expect(await rejectionOf(keys.put$('/none', undefined, { ignoreValue: true }))).toMatchObject({
      code: 'API_ERROR',
      message: expect.stringContaining('put /none: etcdserver: key not found') as string,
    });
    expect(isLeaseNotFound(await rejectionOf(keys.put$('/kept', '', { lease: '78' })))).toBe(true);
  });
});

describe('what is refused before anything is sent', () => {
  test.each<[string, () => Observable<unknown>, string]>([
    ['an empty key', () => keys.get$(''), 'key: expected a key, which is not empty, got ""'],
    [
      'a range in place of a key',
      () => keys.get$({ prefix: 'a' } as never),
      'key: expected a string or a Uint8Array',
    ],
    [
      'an empty prefix',
      () => keys.delete$({ prefix: '' }),
      'range.prefix: expected a prefix, which is not empty',
    ],
    [
      'an order that is none',
      () => keys.range$('a', { sort: { by: 'mod' as never } }),
      "sort.by: expected 'key' or",
    ],
    ['an order of nothing', () => keys.range$('a', { sort: {} as never }), "sort.by: expected 'key' or"],
    [
      'a limit of nothing',
      () => keys.range$('a', { limit: 0 }),
      'limit: expected a number of keys: an integer',
    ],
    ['pages of nothing', () => keys.pages$('a', { size: 0 }), 'size: expected a number of keys: an integer'],
    ['a misspelt option', () => keys.range$('a', { limt: 1 } as never), 'limt: expected one of the options'],
    [
      'a value that is none',
      () => keys.put$('a', 7 as never),
      'value: expected a string or a Uint8Array, got a value not shown',
    ],
    [
      'a value that is kept',
      () => keys.put$('a', 'b', { ignoreValue: true }),
      'value: expected no value beside',
    ],
    [
      'a lease that is none',
      () => keys.put$('a', 'b', { lease: 'xyz' }),
      'lease: expected the id of a lease',
    ],
    ['the lease 0', () => keys.put$('a', 'b', { lease: '0' }), 'lease: expected the id of a lease'],
    [
      'a lease that is kept',
      () => keys.put$('a', 'b', { ignoreLease: true, lease: '1' }),
      'lease: expected no lease beside ignoreLease',
    ],
  ])('%s', async (_, call$, words) => {
    const error = await rejectionOf(call$());
    expect(isInvalidOption(error)).toBe(true);
    expect((error as Error).message).toContain(words);
    expect(error).toMatchObject({ attempts: [] });
  });
});

describe('keys of any bytes', () => {
  const byte = fc.constantFrom(0, 1, 0x2f, 0x61, 0x7f, 0x80, 0xc3, 0xfe, 0xff);
  const bytes = (minLength: number) =>
    fc.array(byte, { minLength, maxLength: 4 }).map((some) => Uint8Array.from(some));
  const odd = fc.uniqueArray(bytes(1), {
    minLength: 1,
    maxLength: 12,
    comparator: (a, b) => Buffer.compare(a, b) === 0,
  });
  const text = (some: readonly Uint8Array[]): string[] => some.map((one) => Buffer.from(one).toString('hex'));

  test('come page by page as they come at once, whatever the size, from each prefix', async () => {
    await forAll(60, fc.tuple(odd, bytes(1), fc.integer({ min: 1, max: 5 })), async ([all, prefix, size]) => {
      await once(keys.delete$({ all: true }));
      for (const one of all) await once(keys.put$(one, one));
      const expected = text(
        all.filter((one) => Buffer.compare(one.subarray(0, prefix.length), prefix) === 0),
      );
      const read = await once(keys.range$({ prefix }));
      expect(text(read.kvs.map(({ keyBytes }) => keyBytes))).toEqual(expected.sort());
      const pages = await once(keys.pages$({ prefix }, { size }).pipe(toArray()));
      expect(text(pages.flatMap(({ kvs }) => kvs.map(({ valueBytes }) => valueBytes)))).toEqual(expected);
      expect(pages.map(({ kvs }) => kvs.length).slice(0, -1)).toEqual(pages.slice(0, -1).map(() => size));
      expect(pages.map(({ more }) => more)).toEqual(pages.map((_, i) => i < pages.length - 1));
      expect(await once(keys.count$({ prefix }))).toBe(expected.length);
      const [one] = all as [Uint8Array];
      expect(text([(await once(keys.get$(one))).kv!.valueBytes])).toEqual(text([one]));
      expect((await once(keys.delete$({ prefix }))).deleted).toBe(expected.length);
    });
  });
});

describe('what a range is narrowed to', () => {
  let first: number;
  const value = [3, 1, 2, 5, 4];
  beforeAll(async () => {
    first = await put('/n/0', '3');
    for (const i of [1, 2, 3, 4]) await put(`/n/${i}`, String(value[i]));
    await put('/n/1', '1');
  });

  test.each<[string, () => RangeOptions, readonly number[], boolean?]>([
    ['a limit', () => ({ limit: 2 }), [0, 1], true],
    ['a limit of all', () => ({ limit: 5 }), [0, 1, 2, 3, 4]],
    ['by key', () => ({ sort: { by: 'key', order: 'ascending' }, limit: 2 }), [0, 1], true],
    ['by key, descending', () => ({ sort: { by: 'key', order: 'descending' }, limit: 2 }), [4, 3], true],
    ['by value', () => ({ sort: { by: 'value' } }), [1, 2, 0, 4, 3]],
    ['by version', () => ({ sort: { by: 'version', order: 'descending' }, limit: 1 }), [1], true],
    ['by mod revision', () => ({ sort: { by: 'modRevision' } }), [0, 2, 3, 4, 1]],
    ['by create revision', () => ({ sort: { by: 'createRevision', order: 'descending' } }), [4, 3, 2, 1, 0]],
    ['from a mod revision on', () => ({ minModRevision: first + 3 }), [1, 3, 4]],
    ['up to a mod revision', () => ({ maxModRevision: first + 3 }), [0, 2, 3]],
    ['from a create revision on', () => ({ minCreateRevision: first + 3 }), [3, 4]],
    ['up to a create revision', () => ({ maxCreateRevision: first + 1, limit: 1 }), [0], true],
    ['at a revision', () => ({ revision: first + 2, serializable: true }), [0, 1, 2]],
  ])('%s', async (_, options, expected, more = false) => {
    const read = await once(keys.range$({ prefix: '/n/' }, options()));
    expect([names(read), read.more]).toEqual([expected.map((i) => `/n/${i}`), more]);
    // Whatever it is narrowed to; but there were fewer in the past.
    expect(read.count).toBe(options().revision === undefined ? 5 : 3);
  });

  test('keys without values', async () => {
    const { kvs } = await once(keys.range$({ prefix: '/n/' }, { keysOnly: true }));
    expect(kvs.map(({ value: text, modRevision }) => [text, modRevision > 0])).toEqual(
      kvs.map(() => ['', true]),
    );
  });
});

describe('ten thousand keys', () => {
  const range: KeyRange = { prefix: '/many/' };
  let last: number;
  beforeAll(async () => {
    last = await fill('/many/', 10_000);
  });

  test('all at once, in order', async () => {
    const read = await once(keys.range$(range));
    expect(names(read)).toEqual(Array.from({ length: 10_000 }, (_, i) => `/many/${number(i)}`));
    expect([read.count, read.more, read.info.revision >= last]).toEqual([10_000, false, true]);
  });

  test('up to a limit that is no multiple of a page', async () => {
    const read = await once(keys.range$(range, { limit: 2_345, keysOnly: true }));
    expect([read.kvs.length, read.count, read.more]).toEqual([2_345, 10_000, true]);
    const exact = await once(keys.range$({ from: '/many/008000', to: '/many/010000' }, { limit: 2_000 }));
    expect([exact.kvs.length, exact.more]).toEqual([2_000, false]);
  });

  test('those that were changed last, page by page', async () => {
    const changed = await fill('/many/', 1_200, () => 'new');
    const { kvs, count } = await once(keys.range$(range, { minModRevision: changed - 11 }));
    expect([kvs.length, count]).toEqual([1_200, 10_000]);
  });

  test('all of one revision, while others write', async () => {
    const before = await once(keys.range$(range));
    let revision: number | undefined;
    const read: RangeResponse[] = [];
    await lastValueFrom(
      keys.pages$(range, { size: 1_500 }).pipe(
        concatMap(async (page) => {
          revision ??= page.info.revision;
          read.push(page);
          await once(keys.delete$('/many/009999'));
          await put('/many/000000a', 'late');
          await put('/many/005000', 'late');
        }),
      ),
    );
    const rows = (kvs: RangeResponse['kvs']) => kvs.map(({ key, modRevision }) => `${key}@${modRevision}`);
    expect(read.flatMap(({ kvs }) => rows(kvs))).toEqual(rows(before.kvs));
    expect(revision).toBe(before.info.revision);
    expect(names(await once(keys.range$({ from: '/many/000000', to: '/many/000001' })))).toEqual([
      '/many/000000',
      '/many/000000a',
    ]);
  });
});

describe('what is compacted between two pages', () => {
  const range: KeyRange = { prefix: '/many/' };
  let front: EtcdFront;
  let fronted: V3UnderTest;
  /** How many answers with a page are followed by a compaction past it. */
  let compactions: number;
  beforeEach(async () => {
    front = await startEtcdFront(member.clientUrl);
    front.handle = async ({ path }, pass) => {
      const answer = await pass();
      if (path === '/v3/kv/range' && compactions > 0) {
        compactions -= 1;
        await compact(await put('/elsewhere', String(compactions)));
      }
      return answer;
    };
    fronted = v3Client({ endpoints: front.url, discover: false, retry: { initialDelay: 1 } });
  });
  afterEach(async () => {
    fronted.core.close();
    await front.close();
  });
  const through = () => new KeysApi(new KvCalls(fronted));

  test('ends pages, and tells where they ended', async () => {
    const seen: RangeResponse[] = [];
    compactions = 0;
    const call$ = through()
      .pages$(range, { size: 3_000 })
      .pipe(
        tap((page) => {
          seen.push(page);
          if (seen.length === 2) compactions = 1;
        }),
      );
    const error = (await rejectionOf(call$)) as CompactedError;
    expect(isCompacted(error)).toBe(true);
    expect(seen.map(({ kvs }) => kvs.length)).toEqual([3_000, 3_000, 3_000]);
    expect(error.revision).toBe(seen[0]!.info.revision);
    expect(error.compactRevision).toBe((await once(keys.get$('/elsewhere'))).kv!.modRevision);
    expect(Buffer.from(error.lastKey!).toString()).toBe(seen[2]!.kvs.at(-1)!.key);
    expect(error.message).toContain(
      'pages /many/*: etcdserver: mvcc: required revision has been compacted [11]',
    );
  });

  test('lets a range begin anew, at a newer revision', async () => {
    compactions = 3;
    const { kvs, info, count } = await once(through().range$(range));
    const all = await once(keys.count$(range));
    expect([compactions, kvs.length, count]).toEqual([0, all, all]);
    const newest = (await once(keys.get$('/elsewhere'))).kv!.modRevision;
    expect(info.revision).toBeGreaterThanOrEqual(newest);
  });

  test('but five times at most, and not where one revision is wanted', async () => {
    compactions = Infinity;
    expect(isCompacted(await rejectionOf(through().range$(range)))).toBe(true);
    const { info } = await once(keys.get$('/elsewhere'));
    compactions = 1;
    const error = await rejectionOf(through().range$(range, { revision: info.revision }));
    expect(isCompacted(error)).toBe(true);
    expect(error).toMatchObject({ revision: info.revision });
    expect('lastKey' in (error as object)).toBe(false);
  });
});

test('large values come in pages of about 1 MiB', async () => {
  const big = 'x'.repeat(200_000);
  for (let i = 0; i < 30; i += 1) await put(`/big/${number(i)}`, big);
  const small = v3Client({ endpoints: member.clientUrl, maxResponseBytes: 2_000_000 });
  try {
    const { kvs, more, count } = await once(new KeysApi(new KvCalls(small)).range$({ prefix: '/big/' }));
    expect([kvs.length, more, count]).toEqual([30, false, 30]);
  } finally {
    small.core.close();
  }
});
