import * as fc from 'fast-check';
import { firstValueFrom, type Observable } from 'rxjs';
import { isInvalidOption, isOutcomeUnknown } from '../../../lib/errors.js';
import { isCompareFailed, isLeaseNotFound } from '../../../lib/v3/errors.js';
import { ConditionalApi } from '../../../lib/v3/api/conditional.js';
import { KeysApi } from '../../../lib/v3/api/keys.js';
import { KvCalls } from '../../../lib/v3/api/kv-calls.js';
import type { EtcdProcess } from '../../support/etcd/etcd-process.js';
import { startEtcd, v3Client, type V3UnderTest } from '../../support/etcd/v3-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { startEtcdFront, type EtcdFront } from '../../support/v3/etcd-front.js';
import { forAll } from '../../support/values/for-all.js';

let member: EtcdProcess;
let client: V3UnderTest;
let keys: KeysApi;
let writes: ConditionalApi;

beforeAll(async () => {
  member = await firstValueFrom(startEtcd());
  client = v3Client({ endpoints: member.clientUrl });
  keys = new KeysApi(new KvCalls(client));
  writes = new ConditionalApi(new KvCalls(client));
});
afterAll(async () => {
  client.core.close();
  await firstValueFrom(member.terminate$());
});

const once = <T>(call$: Observable<T>): Promise<T> => firstValueFrom(call$);
const put = async (key: string, value: string) => (await once(keys.put$(key, value))).info.revision;
const kvOf = async (key: string) => (await once(keys.get$(key))).kv;

/** A comparison that fails: with what it found. */
async function loses(call$: Observable<unknown>, kv: object | undefined, words: string): Promise<void> {
  const error = await rejectionOf(call$);
  expect(isCompareFailed(error)).toBe(true);
  expect(error).toMatchObject({
    name: 'CompareFailedError',
    ...(kv === undefined ? {} : { kv }),
    info: { endpoint: member.clientUrl },
    message: expect.stringContaining(words) as string,
  });
  expect('kv' in (error as object)).toBe(kv !== undefined);
}

describe('a key that must not, or must be there', () => {
  test('is created once', async () => {
    const { info } = await once(writes.create$('/c', '1'));
    expect(await kvOf('/c')).toMatchObject({ value: '1', createRevision: info.revision, version: 1 });
    await loses(
      writes.create$('/c', '2'),
      { value: '1', modRevision: info.revision },
      'create /c: the comparison failed',
    );
    await once(keys.delete$('/c'));
    await once(writes.create$('/c', ''));
    await loses(writes.create$('/c', '2'), { value: '' }, 'create /c');
  });

  test('is updated', async () => {
    await loses(
      writes.update$('/u', '1'),
      undefined,
      'update /u: the comparison failed: there is no such key',
    );
    await put('/u', '0');
    const { prevKv } = await once(writes.update$('/u', '1', { prevKv: true }));
    expect([prevKv?.value, (await kvOf('/u'))?.value]).toEqual(['0', '1']);
  });

  test('is bound to a lease, which has to be there', async () => {
    await client.ask('Lease', 'LeaseGrant', { TTL: 600, ID: '5' });
    await once(writes.create$('/leased', '1', { lease: '5' }));
    await once(writes.update$('/leased', '2', { ignoreLease: true }));
    expect(await kvOf('/leased')).toMatchObject({ value: '2', lease: '0000000000000005' });
    expect(isLeaseNotFound(await rejectionOf(writes.create$('/other', '1', { lease: '6' })))).toBe(true);
    expect(await kvOf('/other')).toBeUndefined();
  });
});

describe('compare and swap, compare and delete', () => {
  test('by mod revision, version, value, or all of them', async () => {
    const revision = await put('/s', 'a');
    await loses(
      writes.compareAndSwap$('/s', 'b', { modRevision: revision - 1 }),
      { modRevision: revision },
      '/s',
    );
    const second = await once(writes.compareAndSwap$('/s', 'b', { modRevision: revision, prevKv: true }));
    expect(second.prevKv?.value).toBe('a');
    await loses(writes.compareAndSwap$('/s', 'c', { version: 1 }), { version: 2 }, 'version 2');
    await once(writes.compareAndSwap$('/s', '', { version: 2, prevValue: 'b' }));
    await loses(writes.compareAndSwap$('/s', 'd', { prevValue: 'b' }), { value: '' }, '/s');
    await once(writes.compareAndSwap$('/s', 'e', { prevValue: '' }));
    await loses(writes.compareAndDelete$('/s', { prevValue: '' }), { value: 'e' }, 'compareAndDelete /s');
    const gone = await once(writes.compareAndDelete$('/s', { version: 4, prevValue: 'e', prevKv: true }));
    expect(gone).toMatchObject({ deleted: 1, prevKvs: [{ value: 'e' }] });
    // Of a key that is not there no value is equal, nor is the empty one.
    await loses(writes.compareAndSwap$('/s', 'f', { prevValue: '' }), undefined, 'there is no such key');
  });

  test('is true of a value if and only if it is there, whatever the bytes', async () => {
    const bytes = fc.uint8Array({ maxLength: 4 });
    await forAll(40, fc.tuple(bytes, bytes), async ([there, compared]) => {
      const key = Uint8Array.of(0xff, 0, 0xfe);
      await once(keys.put$(key, there));
      const isSame = Buffer.compare(there, compared) === 0;
      const call$ = writes.compareAndDelete$(key, { prevValue: compared });
      if (isSame) expect((await once(call$)).deleted).toBe(1);
      else expect(await rejectionOf(call$)).toMatchObject({ kv: { valueBytes: there } });
    });
  });

  test.each<[string, () => Observable<unknown>, string]>([
    [
      'nothing to compare with',
      () => writes.compareAndSwap$('/s', 'b', {} as never),
      'modRevision: expected at least one of',
    ],
    [
      'a revision below 1',
      () => writes.compareAndSwap$('/s', 'b', { modRevision: 0 }),
      'modRevision: expected a revision',
    ],
    [
      'a version below 1',
      () => writes.compareAndDelete$('/s', { version: 0 }),
      'version: expected a version',
    ],
    [
      'a value that is none',
      () => writes.compareAndDelete$('/s', { prevValue: 7 as never }),
      'prevValue: expected a string',
    ],
    ['an empty key', () => writes.create$('', ''), 'key: expected a key, which is not empty'],
    ['no function', () => writes.modify$('/s', 7 as never), 'fn: expected a function'],
    [
      'a promise in place of a value',
      () => writes.modify$('/s', (() => Promise.resolve('')) as never),
      'what fn returns: expected a string',
    ],
    [
      'a lease that is kept',
      () => writes.update$('/s', '', { ignoreLease: true, lease: '1' }),
      'lease: expected no lease',
    ],
  ])('%s: refused', async (_, call$, words) => {
    const error = await rejectionOf(call$());
    expect(isInvalidOption(error)).toBe(true);
    expect((error as Error).message).toContain(words);
  });
});

describe('modify', () => {
  test('creates, changes, leaves alone and deletes', async () => {
    const made = await once(writes.modify$('/m', (kv) => kv?.value ?? '0'));
    expect(made).toMatchObject({
      changed: true,
      kv: { value: '0', version: 1, modRevision: made.info.revision },
    });
    expect('prevKv' in made).toBe(false);
    const changed = await once(writes.modify$('/m', (kv) => `${kv!.value}1`));
    expect(changed).toMatchObject({ changed: true, prevKv: { value: '0' }, kv: { value: '01', version: 2 } });
    expect(await once(writes.modify$('/m', (kv) => kv!.valueBytes))).toMatchObject({
      changed: false,
      kv: { value: '01', version: 2 },
    });
    const gone = await once(writes.modify$('/m', () => undefined));
    expect([gone.changed, gone.prevKv?.value, 'kv' in gone]).toEqual([true, '01', false]);
    const nothing = await once(writes.modify$('/m', () => undefined));
    expect([nothing.changed, 'kv' in nothing, 'prevKv' in nothing]).toEqual([false, false, false]);
  });

  test('keeps the lease, or gives another one', async () => {
    for (const ID of ['21', '22']) await client.ask('Lease', 'LeaseGrant', { TTL: 600, ID });
    await once(keys.put$('/ml', '1', { lease: '21' }));
    await once(writes.modify$('/ml', () => '2'));
    expect(await kvOf('/ml')).toMatchObject({ value: '2', lease: '0000000000000021' });
    await once(writes.modify$('/ml', () => '2', { lease: '22' }));
    expect(await kvOf('/ml')).toMatchObject({ version: 3, lease: '0000000000000022' });
  });

  test('what the function throws is the error, and nothing is written', async () => {
    const error = new Error('mine');
    const call$ = writes.modify$('/thrown', () => {
      throw error;
    });
    expect(await rejectionOf(call$)).toBe(error);
    expect(await kvOf('/thrown')).toBeUndefined();
  });

  test('all of many at once, each once', async () => {
    const add = () => once(writes.modify$('/sum', (kv) => String(Number(kv?.value ?? 0) + 1)));
    const results = await Promise.all(Array.from({ length: 20 }, add));
    expect((await kvOf('/sum'))?.value).toBe('20');
    expect(results.map(({ kv }) => Number(kv?.value)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
  });

  test('gives up a race that it loses again and again', async () => {
    let n = 0;
    const front = await startEtcdFront(member.clientUrl);
    front.handle = async ({ path }, pass) => {
      if (path === '/v3/kv/txn') await put('/lost', 'theirs');
      return pass();
    };
    const through = v3Client({ endpoints: front.url, discover: false, retry: { max: 2 } });
    try {
      const lost$ = new ConditionalApi(new KvCalls(through)).modify$('/lost', () => `ours ${(n += 1)}`);
      const error = await rejectionOf(lost$);
      expect(isCompareFailed(error)).toBe(true);
      expect(error).toMatchObject({ kv: { value: 'theirs' } });
      expect(n).toBe(3);
    } finally {
      through.core.close();
      await front.close();
    }
  });
});

describe('a commit whose answer never comes', () => {
  let front: EtcdFront;
  let through: V3UnderTest;
  let api: ConditionalApi;
  /** What becomes of the transactions that come, one after the other; the others pass. */
  let fates: ('applied, not answered' | 'not applied' | (() => Promise<unknown>))[];
  let txns: number;
  beforeEach(async () => {
    [fates, txns] = [[], 0];
    front = await startEtcdFront(member.clientUrl);
    front.handle = async ({ path }, pass) => {
      if (path !== '/v3/kv/txn') return pass();
      txns += 1;
      const fate = fates.shift();
      if (fate === undefined) return pass();
      if (fate === 'applied, not answered') await pass();
      if (typeof fate === 'function') await fate();
      return { reset: true };
    };
    through = v3Client({ endpoints: front.url, discover: false, retry: { initialDelay: 1 } });
    api = new ConditionalApi(new KvCalls(through));
  });
  afterEach(async () => {
    through.core.close();
    await front.close();
  });
  const add = (kv: { value: string } | undefined) => String(Number(kv?.value ?? 0) + 1);
  const counter = () => api.modify$('/counter', add);
  beforeEach(() => put('/counter', '5'));

  test('and was not applied, is made once', async () => {
    fates = ['not applied', 'not applied'];
    expect((await once(counter())).kv?.value).toBe('6');
    expect((await kvOf('/counter'))?.value).toBe('6');
    expect(txns).toBe(3);
  });

  test('and was applied, is told so, not made twice: nobody can say whose value it is', async () => {
    fates = ['applied, not answered'];
    const error = await rejectionOf(counter());
    expect(isOutcomeUnknown(error)).toBe(true);
    expect((await kvOf('/counter'))?.value).toBe('6');
    expect(txns).toBe(2);
  });

  test('and came after another change, begins anew with that', async () => {
    fates = [() => put('/counter', '10'), 'not applied'];
    expect((await once(counter())).kv?.value).toBe('11');
    expect((await kvOf('/counter'))?.value).toBe('11');
  });

  test('the change that came first counts, however many followed', async () => {
    fates = [
      async () => {
        await put('/counter', '10');
        for (let i = 0; i < 5; i += 1) await put('/counter', '6');
      },
    ];
    expect((await once(counter())).kv?.value).toBe('7');
  });

  test('of what was deleted meanwhile nobody can say anything', async () => {
    fates = [
      async () => {
        await once(keys.delete$('/counter'));
        await put('/counter', '1');
      },
    ];
    expect(isOutcomeUnknown(await rejectionOf(counter()))).toBe(true);
    expect((await kvOf('/counter'))?.value).toBe('1');
  });

  test('a deletion that was not applied is none while the key lives on', async () => {
    fates = [() => put('/counter', '9')];
    const seen: (string | undefined)[] = [];
    const call$ = api.modify$('/counter', (kv) => {
      seen.push(kv?.value);
      return undefined;
    });
    expect((await once(call$)).changed).toBe(true);
    expect([seen, await kvOf('/counter')]).toEqual([['5', '9'], undefined]);
  });

  test('a creation is never made again: others may have deleted it', async () => {
    await once(keys.delete$('/counter'));
    fates = ['applied, not answered'];
    expect(isOutcomeUnknown(await rejectionOf(counter()))).toBe(true);
    expect(txns).toBe(1);
  });

  test('a swap is settled where that is asked for, and by mod revision alone', async () => {
    const { modRevision } = (await kvOf('/counter'))!;
    const swap = (condition: object, more = {}) =>
      api.compareAndSwap$('/counter', 'swapped', { ...condition, ...more } as never);
    const repeated = { retry: { writes: 'idempotent' } };
    fates = ['not applied'];
    expect(isOutcomeUnknown(await rejectionOf(swap({ modRevision })))).toBe(true);
    fates = ['not applied'];
    expect(isOutcomeUnknown(await rejectionOf(swap({ prevValue: '5' }, repeated)))).toBe(true);
    expect(txns).toBe(2);
    fates = ['not applied'];
    await once(swap({ modRevision }, repeated));
    expect((await kvOf('/counter'))?.value).toBe('swapped');
    // Changed by nobody, but not what was compared besides.
    fates = ['not applied'];
    const { modRevision: swapped } = (await kvOf('/counter'))!;
    const both$ = swap({ modRevision: swapped, prevValue: 'other' }, repeated);
    expect(await rejectionOf(both$)).toMatchObject({ code: 'COMPARE_FAILED', kv: { value: 'swapped' } });
    // Not ours, by what stands in the store's past.
    fates = ['not applied'];
    expect(isCompareFailed(await rejectionOf(swap({ modRevision: modRevision - 1 }, repeated)))).toBe(true);
    const now = (await kvOf('/counter'))!.modRevision;
    fates = [() => put('/counter', 'theirs')];
    expect(await rejectionOf(swap({ modRevision: now }, repeated))).toMatchObject({
      code: 'COMPARE_FAILED',
      kv: { value: 'theirs' },
    });
  });
});
