import { defer, map, timer, type Subscription } from 'rxjs';
import type { RetryClass } from '../../lib/cluster/retry-class.js';
import { AllNodesDownError, EtcdError, OutcomeUnknownError } from '../../lib/errors.js';
import type { CallOptions } from '../../lib/options.js';
import {
  a,
  b,
  c,
  errorsOf,
  fault,
  scriptedCluster,
  sentTo,
  urls,
  type Run,
  type Script,
  type ScriptedCall,
} from './scripted-cluster.js';

const scripted = scriptedCluster();
const { setUp, settled, specOf, observe } = scripted;

describe('with other endpoints than its class names', () => {
  const classes: RetryClass[] = ['read', 'leader-read', 'quorum-read', 'once', 'idempotent'];

  /** A call whose members redirect as told; whoever is not among them does as the script says. */
  function ask(
    redirects: Record<string, string | undefined>,
    retryClass: RetryClass,
    { at, script = ['ok'], ...options }: CallOptions & { at?: string; script?: Script } = {},
  ): Run {
    const result: Run = { sends: [], subscription: undefined as unknown as Subscription };
    const spec = specOf(script, retryClass, options, result);
    const send: ScriptedCall<string>['send'] = (endpoint, limit, trace) => {
      const redirect = redirects[endpoint];
      if (redirect === undefined) return spec.send(endpoint, limit, trace);
      return timer(5).pipe(
        map(() => {
          throw fault(`redirected to ${redirect}`, {
            status: 307,
            executed: 'no',
            redirect: { to: redirect },
            leaderless: true,
          });
        }),
        (source) =>
          defer(() => {
            result.sends.push({ endpoint, at: performance.now(), limit });
            return source;
          }),
      );
    };
    return observe({ ...spec, at, send }, result);
  }

  describe('a redirect', () => {
    test.each(classes)('of a %s is followed to a member at once, and is no retry', async (retryClass) => {
      await settled();
      const seen: string[] = [];
      scripted.events.events$.subscribe((e) => seen.push(e.type));
      const call = ask({ [a]: b, [c]: b }, retryClass, { retry: { max: 0 }, timeout: 700 });
      await jest.advanceTimersByTimeAsync(10);
      expect(call.result).toBe(`answer of ${b}`);
      if (retryClass === 'read') return;
      expect(sentTo(call)).toEqual([a, b]);
      expect(call.sends.map((s) => s.limit)).toEqual([700, 700]);
      expect(seen.filter((type) => type === 'retry' || type === 'failover')).toEqual(['failover']);
    });

    test.each(classes)('of a %s to nobody of the cluster is not followed', async (retryClass) => {
      await settled();
      const foreign = 'http://evil:2379';
      const call = ask({ [a]: foreign, [b]: foreign, [c]: foreign }, retryClass, { retry: { max: 3 } });
      await jest.advanceTimersByTimeAsync(5_000);
      expect(call.sends).toHaveLength(4);
      expect(sentTo(call)).not.toContain(foreign);
      expect(call.error).toBeInstanceOf(AllNodesDownError);
      expect(call.error).toMatchObject({ reason: 'no-quorum' });
      expect(errorsOf(call)).toEqual(Array(4).fill(`redirected to ${foreign}`));
      expect(scripted.cluster.endpoints).not.toContain(foreign);
    });

    test('of a member to itself is an election: asked again, with growing delays', async () => {
      await settled();
      const redirects: Record<string, string | undefined> = { [a]: a };
      const call = ask(redirects, 'once');
      await jest.advanceTimersByTimeAsync(2_000);
      expect(call.error).toBeUndefined();
      expect(new Set(sentTo(call))).toEqual(new Set([a]));
      expect(call.sends.length).toBeGreaterThan(3);
      expect(call.sends.length).toBeLessThan(12);
      redirects[a] = undefined;
      await jest.advanceTimersByTimeAsync(2_100);
      expect(call.result).toBe(`answer of ${a}`);
    });

    test('of a member to itself ends as an election does', async () => {
      await settled();
      const call = ask({ [a]: a }, 'once', { retry: { max: 0 } });
      await jest.advanceTimersByTimeAsync(5);
      expect(call.error).toBeInstanceOf(AllNodesDownError);
      expect(call.error).toMatchObject({ reason: 'no-quorum' });
    });

    test('is followed four times and no more', async () => {
      await settled();
      const call = ask({ [a]: b, [b]: c, [c]: a }, 'quorum-read', { retry: { max: 0 } });
      await jest.advanceTimersByTimeAsync(1_000);
      expect(sentTo(call)).toEqual([a, b, c, a, b]);
      expect(call.error).toBeInstanceOf(AllNodesDownError);
      expect(errorsOf(call)).toEqual([b, c, a, b, c].map((url) => `redirected to ${url}`));
    });

    test('in a circle ends with the deadline, and is no tight loop', async () => {
      await settled();
      const call = ask({ [a]: b, [b]: c, [c]: a }, 'once', { deadline: 2_000 });
      await jest.advanceTimersByTimeAsync(2_000);
      expect(call.error).toBeInstanceOf(EtcdError);
      expect(call.error).not.toBeInstanceOf(OutcomeUnknownError);
      expect(call.sends.length).toBeLessThan(60);
    });

    test('is believed: the member that it points to is asked next time, and all are asked at once', async () => {
      setUp({ heartbeat: false });
      await settled();
      scripted.words = { [a]: b, [b]: b, [c]: b };
      const before = scripted.probes.length;
      const call = ask({ [a]: b }, 'once');
      await jest.advanceTimersByTimeAsync(5);
      expect(scripted.cluster.view.leaderEndpoint).not.toBe(a);
      await jest.advanceTimersByTimeAsync(45);
      expect(call.result).toBe(`answer of ${b}`);
      expect(new Set(scripted.probes.slice(before))).toEqual(new Set(urls));
      expect(scripted.cluster.view.leaderEndpoint).toBe(b);
      expect(sentTo(ask({}, 'once'))).toEqual([b]);
    });

    test('what becomes of it there is judged as that of any try', async () => {
      await settled();
      const unknown = ask({ [a]: b }, 'once', { script: ['silence', 'reset'] });
      await jest.advanceTimersByTimeAsync(10);
      expect(sentTo(unknown)).toEqual([a, b]);
      expect(unknown.error).toBeInstanceOf(OutcomeUnknownError);
      expect(errorsOf(unknown)).toEqual([`redirected to ${b}`, 'RESET']);
    });

    test('is not followed for a caller who leaves when he is told of it', async () => {
      await settled();
      const begin = jest.spyOn(scripted.cluster.inFlight, 'begin');
      const call = ask({ [a]: b }, 'once');
      scripted.events.events$.subscribe(({ type }) => {
        if (type === 'failover') call.subscription.unsubscribe();
      });
      await jest.advanceTimersByTimeAsync(100);
      expect([sentTo(call), begin.mock.calls.length]).toEqual([[a], 1]);
    });

    test('ends with the call', async () => {
      await settled();
      const call = ask({ [a]: b }, 'once', { script: ['silence'] });
      await jest.advanceTimersByTimeAsync(10);
      expect(sentTo(call)).toEqual([a, b]);
      call.subscription.unsubscribe();
      expect(call.sends[1]?.gone).toBe(true);
    });
  });

  describe('one endpoint alone', () => {
    test.each(classes)('a %s goes there, whoever leads and whether anyone does', async (retryClass) => {
      scripted.words = { [a]: null, [b]: null, [c]: null };
      const early = ask({}, retryClass, { at: c });
      await jest.advanceTimersByTimeAsync(10);
      expect([sentTo(early), early.result]).toEqual([[c], `answer of ${c}`]);
      scripted.words = { [a]: a, [b]: a, [c]: a };
      await settled();
      expect(sentTo(ask({}, retryClass, { at: c }))).toEqual([c]);
    });

    test.each(classes)('a %s that fails there goes nowhere else', async (retryClass) => {
      await settled();
      const call = ask({}, retryClass, { at: c, script: ['refused', 'refused', 'ok'] });
      await jest.advanceTimersByTimeAsync(5_000);
      expect(sentTo(call)).toEqual([c, c, c]);
      expect(call.result).toBe(`answer of ${c}`);
    });

    test('a redirect leads nowhere else either: the question was about that member', async () => {
      await settled();
      const call = ask({ [c]: a }, 'read', { at: c, retry: { max: 0 } });
      await jest.advanceTimersByTimeAsync(100);
      expect(sentTo(call)).toEqual([c]);
      expect(call.error).toBeInstanceOf(EtcdError);
      expect(errorsOf(call)).toEqual([`redirected to ${a}`]);
    });
  });
});
