import type { RetryClass } from '../../lib/cluster/retry-class.js';
import { EtcdError } from '../../lib/errors.js';
import type { ClientEvent } from '../../lib/insight/events.js';
import type { CallOptions } from '../../lib/options.js';
import { outcomes, scriptedCluster, sentTo, urls, type Outcome } from './scripted-cluster.js';

const scripted = scriptedCluster();
const { settled, run } = scripted;

describe('what is sent again, by the class of the operation', () => {
  const classes: [string, RetryClass, CallOptions][] = [
    ['read', 'read', {}],
    ['leader-read', 'leader-read', {}],
    ['quorum-read', 'quorum-read', {}],
    ['once', 'once', {}],
    ['once, idempotent', 'once', { retry: { writes: 'idempotent' } }],
    ['idempotent', 'idempotent', {}],
    ['idempotent, and the user says so', 'idempotent', { retry: { writes: 'idempotent' } }],
  ];
  const reads = ['read', 'leader-read', 'quorum-read'];
  const all = classes.map(([name]) => name);
  const repeated: Record<Outcome, string[]> = {
    refused: all,
    'timeout before it was sent': all,
    'redirected (307)': all,
    'a TLS failure': all,
    'who answers is to be verified': all,
    reset: [...reads, 'idempotent, and the user says so'],
    'timeout after it was sent': [...reads, 'idempotent, and the user says so'],
    'errorCode 300': [...reads, 'idempotent, and the user says so'],
    'an unintelligible answer': [...reads, 'idempotent, and the user says so'],
    'a gateway that refuses (429)': [...reads, 'idempotent, and the user says so'],
    'a learner refuses': all,
    'an interceptor that throws': [],
    'an adapter that fails': [],
    'an error of etcd': [],
  };
  const table = (Object.keys(outcomes) as Outcome[]).flatMap((outcome) =>
    classes.map(([name, retryClass, options]) => {
      const again = repeated[outcome].includes(name);
      return [name, outcome, again ? 'again' : 'never again', retryClass, options] as const;
    }),
  );

  test.each(table)('%s after %s: %s', async (_, outcome, again, retryClass, options) => {
    await settled();
    const call = run([outcome, 'ok'], retryClass, options);
    await jest.advanceTimersByTimeAsync(5_000);
    if (again === 'again') {
      expect(call.sends).toHaveLength(2);
      expect(call.error).toBeUndefined();
      expect(call.result).toMatch('answer of');
    } else {
      expect(call.sends).toHaveLength(1);
      expect(call.error).toBeInstanceOf(EtcdError);
    }
  });

  test('a read moves to each other member before it comes back to one', async () => {
    await settled();
    const call = run(['refused'], 'read', { deadline: 900 });
    await jest.advanceTimersByTimeAsync(900);
    const order = sentTo(call);
    expect(order.slice(0, 3).sort()).toEqual(urls);
    expect(order.slice(3, 6).sort()).toEqual(urls);
    // At once within a round, then after a growing delay.
    const at = call.sends.map((s) => s.at - (call.sends[0]?.at ?? 0));
    expect(at.slice(0, 3)).toEqual([0, 5, 10]);
    expect((at[3] ?? 0) - 15).toBeGreaterThanOrEqual(25);
    expect((at[3] ?? 0) - 15).toBeLessThanOrEqual(51);
    expect((at[6] ?? 0) - (at[5] ?? 0)).toBeGreaterThanOrEqual(55);
  });

  test('a redirect is asked again with growing delays, not in a tight loop', async () => {
    await settled();
    const call = run(['redirected (307)'], 'once', { deadline: 2_000 });
    await jest.advanceTimersByTimeAsync(2_000);
    expect(call.sends.length).toBeGreaterThan(3);
    expect(call.sends.length).toBeLessThan(12);
  });
});

describe('events', () => {
  test('tell each retry and each move', async () => {
    await settled();
    const seen: ClientEvent[] = [];
    scripted.events.events$.subscribe((e) => {
      if (e.type === 'retry' || e.type === 'failover') seen.push(e);
    });
    const call = run(['refused', 'reset', 'ok'], 'read');
    await jest.advanceTimersByTimeAsync(100);
    const [first, second, third] = sentTo(call);
    const at: unknown = expect.any(Date);
    expect(seen).toEqual([
      { type: 'retry', operation: 'op /a', endpoint: first, reason: 'ECONNREFUSED', attempt: 1, at },
      { type: 'failover', operation: 'op /a', from: first, to: second, at },
      { type: 'retry', operation: 'op /a', endpoint: second, reason: 'RESET', attempt: 2, at },
      { type: 'failover', operation: 'op /a', from: second, to: third, at },
    ]);
  });

  test('a call that ends tells of no retry', async () => {
    await settled();
    const seen: string[] = [];
    scripted.events.events$.subscribe((e) => seen.push(e.type));
    run(['reset'], 'once');
    run(['refused'], 'read', { retry: { max: 0 } });
    await jest.advanceTimersByTimeAsync(100);
    expect(seen).not.toContain('retry');
    expect(seen).not.toContain('failover');
  });

  test('retries are counted to the end, however many tries the error keeps', async () => {
    await settled();
    const counts: number[] = [];
    scripted.events.events$.subscribe((e) => {
      if (e.type === 'retry') counts.push(e.attempt);
    });
    run(['refused'], 'read', { deadline: 200_000, retry: { max: 45, initialDelay: 1, maxDelay: 1 } });
    await jest.advanceTimersByTimeAsync(2_000);
    expect(counts).toEqual(Array.from({ length: 45 }, (_, i) => i + 1));
  });
});
