import type { RetryClass } from '../../lib/cluster/retry-class.js';
import { AllNodesDownError, OutcomeUnknownError, TlsError } from '../../lib/errors.js';
import { TransportError } from '../../lib/transport/transport-error.js';
import { a, b, c, errorsOf, refused, scriptedCluster, sentTo, type Word } from './scripted-cluster.js';

const scripted = scriptedCluster();
const { settled, run } = scripted;

describe('the gate', () => {
  const gated: RetryClass[] = ['quorum-read', 'once', 'idempotent'];

  test.each(gated)(
    'a %s waits unsent until a leader is named, and leaves at once then',
    async (retryClass) => {
      scripted.words = { [a]: refused, [b]: null, [c]: null };
      const call = run(['ok'], retryClass);
      await jest.advanceTimersByTimeAsync(3_000);
      expect([call.sends.length, call.error]).toEqual([0, undefined]);
      scripted.words[b] = b;
      scripted.words[c] = b;
      const named = performance.now();
      await jest.advanceTimersByTimeAsync(60);
      expect(sentTo(call)).toEqual([b]);
      expect((call.sends[0]?.at ?? Infinity) - named).toBeLessThanOrEqual(35);
      expect(call.result).toBe(`answer of ${b}`);
    },
  );

  test('a leader that refuses is asked no more; the write goes to the next one', async () => {
    await settled();
    scripted.words = { [a]: refused, [b]: a, [c]: a };
    const call = run(['refused', 'ok'], 'once');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(sentTo(call)).toEqual([a]);
    scripted.words = { [a]: refused, [b]: c, [c]: c };
    await jest.advanceTimersByTimeAsync(100);
    expect(sentTo(call)).toEqual([a, c]);
    expect(call.result).toBe(`answer of ${c}`);
  });

  test('after one write was reset, the next ones wait', async () => {
    await settled();
    scripted.words = { [a]: refused, [b]: a, [c]: a };
    const first = run(['reset'], 'once');
    await jest.advanceTimersByTimeAsync(5);
    expect(first.error).toBeInstanceOf(OutcomeUnknownError);
    const waiting = [run(['ok'], 'once'), run(['ok'], 'idempotent'), run(['ok'], 'quorum-read')];
    await jest.advanceTimersByTimeAsync(500);
    expect(waiting.flatMap(sentTo)).toEqual([]);
    scripted.words = { [a]: refused, [b]: b, [c]: b };
    await jest.advanceTimersByTimeAsync(100);
    expect(waiting.flatMap(sentTo)).toEqual([b, b, b]);
  });

  test('plain reads do not wait', async () => {
    scripted.words = { [a]: refused, [b]: null, [c]: null };
    scripted.cluster.state$.subscribe();
    await jest.advanceTimersByTimeAsync(100);
    expect(scripted.cluster.view.hasQuorum).toBe(false);
    const call = run(['ok'], 'read');
    await jest.advanceTimersByTimeAsync(5);
    expect([b, c]).toContain(sentTo(call)[0]);
    expect(call.result).toMatch('answer');
  });

  test('unsubscribing while it waits sends nothing, even when a leader is named later', async () => {
    scripted.words = { [a]: null, [b]: null, [c]: null };
    const call = run(['ok'], 'once');
    await jest.advanceTimersByTimeAsync(500);
    call.subscription.unsubscribe();
    scripted.words = { [a]: a, [b]: a, [c]: a };
    await jest.advanceTimersByTimeAsync(5_000);
    expect(call.sends).toEqual([]);
    // Nobody is left to probe for.
    const before = scripted.probes.length;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(scripted.probes.length).toBe(before);
  });

  test.each<[string, Word, 'no-quorum' | 'unreachable', number]>([
    ['members answer but have no leader', null, 'no-quorum', 0],
    ['no member answers', refused, 'unreachable', 3],
  ])('at the deadline, %s: nothing was sent', async (_, word, reason, attempts) => {
    scripted.words = { [a]: word, [b]: word, [c]: word };
    const calls = gated.map((retryClass) => run(['ok'], retryClass, { deadline: 800 }));
    await jest.advanceTimersByTimeAsync(799);
    expect(calls.map((x) => x.error)).toEqual([undefined, undefined, undefined]);
    await jest.advanceTimersByTimeAsync(1);
    for (const call of calls) {
      expect(call.sends).toEqual([]);
      expect(call.error).toBeInstanceOf(AllNodesDownError);
      expect(call.error).toMatchObject({ reason });
      expect(errorsOf(call)).toEqual(Array(attempts).fill('probe: ECONNREFUSED'));
    }
  });

  test('when TLS fails everywhere waiting would not mend it', async () => {
    const expired = new TransportError('tls', 'CERT_HAS_EXPIRED', false);
    scripted.words = { [a]: expired, [b]: expired, [c]: expired };
    const calls = gated.map((retryClass) => run(['ok'], retryClass));
    await jest.advanceTimersByTimeAsync(100);
    for (const call of calls) {
      expect(call.sends).toEqual([]);
      expect(call.error).toBeInstanceOf(TlsError);
      expect((call.error as Error).message).toContain('CERT_HAS_EXPIRED');
    }
  });

  test('when TLS fails at some it waits for the others', async () => {
    const expired = new TransportError('tls', 'CERT_HAS_EXPIRED', false);
    scripted.words = { [a]: expired, [b]: null, [c]: null };
    const call = run(['ok'], 'once');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(call.error).toBeUndefined();
    scripted.words = { [a]: expired, [b]: b, [c]: b };
    await jest.advanceTimersByTimeAsync(100);
    expect(sentTo(call)).toEqual([b]);
  });
});
