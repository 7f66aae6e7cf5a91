import { defer, type Subscription } from 'rxjs';
import type { RetryClass } from '../../lib/cluster/retry-class.js';
import { a, b, c, refused, scriptedCluster, sentTo, urls, type Run } from './scripted-cluster.js';

const scripted = scriptedCluster();
const { settled, specOf, run } = scripted;

describe('an answer', () => {
  test.each<[RetryClass]>([['read'], ['leader-read'], ['quorum-read'], ['once'], ['idempotent']])(
    'to a %s comes once',
    async (retryClass) => {
      await settled();
      const call = run(['ok'], retryClass);
      await jest.advanceTimersByTimeAsync(5);
      expect(call.result).toBe(`answer of ${call.sends[0]?.endpoint ?? ''}`);
      expect(call.endedAt).toBe(performance.now());
      expect(call.sends).toHaveLength(1);
      if (retryClass !== 'read') expect(sentTo(call)).toEqual([a]);
    },
  );

  test('nothing is sent before the call is subscribed, and each subscription sends again', async () => {
    await settled();
    const counter: Run = { sends: [], subscription: undefined as unknown as Subscription };
    const cold$ = scripted.call$(specOf(['ok'], 'read', {}, counter));
    await jest.advanceTimersByTimeAsync(100);
    expect(counter.sends).toHaveLength(0);
    cold$.subscribe();
    cold$.subscribe();
    expect(counter.sends).toHaveLength(2);
  });

  test('the member that served a read is asked again', async () => {
    await settled();
    const first = run(['ok'], 'read');
    await jest.advanceTimersByTimeAsync(5);
    const others = Array.from({ length: 20 }, () => run(['ok'], 'read'));
    expect(new Set(others.flatMap(sentTo))).toEqual(new Set(sentTo(first)));
  });
});

describe('a read that the leader serves best', () => {
  test('goes to the leader, then to each other member', async () => {
    await settled();
    const call = run(['errorCode 300', 'errorCode 300', 'errorCode 300', 'ok'], 'leader-read');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(sentTo(call)[0]).toBe(a);
    expect(sentTo(call).slice(0, 3).sort()).toEqual(urls);
    expect(call.result).toMatch('answer of');
  });

  test('does so each time, whoever served last', async () => {
    await settled();
    const first = run(['errorCode 300', 'ok'], 'leader-read');
    await jest.advanceTimersByTimeAsync(100);
    expect(sentTo(first)).toEqual([a, expect.not.stringContaining(a)]);
    expect(sentTo(run(['ok'], 'leader-read'))).toEqual([a]);
  });

  test('does not wait for a leader', async () => {
    scripted.words = { [a]: refused, [b]: null, [c]: null };
    scripted.cluster.state$.subscribe();
    await jest.advanceTimersByTimeAsync(100);
    expect(scripted.cluster.view.leaderEndpoint).toBeUndefined();
    const call = run(['ok'], 'leader-read');
    await jest.advanceTimersByTimeAsync(5);
    expect([b, c]).toContain(sentTo(call)[0]);
    expect(call.result).toMatch('answer of');
  });
});

test('a call that is subscribed first thing probes by itself', async () => {
  const call = defer(() => scripted.call$(specOf(['ok'], 'once', {}, counter)));
  const counter: Run = { sends: [], subscription: undefined as unknown as Subscription };
  let answer: string | undefined;
  call.subscribe((value) => (answer = value));
  expect(counter.sends).toEqual([]);
  await jest.advanceTimersByTimeAsync(50);
  expect(answer).toBe(`answer of ${a}`);
});
