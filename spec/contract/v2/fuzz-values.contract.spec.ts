import * as fc from 'fast-check';
import { EtcdErrorCode, type EtcdClient, type KeyResponse } from 'rxetcd';
import type { Observable } from 'rxjs';
import { anything, bigValue, isUnicode, path, text, value } from '../../support/values/arbitraries.js';
import { forAll } from '../../support/values/for-all.js';
import { bad, fuzzedServer } from '../../support/scripted/fuzzed-server.js';
import { runSeed } from '../../support/values/random.js';

const fuzz = fuzzedServer();
const { bare, fresh, outcome, judge, succeed, failure } = fuzz;
let client: EtcdClient;

beforeEach(() => {
  ({ client } = fuzz);
});

const callsWithValues: Record<string, (key: string, v: string) => Observable<KeyResponse>> = {
  set$: (key, v) => client.set$(key, v),
  create$: (key, v) => client.create$(key, v),
  update$: (key, v) => client.update$(key, v),
  createInOrder$: (key, v) => client.createInOrder$(key, v),
  compareAndSwap$: (key, v) => client.compareAndSwap$(key, v, { prevValue: 'old' }),
};

const callsWithTtl: Record<string, (key: string, ttl: number) => Observable<KeyResponse>> = {
  set$: (key, ttl) => client.set$(key, 'v', { ttl }),
  create$: (key, ttl) => client.create$(key, 'v', { ttl }),
  update$: (key, ttl) => client.update$(key, 'v', { ttl }),
  refresh$: (key, ttl) => client.refresh$(key, ttl),
  createInOrder$: (key, ttl) => client.createInOrder$(key, 'v', { ttl }),
  compareAndSwap$: (key, ttl) => client.compareAndSwap$(key, 'v', { prevValue: 'old', ttl }),
  setDir$: (key, ttl) => client.setDir$(key, { ttl }),
  createDir$: (key, ttl) => client.createDir$(key, { ttl }),
  createDirInOrder$: (key, ttl) => client.createDirInOrder$(key, { ttl }),
};
const needsFile = ['update$', 'refresh$', 'compareAndSwap$'];

describe(`with the seed ${String(runSeed)}`, () => {
  test('a value of any kind is stored as it is, or refused', async () => {
    const call = fc.record({
      name: fc.constantFrom(...Object.keys(callsWithValues)),
      v: fc.oneof({ weight: 3, arbitrary: value }, { weight: 1, arbitrary: anything }),
    });
    await forAll(200, call, async ({ name, v }) => {
      const key = fresh();
      if (needsFile.includes(name)) await bare('PUT', key, { value: 'old' });
      const good = typeof v === 'string' && isUnicode(v);
      const result = await judge(() => callsWithValues[name]!(key, bad(v)), good);
      if (!result.ok) {
        expect(result.error).toMatchObject({ code: 'INVALID_OPTION', option: 'value' });
        return;
      }
      expect(result.value.node.value).toBe(v);
      expect((await bare('GET', result.value.node.key)).body.node?.value).toBe(v);
    });
  });

  test('values of some MiB are stored as they are, or refused for their size', async () => {
    await forAll(6, bigValue, async ({ unit, times }) => {
      const key = fresh();
      const big = unit.repeat(times);
      const result = await outcome(() => client.set$(key, big, { noValueOnSuccess: true }));
      const size = `value=${encodeURIComponent(big)}&noValueOnSuccess=true`.length;
      expect(result.ok).toBe(size <= 10 * 1024 * 1024);
      if (!result.ok) {
        expect(result.error).toMatchObject({ code: 'INVALID_OPTION', option: 'value' });
        return;
      }
      // Not by the matcher, which would print it.
      expect((await succeed(client.getValue$(key))) === big).toBe(true);
      expect((await bare('GET', key)).body.node?.value === big).toBe(true);
      await succeed(client.delete$(key));
    });
  });

  test('a TTL is set as it was asked for, or refused', async () => {
    const ttls = fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 100_000 }) },
      { weight: 4, arbitrary: fc.integer({ min: 1_000_000_000, max: 10_000_000_000 }) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(0, -0, 5_000_000_000, 9_000_000_000, 9_223_372_036, 2 ** 53 - 1),
      },
      { weight: 1, arbitrary: fc.maxSafeInteger() },
      { weight: 4, arbitrary: anything },
    );
    const call = fc.record({ name: fc.constantFrom(...Object.keys(callsWithTtl)), ttl: ttls });
    await forAll(200, call, async ({ name, ttl }) => {
      const key = fresh();
      if (needsFile.includes(name)) await bare('PUT', key, { value: 'old' });
      const result = await outcome(() => callsWithTtl[name]!(key, bad(ttl)));
      if (ttl === undefined && name !== 'refresh$') {
        expect(result.ok).toBe(true);
        return;
      }
      if (!result.ok) {
        expect(result.error).toMatchObject({ code: 'INVALID_OPTION', option: 'ttl' });
        // Hours, days, years are no reason.
        const usual = Number.isSafeInteger(ttl) && (ttl as number) >= 0 && (ttl as number) <= 1_000_000_000;
        expect(usual).toBe(false);
        return;
      }
      // 0 and -0: expired as soon as it is there.
      if (ttl === 0) {
        expect(result.value.node.ttl ?? 0).toBe(0);
        return;
      }
      const { key: made, ttl: left, expiration = '' } = result.value.node;
      expect(left).toBeLessThanOrEqual(ttl as number);
      expect(left).toBeGreaterThanOrEqual((ttl as number) - 2);
      const seconds = (Date.parse(expiration) - Date.now()) / 1_000;
      expect(Math.abs(seconds - (ttl as number))).toBeLessThan(5);
      if ((ttl as number) < 5) return;
      const { node } = (await bare('GET', made)).body;
      expect(node?.ttl).toBeGreaterThan(0);
      expect(node?.ttl).toBeLessThanOrEqual(ttl as number);
    });
  });

  test('conditions hold byte for byte', async () => {
    const values = fc.uniqueArray(text, { minLength: 4, maxLength: 4 });
    await forAll(30, fc.tuple(path, values), async ([name, [one = '', two = '', three = '', four = '']]) => {
      const key = `${fresh()}/${name}`;
      const holds = async (v: string): Promise<void> =>
        expect((await bare('GET', key)).body.node).toMatchObject({ key, value: v });
      const { modifiedIndex: made = 0 } = (await succeed(client.create$(key, one))).node;
      expect(await failure(client.create$(key, two))).toBe(EtcdErrorCode.KeyExists);
      await holds(one);
      for (const wrong of [
        { prevValue: two || four },
        { prevIndex: made + 1 },
        { prevIndex: made, prevValue: two || four },
        ...(one === '' ? [] : [{ prevIndex: made + 1, prevValue: one }]),
      ]) {
        expect(await failure(client.compareAndSwap$(key, two, wrong))).toBe(EtcdErrorCode.CompareFailed);
        expect(await failure(client.compareAndDelete$(key, wrong))).toBe(EtcdErrorCode.CompareFailed);
      }
      await holds(one);
      const right = one === '' ? { prevIndex: made } : { prevValue: one };
      const swapped = await succeed(client.compareAndSwap$(key, two, right));
      expect(swapped).toMatchObject({
        action: 'compareAndSwap',
        node: { value: two },
        prevNode: { value: one },
      });
      await holds(two);
      const { node } = await succeed(
        client.compareAndSwap$(key, three, { prevIndex: swapped.node.modifiedIndex! }),
      );
      await holds(three);
      expect(await succeed(client.update$(key, four))).toMatchObject({ prevNode: { value: three } });
      expect(await failure(client.compareAndDelete$(key, { prevIndex: node.modifiedIndex! }))).toBe(
        EtcdErrorCode.CompareFailed,
      );
      const { modifiedIndex: last = 0 } = (await bare('GET', key)).body.node!;
      await succeed(client.compareAndDelete$(key, four === '' ? { prevIndex: last } : { prevValue: four }));
      expect(await succeed(client.getValue$(key))).toBeUndefined();
      expect(await succeed(client.exists$(key))).toBe(false);
      for (const gone$ of [
        client.get$(key),
        client.update$(key, one),
        client.delete$(key),
        client.refresh$(key, 60),
        client.compareAndSwap$(key, one, { prevIndex: last }),
        client.compareAndDelete$(key, { prevIndex: last }),
      ])
        expect(await failure(gone$)).toBe(EtcdErrorCode.KeyNotFound);
    });
  });
});
