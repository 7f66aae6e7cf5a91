import type { RetryClass } from '../../lib/cluster/retry-class.js';
import { AllNodesDownError, EtcdError, OutcomeUnknownError, RequestTimeoutError } from '../../lib/errors.js';
import { a, b, c, errorsOf, refused, scriptedCluster, sentTo, urls } from './scripted-cluster.js';

const scripted = scriptedCluster();
const { setUp, settled, run } = scripted;
afterEach(() => jest.restoreAllMocks());

describe('the deadline', () => {
  const options = { deadline: 500, timeout: 10_000 };
  test.each<[RetryClass, 'silence' | 'silence, unsent', typeof EtcdError, object]>([
    ['read', 'silence', RequestTimeoutError as never, { timeoutMs: 500 }],
    ['leader-read', 'silence', RequestTimeoutError as never, { timeoutMs: 500 }],
    ['quorum-read', 'silence', RequestTimeoutError as never, { timeoutMs: 500 }],
    ['once', 'silence', OutcomeUnknownError, {}],
    ['idempotent', 'silence', OutcomeUnknownError, {}],
    ['once', 'silence, unsent', RequestTimeoutError as never, { timeoutMs: 500 }],
  ])('ends a %s in %s, and cancels what was sent', async (retryClass, outcome, type, more) => {
    await settled();
    const begun = performance.now();
    const call = run([outcome], retryClass, options);
    await jest.advanceTimersByTimeAsync(499);
    expect([call.error, call.sends[0]?.gone]).toEqual([undefined, false]);
    await jest.advanceTimersByTimeAsync(1);
    expect((call.endedAt ?? 0) - begun).toBe(500);
    expect(call.sends).toMatchObject([{ gone: true }]);
    expect(call.error).toBeInstanceOf(type);
    expect(call.error).toMatchObject(more);
    expect(errorsOf(call)).toEqual(['no answer before the deadline of 500 ms']);
  });

  test('covers all tries together', async () => {
    await settled();
    const begun = performance.now();
    scripted.words = { [a]: refused, [b]: refused, [c]: refused };
    const call = run(['refused'], 'read', { deadline: 700 });
    await jest.advanceTimersByTimeAsync(5_000);
    expect((call.endedAt ?? 0) - begun).toBe(700);
    expect(call.error).toBeInstanceOf(AllNodesDownError);
    expect(call.error).toMatchObject({ reason: 'unreachable' });
    expect((call.error as EtcdError).attempts.map((x) => x.endpoint)).toEqual(sentTo(call));
  });

  test.each<[RetryClass]>([['read'], ['leader-read'], ['quorum-read']])(
    'of a %s, in a pause behind an answer, tells that answer',
    async (retryClass) => {
      await settled();
      jest.spyOn(Math, 'random').mockReturnValue(0.5);
      const call = run(['an unintelligible answer'], retryClass, { deadline: 500 });
      await jest.advanceTimersByTimeAsync(499);
      expect(call.sends.length).toBeGreaterThan(1);
      expect([call.error, call.sends.at(-1)?.gone]).toEqual([undefined, true]);
      await jest.advanceTimersByTimeAsync(1);
      expect(call.error).toMatchObject({
        code: 'UNEXPECTED_RESPONSE',
        message: expect.stringContaining('unexpected 502') as string,
      });
      expect(errorsOf(call)).toEqual(call.sends.map(() => '502'));
    },
  );

  test('a try gets its own limit, unless the deadline comes first', async () => {
    await settled();
    const short = run(['ok'], 'read', { timeout: 100, deadline: 1_000 });
    expect(short.sends[0]?.limit).toBe(100);
    const long = run(['ok'], 'read', { timeout: 5_000, deadline: 1_000 });
    expect(long.sends[0]?.limit).toBeGreaterThanOrEqual(1_000);
  });

  test.each([
    [2_147_483_647, 2_147_483_647],
    [2_000_000_000, 1_000_000_000],
  ])(
    'the limit of a try is one that a timer can keep (timeout %i, deadline %i)',
    async (timeout, deadline) => {
      await settled();
      const call = run(['ok'], 'read', { timeout, deadline });
      // Beyond that setTimeout fires at once.
      expect(call.sends[0]?.limit).toBeLessThanOrEqual(2_147_483_647);
    },
  );

  test('after an unknown outcome it is an unknown outcome', async () => {
    await settled();
    const call = run(['reset'], 'idempotent', { deadline: 300, retry: { writes: 'idempotent' } });
    await jest.advanceTimersByTimeAsync(2_000);
    expect(call.sends.length).toBeGreaterThan(1);
    expect(call.error).toBeInstanceOf(OutcomeUnknownError);
  });
});

describe('a member that stops answering', () => {
  test.each<[RetryClass]>([['read'], ['leader-read'], ['quorum-read']])(
    'a %s leaves it once its probe fails',
    async (retryClass) => {
      setUp({ heartbeat: false });
      await settled();
      const call = run(['silence', 'ok'], retryClass);
      const [{ endpoint } = { endpoint: '' }] = call.sends;
      scripted.words = Object.fromEntries(urls.map((url) => [url, b]));
      scripted.words[endpoint] = refused;
      if (endpoint === b) scripted.words = { [a]: a, [b]: refused, [c]: a };
      await jest.advanceTimersByTimeAsync(900);
      expect(call.sends).toHaveLength(1);
      await jest.advanceTimersByTimeAsync(200);
      expect(call.sends).toHaveLength(2);
      expect(call.sends[0]?.gone).toBe(true);
      expect(call.sends[1]?.endpoint).not.toBe(endpoint);
      expect(call.result).toBe(`answer of ${call.sends[1]?.endpoint ?? ''}`);
    },
  );

  test('a write stays: it was sent', async () => {
    await settled();
    const call = run(['silence', 'ok'], 'once', { deadline: 3_000 });
    scripted.words = { [a]: refused, [b]: b, [c]: b };
    await jest.advanceTimersByTimeAsync(2_999);
    expect(scripted.cluster.view.leaderEndpoint).toBe(b);
    expect(call.sends).toMatchObject([{ endpoint: a, gone: false }]);
    await jest.advanceTimersByTimeAsync(1);
    expect(call.error).toBeInstanceOf(OutcomeUnknownError);
  });

  test('a slow answer of one that is well is waited for', async () => {
    await settled();
    const call = run(['silence'], 'read', { deadline: 5_000 });
    await jest.advanceTimersByTimeAsync(4_999);
    expect(call.sends).toHaveLength(1);
    expect(call.error).toBeUndefined();
  });
});
