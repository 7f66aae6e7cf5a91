import { defer, map, NEVER, Observable, throwError, timer, type Subscription } from 'rxjs';
import type { CallSpec } from '../../lib/cluster/call-spec.js';
import { call$ } from '../../lib/cluster/call.js';
import { Cluster } from '../../lib/cluster/cluster.js';
import { Fault, type FaultConfig } from '../../lib/cluster/fault.js';
import type { ProbeAnswer } from '../../lib/cluster/probe.js';
import type { RetryClass } from '../../lib/cluster/retry-class.js';
import {
  AllNodesDownError,
  ClientClosedError,
  EtcdApiError,
  EtcdError,
  OutcomeUnknownError,
  RequestTimeoutError,
  TlsError,
} from '../../lib/errors.js';
import { EventBus, type ClientEvent } from '../../lib/events.js';
import { resolveCall, resolveOptions, type CallOptions } from '../../lib/options.js';
import { TransportError, type TransportFailure } from '../../lib/transport/transport-error.js';

/** How a probe of a member ends: it names this leader, or fails. */
type Word = string | null | TransportError;

const [a, b, c] = ['http://a:2379', 'http://b:2379', 'http://c:2379'];
const urls = [a, b, c] as [string, string, string];
const refused = new TransportError('connect', 'ECONNREFUSED', false);

/** Three members whose probes answer after 1 ms what the test says; by default `a` leads. */
let words: Record<string, Word>;
let probes: string[];
let events: EventBus;
let cluster: Cluster;

function setUp(options: object = {}): void {
  words = { [a]: a, [b]: a, [c]: a };
  probes = [];
  events = new EventBus();
  const members = urls.map((url) => ({ id: url, name: url, clientURLs: [url], peerURLs: [] }));
  const probe = (url: string): Observable<ProbeAnswer> =>
    timer(1).pipe(
      map(() => {
        probes.push(url);
        const word = words[url] ?? null;
        if (word instanceof TransportError) throw word;
        return { id: url, clusterId: 'ours', leader: word, members };
      }),
    );
  cluster = new Cluster(resolveOptions({ endpoints: urls, ...options }), probe, events);
}

/** A cluster whose leader is known. */
async function settled(): Promise<void> {
  cluster.state$.subscribe();
  await jest.advanceTimersByTimeAsync(50);
  expect(cluster.view.leaderEndpoint).toBe(a);
}

const containing = (text: string): unknown => expect.stringContaining(text);
const failure = (kind: TransportFailure, sent: boolean, message = kind.toUpperCase()): TransportError =>
  new TransportError(kind, message, sent, kind === 'timeout' ? 100 : undefined);
const fault = (summary: string, config: Partial<FaultConfig> = {}): Fault =>
  new Fault({
    summary,
    status: 500,
    body: `{"why":"${summary}"}`,
    toError: (details) => new EtcdError('UNEXPECTED_RESPONSE', `unexpected ${summary}`, details),
    ...config,
  });

/** How a try can end. */
const outcomes = {
  refused,
  /** Still waiting for a free connection when its time was up. */
  'timeout before it was sent': failure('timeout', false),
  'redirected (307)': fault('307', { status: 307, executed: 'no', leaderless: true }),
  'a TLS failure': failure('tls', false),
  reset: failure('reset', true),
  'timeout after it was sent': failure('timeout', true),
  'errorCode 300': fault('300', { errorCode: 300, executed: 'unknown', leaderless: true }),
  'an unintelligible answer': fault('502', { status: 502, executed: 'unknown' }),
  'an interceptor that throws': failure('other', false),
  'an adapter that fails': failure('other', true),
  'an error of etcd': fault('404', {
    errorCode: 100,
    toError: (details) =>
      new EtcdApiError('op', { errorCode: 100, message: 'no', reason: '', index: 1, status: 404 }, details),
  }),
} as const;
type Outcome = keyof typeof outcomes;

interface Run {
  /** The endpoints that it was sent to, and when. */
  readonly sends: { endpoint: string; at: number; limit: number; gone?: boolean }[];
  result?: unknown;
  error?: unknown;
  endedAt?: number;
  subscription: Subscription;
}

type Script = (Outcome | 'ok' | 'silence' | 'silence, unsent')[];

function specOf(script: Script, retryClass: RetryClass, options: CallOptions, run: Run): CallSpec<string> {
  const client = resolveOptions({ endpoints: urls });
  return {
    operation: 'op /a',
    retryClass,
    settings: resolveCall(client, options),
    send: (endpoint, limit, trace) =>
      new Observable((subscriber) => {
        const outcome = script[Math.min(run.sends.length, script.length - 1)] ?? 'ok';
        const sent = { endpoint, at: performance.now(), limit, gone: false };
        run.sends.push(sent);
        trace.sent = () => outcome !== 'silence, unsent';
        subscriber.add(() => (sent.gone = true));
        if (outcome === 'silence' || outcome === 'silence, unsent') return NEVER.subscribe(subscriber);
        return timer(5)
          .pipe(
            map(() => {
              if (outcome === 'ok') return `answer of ${endpoint}`;
              throw outcomes[outcome];
            }),
          )
          .subscribe(subscriber);
      }),
  };
}

/** Subscribes a call whose tries end as the script says (the last word for all that follow). */
function run(script: Script, retryClass: RetryClass, options: CallOptions = {}): Run {
  const result: Run = { sends: [], subscription: undefined as unknown as Subscription };
  return observe(specOf(script, retryClass, options, result), result);
}

function observe(spec: CallSpec<string>, result: Run): Run {
  result.subscription = call$(cluster, events, spec).subscribe({
    next: (value) => (result.result = value),
    error: (error: unknown) => {
      result.error = error;
      result.endedAt = performance.now();
    },
    complete: () => (result.endedAt = performance.now()),
  });
  return result;
}

const sentTo = ({ sends }: Run) => sends.map((s) => s.endpoint);
const errorsOf = ({ error }: Run) => (error as EtcdError).attempts.map((x) => x.error);

beforeEach(() => {
  jest.useFakeTimers();
  setUp();
});
afterEach(() => {
  cluster.close();
  jest.useRealTimers();
});

describe('an answer', () => {
  test.each<[RetryClass]>([['read'], ['leader-read'], ['quorum-read'], ['once'], ['set']])(
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
    const cold$ = call$(cluster, events, specOf(['ok'], 'read', {}, counter));
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

describe('what is sent again, by the class of the operation', () => {
  const classes: [string, RetryClass, CallOptions][] = [
    ['read', 'read', {}],
    ['leader-read', 'leader-read', {}],
    ['quorum-read', 'quorum-read', {}],
    ['once', 'once', {}],
    ['once, idempotent', 'once', { retry: { writes: 'idempotent' } }],
    ['set', 'set', {}],
    ['set, idempotent', 'set', { retry: { writes: 'idempotent' } }],
  ];
  const reads = ['read', 'leader-read', 'quorum-read'];
  const all = classes.map(([name]) => name);
  const repeated: Record<Outcome, string[]> = {
    refused: all,
    'timeout before it was sent': all,
    'redirected (307)': all,
    'a TLS failure': all,
    reset: [...reads, 'set, idempotent'],
    'timeout after it was sent': [...reads, 'set, idempotent'],
    'errorCode 300': [...reads, 'set, idempotent'],
    'an unintelligible answer': [...reads, 'set, idempotent'],
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

describe('the error in the end, without a retry', () => {
  const write: RetryClass[] = ['once', 'set'];
  const read: RetryClass[] = ['read', 'leader-read', 'quorum-read'];
  const rows: [Outcome, RetryClass[], typeof EtcdError | typeof AllNodesDownError, object][] = [
    ['refused', [...read, ...write], AllNodesDownError, { reason: 'unreachable' }],
    ['timeout before it was sent', [...read, ...write], RequestTimeoutError as never, { timeoutMs: 100 }],
    ['redirected (307)', [...read, ...write], AllNodesDownError, { reason: 'no-quorum' }],
    ['a TLS failure', [...read, ...write], TlsError, { message: containing('TLS failed: TLS') }],
    // The others live.
    ['reset', read, EtcdError, { code: 'UNEXPECTED_RESPONSE', message: containing('RESET') }],
    ['reset', write, OutcomeUnknownError, { message: containing('unknown: RESET') }],
    ['timeout after it was sent', read, RequestTimeoutError as never, { timeoutMs: 100 }],
    ['timeout after it was sent', write, OutcomeUnknownError, { message: containing('TIMEOUT') }],
    ['errorCode 300', read, AllNodesDownError, { reason: 'no-quorum' }],
    ['errorCode 300', write, OutcomeUnknownError, { message: containing('300') }],
    ['an unintelligible answer', read, EtcdError, { code: 'UNEXPECTED_RESPONSE' }],
    ['an unintelligible answer', write, OutcomeUnknownError, {}],
    ['an interceptor that throws', [...read, ...write], EtcdError, { code: 'UNEXPECTED_RESPONSE' }],
    ['an adapter that fails', read, EtcdError, { code: 'UNEXPECTED_RESPONSE' }],
    ['an adapter that fails', write, OutcomeUnknownError, {}],
    ['an error of etcd', [...read, ...write], EtcdApiError as never, { errorCode: 100 }],
  ];
  const table = rows.flatMap(([outcome, classes, type, more]) =>
    classes.map((retryClass) => [outcome, retryClass, type.name, type, more] as const),
  );
  test.each(table)('%s, %s: %s', async (outcome, retryClass, _, type, more) => {
    await settled();
    const call = run([outcome], retryClass, { retry: { max: 0 } });
    await jest.advanceTimersByTimeAsync(5);
    expect(call.sends).toHaveLength(1);
    expect(call.error).toBeInstanceOf(type);
    expect(call.error).toMatchObject(more);
    expect(call.error).toMatchObject({
      endpoint: call.sends[0]?.endpoint,
      attempts: [{ endpoint: call.sends[0]?.endpoint, error: outcomes[outcome].message, durationMs: 5 }],
    });
    expect(call.error).not.toHaveProperty('cause');
  });

  test('an attempt that was answered shows status and the first 500 characters of the body', async () => {
    await settled();
    const long = fault('502', { status: 502, body: 'x'.repeat(10_000), executed: 'unknown' });
    const spec: CallSpec<never> = {
      operation: 'op',
      retryClass: 'read',
      settings: resolveOptions({ retry: { max: 0 } }),
      send: () => throwError(() => long),
    };
    let error: unknown;
    call$(cluster, events, spec).subscribe({ error: (e: unknown) => (error = e) });
    expect((error as EtcdError).attempts[0]).toMatchObject({ status: 502, body: 'x'.repeat(500) });
  });

  test.each([1, 2, 5])('retry.max %i allows that many more tries', async (max) => {
    await settled();
    const call = run(['refused'], 'read', { retry: { max } });
    await jest.advanceTimersByTimeAsync(5_000);
    expect(call.sends).toHaveLength(max + 1);
    expect(errorsOf(call)).toEqual(Array(max + 1).fill('ECONNREFUSED'));
  });

  test('an unknown outcome is not forgotten: a later certain failure does not hide it', async () => {
    await settled();
    const call = run(['reset', 'refused'], 'set', { retry: { writes: 'idempotent', max: 1 } });
    await jest.advanceTimersByTimeAsync(5_000);
    expect(errorsOf(call)).toEqual(['RESET', 'ECONNREFUSED']);
    expect(call.error).toBeInstanceOf(OutcomeUnknownError);
  });

  test('a bug of ours is not dressed up as something else', async () => {
    await settled();
    const bug = new RangeError('bug');
    const settings = resolveOptions();
    let error: unknown;
    call$(cluster, events, {
      operation: 'op',
      retryClass: 'read',
      settings,
      send: () => throwError(() => bug),
    }).subscribe({
      error: (e: unknown) => (error = e),
    });
    expect(error).toBe(bug);
  });
});

describe('the deadline', () => {
  const options = { deadline: 500, timeout: 10_000 };
  test.each<[RetryClass, 'silence' | 'silence, unsent', typeof EtcdError, object]>([
    ['read', 'silence', RequestTimeoutError as never, { timeoutMs: 500 }],
    ['leader-read', 'silence', RequestTimeoutError as never, { timeoutMs: 500 }],
    ['quorum-read', 'silence', RequestTimeoutError as never, { timeoutMs: 500 }],
    ['once', 'silence', OutcomeUnknownError, {}],
    ['set', 'silence', OutcomeUnknownError, {}],
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
    words = { [a]: refused, [b]: refused, [c]: refused };
    const call = run(['refused'], 'read', { deadline: 700 });
    await jest.advanceTimersByTimeAsync(5_000);
    expect((call.endedAt ?? 0) - begun).toBe(700);
    expect(call.error).toBeInstanceOf(AllNodesDownError);
    expect(call.error).toMatchObject({ reason: 'unreachable' });
    expect((call.error as EtcdError).attempts.map((x) => x.endpoint)).toEqual(sentTo(call));
  });

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
    const call = run(['reset'], 'set', { deadline: 300, retry: { writes: 'idempotent' } });
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
      words = Object.fromEntries(urls.map((url) => [url, b]));
      words[endpoint] = refused;
      if (endpoint === b) words = { [a]: a, [b]: refused, [c]: a };
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
    words = { [a]: refused, [b]: b, [c]: b };
    await jest.advanceTimersByTimeAsync(2_999);
    expect(cluster.view.leaderEndpoint).toBe(b);
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

describe('the gate', () => {
  const gated: RetryClass[] = ['quorum-read', 'once', 'set'];

  test.each(gated)(
    'a %s waits unsent until a leader is named, and leaves at once then',
    async (retryClass) => {
      words = { [a]: refused, [b]: null, [c]: null };
      const call = run(['ok'], retryClass);
      await jest.advanceTimersByTimeAsync(3_000);
      expect([call.sends.length, call.error]).toEqual([0, undefined]);
      words[b] = b;
      words[c] = b;
      const named = performance.now();
      await jest.advanceTimersByTimeAsync(60);
      expect(sentTo(call)).toEqual([b]);
      expect((call.sends[0]?.at ?? Infinity) - named).toBeLessThanOrEqual(35);
      expect(call.result).toBe(`answer of ${b}`);
    },
  );

  test('a leader that refuses is asked no more; the write goes to the next one', async () => {
    await settled();
    words = { [a]: refused, [b]: a, [c]: a };
    const call = run(['refused', 'ok'], 'once');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(sentTo(call)).toEqual([a]);
    words = { [a]: refused, [b]: c, [c]: c };
    await jest.advanceTimersByTimeAsync(100);
    expect(sentTo(call)).toEqual([a, c]);
    expect(call.result).toBe(`answer of ${c}`);
  });

  test('after one write was reset, the next ones wait', async () => {
    await settled();
    words = { [a]: refused, [b]: a, [c]: a };
    const first = run(['reset'], 'once');
    await jest.advanceTimersByTimeAsync(5);
    expect(first.error).toBeInstanceOf(OutcomeUnknownError);
    const waiting = [run(['ok'], 'once'), run(['ok'], 'set'), run(['ok'], 'quorum-read')];
    await jest.advanceTimersByTimeAsync(500);
    expect(waiting.flatMap(sentTo)).toEqual([]);
    words = { [a]: refused, [b]: b, [c]: b };
    await jest.advanceTimersByTimeAsync(100);
    expect(waiting.flatMap(sentTo)).toEqual([b, b, b]);
  });

  test('plain reads do not wait', async () => {
    words = { [a]: refused, [b]: null, [c]: null };
    cluster.state$.subscribe();
    await jest.advanceTimersByTimeAsync(100);
    expect(cluster.view.hasQuorum).toBe(false);
    const call = run(['ok'], 'read');
    await jest.advanceTimersByTimeAsync(5);
    expect([b, c]).toContain(sentTo(call)[0]);
    expect(call.result).toMatch('answer');
  });

  test('unsubscribing while it waits sends nothing, even when a leader is named later', async () => {
    words = { [a]: null, [b]: null, [c]: null };
    const call = run(['ok'], 'once');
    await jest.advanceTimersByTimeAsync(500);
    call.subscription.unsubscribe();
    words = { [a]: a, [b]: a, [c]: a };
    await jest.advanceTimersByTimeAsync(5_000);
    expect(call.sends).toEqual([]);
    // Nobody is left to probe for.
    const before = probes.length;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(probes.length).toBe(before);
  });

  test.each<[string, Word, 'no-quorum' | 'unreachable', number]>([
    ['members answer but have no leader', null, 'no-quorum', 0],
    ['no member answers', refused, 'unreachable', 3],
  ])('at the deadline, %s: nothing was sent', async (_, word, reason, attempts) => {
    words = { [a]: word, [b]: word, [c]: word };
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
    words = { [a]: expired, [b]: expired, [c]: expired };
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
    words = { [a]: expired, [b]: null, [c]: null };
    const call = run(['ok'], 'once');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(call.error).toBeUndefined();
    words = { [a]: expired, [b]: b, [c]: b };
    await jest.advanceTimersByTimeAsync(100);
    expect(sentTo(call)).toEqual([b]);
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
    words = { [a]: refused, [b]: null, [c]: null };
    cluster.state$.subscribe();
    await jest.advanceTimersByTimeAsync(100);
    expect(cluster.view.leaderEndpoint).toBeUndefined();
    const call = run(['ok'], 'leader-read');
    await jest.advanceTimersByTimeAsync(5);
    expect([b, c]).toContain(sentTo(call)[0]);
    expect(call.result).toMatch('answer of');
  });
});

describe('with other endpoints than its class names', () => {
  const classes: RetryClass[] = ['read', 'leader-read', 'quorum-read', 'once', 'set'];

  /** A call whose members redirect as told; whoever is not among them does as the script says. */
  function ask(
    redirects: Record<string, string | undefined>,
    retryClass: RetryClass,
    { at, script = ['ok'], ...options }: CallOptions & { at?: string; script?: Script } = {},
  ): Run {
    const result: Run = { sends: [], subscription: undefined as unknown as Subscription };
    const spec = specOf(script, retryClass, options, result);
    const send: CallSpec<string>['send'] = (endpoint, limit, trace) => {
      const redirect = redirects[endpoint];
      if (redirect === undefined) return spec.send(endpoint, limit, trace);
      return timer(5).pipe(
        map(() => {
          throw fault(`redirected to ${redirect}`, {
            status: 307,
            executed: 'no',
            redirect,
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
      events.events$.subscribe((e) => seen.push(e.type));
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
      expect(cluster.endpoints).not.toContain(foreign);
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
      words = { [a]: b, [b]: b, [c]: b };
      const before = probes.length;
      const call = ask({ [a]: b }, 'once');
      await jest.advanceTimersByTimeAsync(5);
      expect(cluster.view.leaderEndpoint).not.toBe(a);
      await jest.advanceTimersByTimeAsync(45);
      expect(call.result).toBe(`answer of ${b}`);
      expect(new Set(probes.slice(before))).toEqual(new Set(urls));
      expect(cluster.view.leaderEndpoint).toBe(b);
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
      words = { [a]: null, [b]: null, [c]: null };
      const early = ask({}, retryClass, { at: c });
      await jest.advanceTimersByTimeAsync(10);
      expect([sentTo(early), early.result]).toEqual([[c], `answer of ${c}`]);
      words = { [a]: a, [b]: a, [c]: a };
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

describe('closing the client', () => {
  const all: RetryClass[] = ['read', 'leader-read', 'quorum-read', 'once', 'set'];

  test.each(all)('a %s in flight fails and is cancelled', async (retryClass) => {
    await settled();
    const call = run(['silence'], retryClass);
    await jest.advanceTimersByTimeAsync(10);
    cluster.close();
    expect(call.error).toBeInstanceOf(ClientClosedError);
    expect((call.error as Error).message).toContain('op /a');
    expect(call.sends).toMatchObject([{ gone: true }]);
  });

  test.each(all)('a later %s fails and sends nothing', async (retryClass) => {
    await settled();
    cluster.close();
    const call = run(['ok'], retryClass);
    await jest.advanceTimersByTimeAsync(1_000);
    expect([call.error, call.sends]).toEqual([expect.any(ClientClosedError), []]);
  });

  test('a write at the gate fails and sends nothing', async () => {
    words = { [a]: null, [b]: null, [c]: null };
    const call = run(['ok'], 'once');
    await jest.advanceTimersByTimeAsync(100);
    cluster.close();
    expect([call.error, call.sends]).toEqual([expect.any(ClientClosedError), []]);
  });

  test('between two tries too, with the tries that were made', async () => {
    await settled();
    words = { [a]: refused, [b]: a, [c]: a };
    const call = run(['refused'], 'once');
    await jest.advanceTimersByTimeAsync(100);
    cluster.close();
    expect(call.error).toBeInstanceOf(ClientClosedError);
    expect(errorsOf(call)).toEqual(['ECONNREFUSED']);
  });
});

describe('events', () => {
  test('tell each retry and each move', async () => {
    await settled();
    const seen: ClientEvent[] = [];
    events.events$.subscribe((e) => {
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
    events.events$.subscribe((e) => seen.push(e.type));
    run(['reset'], 'once');
    run(['refused'], 'read', { retry: { max: 0 } });
    await jest.advanceTimersByTimeAsync(100);
    expect(seen).not.toContain('retry');
    expect(seen).not.toContain('failover');
  });
});

test('a call that is subscribed first thing probes by itself', async () => {
  const call = defer(() => call$(cluster, events, specOf(['ok'], 'once', {}, counter)));
  const counter: Run = { sends: [], subscription: undefined as unknown as Subscription };
  let answer: string | undefined;
  call.subscribe((value) => (answer = value));
  expect(counter.sends).toEqual([]);
  await jest.advanceTimersByTimeAsync(50);
  expect(answer).toBe(`answer of ${a}`);
});
