import * as fc from 'fast-check';
import { firstValueFrom, type Observable } from 'rxjs';
import { isOutcomeUnknown } from '../../../lib/errors.js';
import { compare, type Comparison } from '../../../lib/v3/api/compare.js';
import { KeysApi } from '../../../lib/v3/api/keys.js';
import { KvCalls } from '../../../lib/v3/api/kv-calls.js';
import { op } from '../../../lib/v3/api/op.js';
import { TxnApi } from '../../../lib/v3/api/txn.js';
import { isCompacted, isFutureRevision, isLeaseNotFound } from '../../../lib/v3/errors.js';
import { etcdctl } from '../../support/etcd/etcdctl.js';
import type { EtcdProcess } from '../../support/etcd/etcd-process.js';
import { startEtcd, v3Client, type V3UnderTest } from '../../support/etcd/v3-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { startEtcdFront, type EtcdFront } from '../../support/v3/etcd-front.js';
import { forAll } from '../../support/values/for-all.js';

let member: EtcdProcess;
let client: V3UnderTest;
let keys: KeysApi;
let api: TxnApi;

beforeAll(async () => {
  member = await firstValueFrom(startEtcd());
  client = v3Client({ endpoints: member.clientUrl });
  keys = new KeysApi(new KvCalls(client));
  api = new TxnApi(new KvCalls(client));
});
afterAll(async () => {
  client.core.close();
  await firstValueFrom(member.terminate$());
});

const once = <T>(call$: Observable<T>): Promise<T> => firstValueFrom(call$);
const put = async (key: string, value: string) => (await once(keys.put$(key, value))).info.revision;
const kvOf = async (key: string) => (await once(keys.get$(key))).kv;
const holds = async (...comparisons: Comparison[]) => (await once(api.txn$({ if: comparisons }))).succeeded;

describe('what is done', () => {
  test('is one list or the other, each operation answered as the call of its name', async () => {
    await put('/t/a', '1');
    const wanted = (value: string) =>
      api.txn$({
        if: [compare.value('/t/a').equals(value)],
        then: [
          op.put('/t/a', '2', { prevKv: true }),
          op.put('/t/b', '2'),
          op.get('/t/a'),
          op.range({ prefix: '/t/' }, { limit: 1, sort: { by: 'key', order: 'descending' } }),
          op.delete({ prefix: '/t/none' }, { prevKv: true }),
        ],
        else: [op.get('/t/none'), op.delete('/t/b', { prevKv: true })],
      });
    const done = await once(wanted('1'));
    if (!done.succeeded) throw new Error('it did not hold');
    const [first, second, read, range, none] = done.responses;
    expect(first.prevKv).toMatchObject({ value: '1', version: 1 });
    expect([second, none]).toEqual([{}, { deleted: 0, prevKvs: [] }]);
    expect(read.kv).toMatchObject({ value: '2', version: 2, modRevision: done.info.revision });
    expect(range).toMatchObject({ kvs: [{ key: '/t/b' }], count: 2, more: true });
    expect(Object.keys(done)).toEqual(['succeeded', 'responses', 'info']);
    expect(done.info).toMatchObject({ endpoint: member.clientUrl });

    const failed = await once(wanted('1'));
    if (failed.succeeded) throw new Error('it did hold');
    const [absent, gone] = failed.responses;
    expect([absent, gone]).toEqual([{}, { deleted: 1, prevKvs: [expect.objectContaining({ key: '/t/b' })] }]);
    expect(await kvOf('/t/b')).toBeUndefined();
  });

  test('is nothing, where nothing is wanted', async () => {
    expect(await once(api.txn$({}))).toMatchObject({ succeeded: true, responses: [] });
    expect(await once(api.txn$({ if: [compare.exists('/none')] }))).toMatchObject({
      succeeded: false,
      responses: [],
    });
  });

  test('nests: all is compared first, then it is done one after the other', async () => {
    await put('/n/a', '0');
    const call$ = api.txn$({
      then: [
        op.put('/n/a', '1'),
        op.txn({
          if: [compare.value('/n/a').equals('0')],
          then: [
            op.put('/n/b', '2'),
            op.txn({ if: [compare.exists('/n/b')], else: [op.get('/n/b'), op.put('/n/c', '3')] }),
          ],
          else: [op.delete({ all: true })],
        }),
        op.range({ prefix: '/n/' }, { keysOnly: true }),
      ],
    });
    const done = await once(call$);
    if (!done.succeeded || !done.responses[1].succeeded || done.responses[1].responses[1].succeeded)
      throw new Error('another list was done');
    const [read] = done.responses[1].responses[1].responses;
    expect(read.kv).toMatchObject({ value: '2', modRevision: done.info.revision });
    expect(done.responses[2].kvs.map(({ key, modRevision }) => [key, modRevision])).toEqual(
      ['/n/a', '/n/b', '/n/c'].map((key) => [key, done.info.revision]),
    );
  });

  test('binds to leases, keeps them and values', async () => {
    for (const ID of ['7fffffffffffffff', '31']) await client.ask('Lease', 'LeaseGrant', { TTL: 600, ID });
    await once(
      api.txn$({
        then: [op.put('/l/a', '1', { lease: '7fffffffffffffff' }), op.put('/l/b', '1', { lease: '31' })],
      }),
    );
    await once(
      api.txn$({
        then: [op.put('/l/a', '2', { ignoreLease: true }), op.put('/l/b', undefined, { ignoreValue: true })],
      }),
    );
    expect(await kvOf('/l/a')).toMatchObject({ value: '2', lease: '7fffffffffffffff' });
    expect((await kvOf('/l/b'))?.lease).toBeUndefined();
    expect(
      await holds(
        compare.lease('/l/a').equals('7fffffffffffffff'),
        compare.lease('/l/b').equals('0'),
        compare.lease('/l/none').equals('0'),
        compare.lease('/l/a').notEquals('31'),
      ),
    ).toBe(true);
    expect(await holds(compare.lease('/l/a').equals('7ffffffffffffffe'))).toBe(false);
    expect(
      isLeaseNotFound(await rejectionOf(api.txn$({ then: [op.put('/l/c', '', { lease: '99' })] }))),
    ).toBe(true);
  });

  test('reads the past, in a transaction that writes nothing', async () => {
    const first = await put('/past', '1');
    const last = await put('/past', '2');
    const at = (revision: number, options?: { serializable: boolean }) =>
      api.txn$(
        { then: [op.get('/past', { revision }), op.range('/past', { revision }), op.get('/past')] },
        options,
      );
    for (const serializable of [false, true]) {
      const { responses } = await once(at(first, { serializable }));
      expect(responses).toMatchObject([
        { kv: { value: '1' } },
        { kvs: [{ value: '1' }] },
        { kv: { value: '2' } },
      ]);
    }
    await client.ask('KV', 'Compact', { revision: last, physical: true });
    expect(isCompacted(await rejectionOf(at(first)))).toBe(true);
    expect(isFutureRevision(await rejectionOf(at(Number.MAX_SAFE_INTEGER)))).toBe(true);
  });
});

describe('comparisons', () => {
  test('hold, or do not', async () => {
    const created = await put('/c', 'b');
    const changed = await put('/c', 'b');
    const max = Number.MAX_SAFE_INTEGER;
    const all: [boolean, Comparison][] = [
      [true, compare.value('/c').equals('b')],
      [false, compare.value('/c').notEquals('b')],
      [true, compare.value('/c').greaterThan('a')],
      [true, compare.value('/c').lessThan(Uint8Array.of(0x62, 0))],
      [false, compare.value('/c').lessThan('b')],
      [true, compare.version('/c').equals(2)],
      [true, compare.version('/c').notEquals(0)],
      [true, compare.createRevision('/c').equals(created)],
      [true, compare.createRevision('/c').lessThan(changed)],
      [true, compare.modRevision('/c').equals(changed)],
      [true, compare.modRevision('/c').greaterThan(created)],
      [true, compare.modRevision('/c').lessThan(max)],
      [false, compare.modRevision('/c').greaterThan(max)],
      [false, compare.modRevision('/c').equals(max)],
      [true, compare.exists('/c')],
      [false, compare.absent('/c')],
      // Of a key that is not there.
      [true, compare.absent('/c/none')],
      [false, compare.exists('/c/none')],
      [true, compare.modRevision('/c/none').equals(0)],
      [true, compare.version('/c/none').lessThan(1)],
      [false, compare.value('/c/none').equals('')],
      [false, compare.value('/c/none').notEquals('b')],
    ];
    for (const [expected, comparison] of all)
      expect([await holds(comparison), comparison]).toEqual([expected, comparison]);
  });

  test('of a range hold if they do of each key', async () => {
    const first = await put('/r/a', '1');
    await put('/r/b', '1');
    await put('/r/c', '2');
    const ranges = [{ prefix: '/r/' }, { from: '/r/a', to: '/r/d' }];
    for (const range of ranges) {
      expect(await holds(compare.value(range).greaterThan('0'), compare.exists(range))).toBe(true);
      expect(await holds(compare.value(range).equals('1'))).toBe(false);
      expect(await holds(compare.absent(range))).toBe(false);
      expect(await holds(compare.createRevision(range).greaterThan(first))).toBe(false);
      expect(await holds(compare.createRevision(range).greaterThan(first - 1))).toBe(true);
    }
    expect(await holds(compare.value({ from: '/r/a', to: '/r/c' }).equals('1'))).toBe(true);
    expect(await holds(compare.exists({ all: true }), compare.exists({ from: '/r/c' }))).toBe(true);
    expect(await holds(compare.value({ all: true }).equals('1'))).toBe(false);
    // Without keys.
    const none = { prefix: '/r/none' };
    expect(await holds(compare.absent(none), compare.version(none).equals(0))).toBe(true);
    expect(await holds(compare.exists(none))).toBe(false);
    expect(await holds(compare.value(none).notEquals('1'))).toBe(false);
  });
});

test('keys and values of any bytes come back as they went', async () => {
  const byte = fc.constantFrom(0, 1, 0x2f, 0x61, 0x7f, 0x80, 0xc3, 0xfe, 0xff);
  const bytes = (minLength: number) =>
    fc.array(byte, { minLength, maxLength: 5 }).map((some) => Uint8Array.from(some));
  await forAll(60, fc.tuple(bytes(1), bytes(0), bytes(0)), async ([key, value, other]) => {
    const range = { from: key, to: Uint8Array.of(...key, 0) };
    await once(api.txn$({ then: [op.put(key, value)] }));
    const done = await once(
      api.txn$({
        if: [compare.value(key).equals(value)],
        then: [
          op.get(key),
          op.txn({ if: [compare.value(range).lessThan(other)], then: [op.range(range)] }),
          op.delete(key, { prevKv: true }),
        ],
      }),
    );
    if (!done.succeeded) throw new Error('it did not hold');
    const [read, nested, gone] = done.responses;
    const there = { keyBytes: key, valueBytes: value };
    expect(read.kv).toMatchObject(there);
    expect(nested.succeeded).toBe(Buffer.compare(value, other) < 0);
    if (nested.succeeded) expect(nested.responses[0].kvs).toMatchObject([there]);
    expect(gone).toMatchObject({ deleted: 1, prevKvs: [there] });
  });
});

describe('what the server judges', () => {
  const many = (n: number) => Array.from({ length: n }, (_, i) => op.put(`/many/${i}`, ''));
  test.each<[string, () => Observable<unknown>, string]>([
    ['too many operations', () => api.txn$({ else: many(129) }), '--max-txn-ops'],
    [
      'a key that is written twice',
      () => api.txn$({ then: [op.put('/d', '1'), op.put('/d', '2')] }),
      'write each key once',
    ],
    [
      'a key that is written and deleted',
      () => api.txn$({ then: [op.put('/d', '1'), op.txn({ then: [op.delete({ prefix: '/d' })] })] }),
      'write each key once',
    ],
    [
      'too many bytes',
      () =>
        api.txn$({ then: [op.put('/d', new Uint8Array(900_000)), op.put('/e', new Uint8Array(900_000))] }),
      '--max-request-bytes',
    ],
  ])('%s: an error that says what to do', async (_, call$, words) => {
    const error = await rejectionOf(call$());
    expect(error).toMatchObject({ code: 'API_ERROR', message: expect.stringContaining(words) as string });
    expect(await once(keys.count$({ prefix: '/many/' }))).toBe(0);
  });

  test('takes 128 operations in each list, and one key in both', async () => {
    expect((await once(api.txn$({ then: many(128), else: many(128) }))).responses).toHaveLength(128);
    await once(keys.delete$({ prefix: '/many/' }));
  });
});

describe('etcdctl beside it', () => {
  test('sees what is written, and writes what is read', async () => {
    const { info } = await once(api.txn$({ then: [op.put('/ctl/a', 'grün'), op.put('/ctl/b', '2')] }));
    const answer = await etcdctl(
      member.clientUrl,
      ['txn'],
      `val("/ctl/a") = "grün"\nmod("/ctl/b") = "${info.revision}"\nver("/ctl/b") = "1"\n\nput /ctl/c theirs\nget /ctl/a\n\nput /ctl/c lost\n\n`,
    );
    expect(answer).toEqual(['SUCCESS', 'OK', '/ctl/a', 'grün']);
    const read = await once(
      api.txn$({
        if: [
          compare.value('/ctl/c').equals('theirs'),
          compare.createRevision('/ctl/c').equals(info.revision + 1),
        ],
        then: [op.get('/ctl/c')],
      }),
    );
    expect(read).toMatchObject({ succeeded: true, responses: [{ kv: { value: 'theirs', version: 1 } }] });
  });
});

describe('whose answer never comes', () => {
  let front: EtcdFront;
  let through: V3UnderTest;
  /** What becomes of the transactions that come, one after the other; the others pass. */
  let fates: ('applied, not answered' | 'not applied' | (() => Promise<unknown>))[];
  let txns: string[];
  beforeEach(async () => {
    [fates, txns] = [[], []];
    front = await startEtcdFront(member.clientUrl);
    front.handle = async ({ path, body }, pass) => {
      if (path !== '/v3/kv/txn') return pass();
      txns.push(body);
      const fate = fates.shift();
      if (fate === undefined) return pass();
      if (fate === 'applied, not answered') await pass();
      if (typeof fate === 'function') await fate();
      return { reset: true };
    };
    through = v3Client({
      endpoints: front.url,
      discover: false,
      retry: { initialDelay: 1, writes: 'idempotent' },
    });
    await once(keys.delete$({ prefix: '/g/' }));
    await put('/g/a', '1');
  });
  afterEach(async () => {
    through.core.close();
    await front.close();
  });
  const guardedBy = (modRevision: number, more: readonly Comparison[] = []) =>
    new TxnApi(new KvCalls(through)).txn$({
      if: [compare.modRevision('/g/a').equals(modRevision), ...more],
      then: [op.put('/g/a', '2'), op.put('/g/log', 'x')],
      else: [op.get('/g/log'), op.get('/g/a')],
    });
  const revision = async () => (await kvOf('/g/a'))!.modRevision;

  test('is a read: asked again', async () => {
    fates = ['not applied', 'applied, not answered'];
    const read$ = new TxnApi(new KvCalls(through)).txn$({
      if: [compare.exists('/g/a')],
      then: [op.get('/g/a')],
    });
    expect(await once(read$)).toMatchObject({ succeeded: true, responses: [{ kv: { value: '1' } }] });
  });

  test('and is guarded, was not applied: made once, by the same message', async () => {
    fates = ['not applied', 'not applied'];
    const done = await once(guardedBy(await revision()));
    expect(done).toMatchObject({ succeeded: true, responses: [{}, {}] });
    expect(await kvOf('/g/log')).toMatchObject({ version: 1, modRevision: done.info.revision });
    expect(new Set(txns).size).toBe(1);
    expect(txns).toHaveLength(3);
  });

  test('and was applied: nobody can say whose value it is, and it is not made twice', async () => {
    fates = ['applied, not answered'];
    expect(isOutcomeUnknown(await rejectionOf(guardedBy(await revision())))).toBe(true);
    expect(await kvOf('/g/log')).toMatchObject({ version: 1 });
  });

  test('and somebody else was first: it has failed, and tells what it read', async () => {
    fates = [() => put('/g/a', 'theirs')];
    expect(await once(guardedBy(await revision()))).toMatchObject({
      succeeded: false,
      responses: [{}, { kv: { value: 'theirs' } }],
    });
    expect(await kvOf('/g/log')).toBeUndefined();
  });

  test('and something else of the same key did not hold, nor ever will: it has failed', async () => {
    fates = ['not applied'];
    const call$ = guardedBy(await revision(), [compare.value('/g/a').equals('other')]);
    expect((await once(call$)).succeeded).toBe(false);
  });

  test('and another key was not as demanded, which may be so when the first one comes: unknown', async () => {
    fates = ['not applied'];
    const call$ = guardedBy(await revision(), [compare.exists('/g/switch')]);
    expect(isOutcomeUnknown(await rejectionOf(call$))).toBe(true);
    expect(txns).toHaveLength(2);
  });

  test('and deletes the key, in a range: settled while that lives on', async () => {
    fates = [() => put('/g/a', '2')];
    const call$ = new TxnApi(new KvCalls(through)).txn$({
      if: [compare.modRevision('/g/a').equals(await revision())],
      then: [op.delete({ prefix: '/g/' })],
    });
    expect(await once(call$)).toMatchObject({ succeeded: false, responses: [] });
    expect(await kvOf('/g/a')).toMatchObject({ value: '2' });
  });

  test('and keeps value and lease: what keeps both as well may be ours', async () => {
    const touch$ = async () =>
      new TxnApi(new KvCalls(through)).txn$({
        if: [compare.modRevision('/g/a').equals(await revision())],
        then: [op.put('/g/a', undefined, { ignoreValue: true, ignoreLease: true })],
      });
    fates = [() => put('/g/a', '1')];
    expect(isOutcomeUnknown(await rejectionOf(await touch$()))).toBe(true);
    fates = [() => put('/g/a', 'theirs')];
    expect((await once(await touch$())).succeeded).toBe(false);
    fates = ['not applied'];
    expect((await once(await touch$())).succeeded).toBe(true);
  });

  test.each<[string, () => Promise<Parameters<TxnApi['txn$']>[0]>]>([
    ['no guard', async () => ({ then: [op.put('/g/a', '2')] })],
    [
      'a guard of a key that it does not change',
      async () => ({
        if: [compare.modRevision('/g/a').equals(await revision())],
        then: [op.put('/g/b', '')],
      }),
    ],
    [
      'a failure that writes',
      async () => ({
        if: [compare.modRevision('/g/a').equals(await revision())],
        then: [op.put('/g/a', '2')],
        else: [op.txn({ else: [op.put('/g/b', '')] })],
      }),
    ],
    ['a guard that holds again', async () => ({ if: [compare.absent('/g/b')], then: [op.put('/g/b', '')] })],
    [
      'a guard by version',
      async () => ({ if: [compare.version('/g/a').equals(1)], then: [op.put('/g/a', '')] }),
    ],
    [
      'a guard that is less than a revision',
      async () => ({ if: [compare.modRevision('/g/a').greaterThan(1)], then: [op.put('/g/a', '')] }),
    ],
    [
      'a guard of a range',
      async () => ({
        if: [compare.modRevision({ prefix: '/g/' }).equals(await revision())],
        then: [op.put('/g/', '')],
      }),
    ],
  ])('and has %s: never sent again', async (_, transaction) => {
    fates = ['applied, not answered'];
    const call$ = new TxnApi(new KvCalls(through)).txn$(await transaction());
    expect(isOutcomeUnknown(await rejectionOf(call$))).toBe(true);
    expect(txns).toHaveLength(1);
  });
});
