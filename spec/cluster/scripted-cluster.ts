import { map, NEVER, Observable, timer, type Subscription } from 'rxjs';
import { Cluster } from '../../lib/cluster/cluster.js';
import { Fault, type FaultConfig } from '../../lib/cluster/fault.js';
import type { ProbeAnswer } from '../../lib/cluster/probe.js';
import type { RetryClass } from '../../lib/cluster/retry-class.js';
import { send$ } from '../../lib/cluster/send.js';
import { EtcdApiError, EtcdError } from '../../lib/errors.js';
import { EventBus } from '../../lib/insight/events.js';
import { resolveCall, resolveOptions, type CallOptions, type CallSettings } from '../../lib/options.js';
import type { Trace } from '../../lib/transport/transport.js';
import { TransportError, withheld, type TransportFailure } from '../../lib/transport/transport-error.js';

/** How a probe of a member ends: it names this leader, withholds who leads though it has a majority behind it, or fails. */
export type Word = string | null | { hasQuorum: boolean } | TransportError;

export const [a, b, c] = ['http://a:2379', 'http://b:2379', 'http://c:2379'];
export const urls = [a, b, c] as [string, string, string];
export const refused = new TransportError('connect', 'ECONNREFUSED', false);

const failure = (kind: TransportFailure, sent: boolean, message = kind.toUpperCase()): TransportError =>
  new TransportError(kind, message, sent, kind === 'timeout' ? 100 : undefined);

export const fault = (summary: string, config: Partial<FaultConfig> = {}): Fault =>
  new Fault({
    summary,
    status: 500,
    body: `{"why":"${summary}"}`,
    toError: (details) => new EtcdError('UNEXPECTED_RESPONSE', `unexpected ${summary}`, details),
    ...config,
  });

/** How a try can end. */
export const outcomes = {
  refused,
  /** Still waiting for a free connection when its time was up. */
  'timeout before it was sent': failure('timeout', false),
  'redirected (307)': fault('307', {
    status: 307,
    executed: 'no',
    redirect: { to: undefined },
    leaderless: true,
  }),
  'a TLS failure': failure('tls', false),
  'who answers is to be verified': withheld(),
  reset: failure('reset', true),
  'timeout after it was sent': failure('timeout', true),
  'errorCode 300': fault('300', { errorCode: 300, executed: 'unknown', leaderless: true }),
  'an unintelligible answer': fault('502', { status: 502, executed: 'unknown' }),
  'a gateway that refuses (429)': fault('429', { status: 429, executed: 'refused' }),
  'a learner refuses': fault('a learner refuses', { executed: 'no', fromLearner: true }),
  'an interceptor that throws': failure('other', false),
  'an adapter that fails': failure('other', true),
  'an error of etcd': fault('404', {
    errorCode: 100,
    toError: (details) =>
      new EtcdApiError('op', { errorCode: 100, message: 'no', reason: '', index: 1, status: 404 }, details),
  }),
} as const;
export type Outcome = keyof typeof outcomes;

export interface Run {
  /** The endpoints that it was sent to, and when. */
  readonly sends: { endpoint: string; at: number; limit: number; gone?: boolean }[];
  result?: unknown;
  error?: unknown;
  endedAt?: number;
  subscription: Subscription;
}

/** A call, and how each of its tries goes. */
export interface ScriptedCall<T> {
  readonly operation: string;
  readonly retryClass: RetryClass;
  readonly settings: CallSettings;
  readonly at?: string | undefined;
  readonly send: (endpoint: string, limit: number, trace: Trace) => Observable<T>;
}

export type Script = (Outcome | 'ok' | 'silence' | 'silence, unsent')[];

/** Three members whose probes answer after 1 ms what the test says, by default that `a` leads, and calls of theirs. */
export function scriptedCluster() {
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
          if (word !== null && typeof word !== 'string') return { id: url, clusterId: 'ours', ...word };
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

  function specOf(
    script: Script,
    retryClass: RetryClass,
    options: CallOptions,
    seen: Run,
  ): ScriptedCall<string> {
    const client = resolveOptions({ endpoints: urls });
    return {
      operation: 'op /a',
      retryClass,
      settings: resolveCall(client, options),
      send: (endpoint, limit, trace) =>
        new Observable((subscriber) => {
          const outcome = script[Math.min(seen.sends.length, script.length - 1)] ?? 'ok';
          const sent = { endpoint, at: performance.now(), limit, gone: false };
          seen.sends.push(sent);
          const isSent = outcome !== 'silence, unsent';
          trace.exchange = { since: isSent ? sent.at : undefined, sent: isSent };
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

  function call$<T>({ send, ...call }: ScriptedCall<T>): Observable<T> {
    const transport = {
      read$: <R>(
        { endpoint, timeout }: { endpoint: string; timeout: number },
        read: (answer: T) => R,
        trace: Trace,
      ) => send(endpoint, timeout, trace).pipe(map(read)),
    };
    return send$(
      { cluster, events, transport },
      { ...call, request: (endpoint, timeout) => ({ endpoint, timeout }), read: (answer: T) => answer },
    );
  }

  function observe(spec: ScriptedCall<string>, result: Run): Run {
    result.subscription = call$(spec).subscribe({
      next: (value) => (result.result = value),
      error: (error: unknown) => {
        result.error = error;
        result.endedAt = performance.now();
      },
      complete: () => (result.endedAt = performance.now()),
    });
    return result;
  }

  beforeEach(() => {
    jest.useFakeTimers();
    setUp();
  });
  afterEach(() => {
    cluster.close();
    jest.useRealTimers();
  });

  return {
    get words() {
      return words;
    },
    set words(next: Record<string, Word>) {
      words = next;
    },
    /** The endpoints that were probed, in order. */
    get probes() {
      return probes;
    },
    get events() {
      return events;
    },
    get cluster() {
      return cluster;
    },
    setUp,
    settled,
    specOf,
    call$,
    run,
    observe,
  };
}

export const sentTo = ({ sends }: Run) => sends.map((s) => s.endpoint);
export const errorsOf = ({ error }: Run) => (error as EtcdError).attempts.map((x) => x.error);
