import { Fault, type FaultConfig } from '../../lib/cluster/fault.js';
import {
  AuthenticationError,
  EtcdError,
  InvalidOptionError,
  TlsError,
  UnsupportedByServerError,
} from '../../lib/errors.js';
import { EventBus, type ClientEvent } from '../../lib/insight/events.js';
import { resolveOptions } from '../../lib/options.js';
import { TransportError } from '../../lib/transport/transport-error.js';
import { faultOf, keysFaultOf, type Answer } from '../../lib/v2/wire/decode.js';
import type { WatchEvent } from '../../lib/v2/model/model.js';
import { historyLost } from '../../lib/v2/watch/history-lost.js';
import { MemberLeft } from '../../lib/watch/member-left.js';
import { progress, type LegItem } from '../../lib/watch/leg-item.js';
import type { LegContext } from '../../lib/v2/watch/leg-context.js';
import { V2Watch } from '../../lib/v2/watch/v2-watch.js';
import type { Cursor } from '../../lib/v2/watch/cursor.js';
import { WatchRun } from '../../lib/watch/watch-run.js';

const here = 'http://a';
const reset = new TransportError('reset', 'ECONNRESET', true);
const info = { endpoint: here, status: 200 };
const live: LegItem<WatchEvent> = { type: 'live', endpoint: here };
const item = (event: WatchEvent): LegItem<WatchEvent> => ({
  type: 'events',
  events: [event],
  next: event.index + 1,
  ...(event.action === 'resync' ? { state: event.lost } : {}),
});
/** A v2 watch, whose protocol says what a failure of etcd means. */
type Run = WatchRun<WatchEvent, Cursor>;
const change = item({ action: 'set', node: { key: '/a' }, index: 7, info });
const resync = item({
  action: 'resync',
  node: { key: '/a' },
  index: 9,
  lost: { reason: 'cleared', from: 3, to: 9 },
  info,
});
const catchingUp: LegItem<WatchEvent> = { type: 'catching-up', endpoint: here };
const waiting: LegItem<WatchEvent> = { type: 'waiting', endpoint: here };
const answer = (status: number, body: string): Answer => ({ operation: 'watch /a', status, body });
const cleared = faultOf(answer(400, '{"errorCode":401,"message":"outdated","cause":"","index":2000}'));

let blame: jest.Mock;
let changed: jest.Mock<undefined, []>;
let seen: ClientEvent[];
let tlsFailure: string | undefined;
let known: Set<string>;

function start(fromIndex?: number, retry = {}): Run {
  const events = new EventBus();
  events.events$.subscribe((event) => seen.push(event));
  const context = {
    settings: resolveOptions({ retry: { initialDelay: 100, maxDelay: 1_000, ...retry } }),
    events,
    cluster: {
      knows: (url: string) => known.has(url),
      dropped: blame,
      get view() {
        return { tlsFailure };
      },
    },
  } as unknown as LegContext;
  const protocol = new V2Watch(context, { key: '/a', recursive: true });
  const run = new WatchRun(context, protocol, { id: 7, key: '/a', from: fromIndex }, changed);
  run.site(here);
  return run;
}

/** The delay before the next leg, or the error that it ends in. */
function delayAfter(run: Run, error: unknown): unknown {
  const begun = performance.now();
  let result: unknown = 'neither';
  run.recover$(error).subscribe({
    next: () => (result = performance.now() - begun),
    error: (e: unknown) => (result = e),
  });
  jest.runOnlyPendingTimers();
  return result;
}

beforeEach(() => {
  jest.useFakeTimers();
  jest.spyOn(Math, 'random').mockReturnValue(1); // whole delays
  blame = jest.fn();
  changed = jest.fn<undefined, []>();
  seen = [];
  tlsFailure = undefined;
  known = new Set();
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

describe('the stay of a watch at an endpoint', () => {
  let run: Run;
  let closed: () => boolean;

  beforeEach(() => {
    run = start();
    const { stay } = run.site(here);
    closed = () => stay.closed;
  });

  test('goes on with the next leg there', () => {
    run.saw({ type: 'end' });
    expect([run.site(here).stay.closed, closed()]).toEqual([false, false]);
  });

  test.each<[string, () => unknown]>([
    ['when it goes elsewhere', () => run.site('http://b')],
    ['behind a failure', () => delayAfter(run, new MemberLeft('x'))],
    ['with the watch', () => run.ended()],
  ])('is over %s', (_, act) => {
    act();
    expect(closed()).toBe(true);
  });

  test('a new one begins behind a failure', () => {
    delayAfter(run, reset);
    expect(run.site(here).stay.closed).toBe(false);
  });
});

describe('how a leg begins', () => {
  test.each<[string, () => Run]>([
    ['from now on', () => start()],
    ['from an index', () => start(5)],
  ])('%s: at the position', (_, make) => {
    expect(make().site(here).start).toBe('position');
  });

  test.each<[string, Error]>([
    ["the server's word", cleared],
    ["the client's finding", historyLost('rebuilt')],
  ])('with the state once history is lost, by %s, until that was made up for', (_, error) => {
    const run = start(5);
    delayAfter(run, error);
    expect(run.site(here).start).toBe('state');
    delayAfter(run, reset);
    expect(run.site(here).start).toBe('state');
    run.saw(resync);
    expect(run.site(here).start).toBe('position');
  });
});

describe('what moves its position', () => {
  test('the events of its legs, and what passes without one', () => {
    const run = start();
    run.saw(progress(5));
    expect(run.position.next).toBe(5);
    run.saw(change);
    run.saw(live);
    run.saw({ type: 'end' });
    expect(run.position.next).toBe(8);
  });

  test('to a new epoch with a state of another store', () => {
    const run = start(100);
    run.saw({ ...resync, epoch: 1 } as LegItem<WatchEvent>);
    expect([run.position.next, run.position.epoch]).toEqual([10, 1]);
  });

  test('passing without an event is no success', () => {
    const run = start(5);
    delayAfter(run, reset);
    run.saw(progress(9));
    expect(delayAfter(run, reset)).toBe(200);
  });
});

describe('after a failure', () => {
  test('it waits longer each time, up to the longest delay', () => {
    const run = start();
    expect(Array.from({ length: 6 }, () => delayAfter(run, reset))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
  });

  test('a leg that delivered an event starts the back-off anew', () => {
    const run = start();
    delayAfter(run, reset);
    delayAfter(run, reset);
    run.saw(change);
    expect(delayAfter(run, reset)).toBe(100);
  });

  test('a state read afresh does not: history could be lost again at once', () => {
    const run = start();
    delayAfter(run, cleared);
    run.saw(resync);
    expect(delayAfter(run, cleared)).toBe(200);
  });

  test('one that stood longer than the last delay does, one that stood shorter does not', () => {
    const run = start();
    expect(delayAfter(run, reset)).toBe(100);
    run.saw(live);
    jest.advanceTimersByTime(100);
    expect(delayAfter(run, reset)).toBe(200);
    run.saw(live);
    jest.advanceTimersByTime(201);
    expect(delayAfter(run, reset)).toBe(100);
    // That it never stood counts for nothing.
    jest.advanceTimersByTime(60_000);
    expect(delayAfter(run, reset)).toBe(200);
  });

  test('standing long does not help against history that is lost again and again', () => {
    const run = start();
    delayAfter(run, cleared);
    run.saw(live);
    jest.advanceTimersByTime(60_000);
    expect(delayAfter(run, cleared)).toBe(200);
  });

  test.each([
    reset,
    new TransportError('timeout', 'timed out', true, 5),
    new TransportError('connect', 'ECONNREFUSED', false),
    new TransportError('tls', 'CERT_HAS_EXPIRED', false),
  ])('the cluster is told: %s', (error) => {
    delayAfter(start(), error);
    expect(blame.mock.calls).toEqual([[here, error]]);
  });

  test.each([cleared, new MemberLeft('another leads'), historyLost('another-cluster')])(
    'but not of what is no failure of the member: %s',
    (error) => {
      delayAfter(start(), error);
      expect(blame).not.toHaveBeenCalled();
    },
  );

  test('the old place is asked again', () => {
    const run = start(10);
    run.position.silentTo = 50;
    delayAfter(run, reset);
    expect(run.position.next).toBe(10);
  });

  test('it counts the failures of each member, until a leg stands', () => {
    const run = start();
    delayAfter(run, reset);
    delayAfter(run, reset);
    run.site('http://b');
    delayAfter(run, reset);
    expect([...run.tried]).toEqual([
      [here, 2],
      ['http://b', 1],
    ]);
    run.saw(live);
    expect(run.tried.size).toBe(0);
  });
});

describe('what no retry can mend', () => {
  const refusal = new InvalidOptionError('key', 'x', 'y');
  test.each<[string, unknown, unknown]>([
    ['no right', faultOf(answer(401, '{"message":"Insufficient credentials"}')), AuthenticationError],
    ['no v2 API', faultOf(answer(404, '404 page not found')), UnsupportedByServerError],
    ['a refusal of etcd', faultOf(answer(400, '{"errorCode":203,"message":"x"}')), EtcdError],
    ['a bad option', refusal, InvalidOptionError],
    ['a bug of ours', new RangeError('bug'), RangeError],
    ['no error at all', 'text', Error],
  ])('%s ends the watch', (_, error, type) => {
    expect(delayAfter(start(), error)).toBeInstanceOf(type);
  });

  test('the error names endpoint and answer', () => {
    const error = delayAfter(start(), faultOf(answer(404, '404 page not found')));
    expect(error).toMatchObject({
      endpoint: here,
      attempts: [{ endpoint: here, error: '404, and not from the v2 API', status: 404 }],
    });
  });

  test('TLS that fails everywhere', () => {
    tlsFailure = 'CERT_HAS_EXPIRED';
    const error = delayAfter(start(), reset);
    expect(error).toBeInstanceOf(TlsError);
    expect((error as Error).message).toContain('watch /a: TLS failed: CERT_HAS_EXPIRED');
  });
});

describe('what a retry can mend', () => {
  const unknown = (config: Partial<FaultConfig>) =>
    new Fault({
      summary: 'x',
      executed: 'unknown',
      toError: () => new EtcdError('API_ERROR', 'x'),
      ...config,
    });
  test.each<[string, Error]>([
    ['a reset', reset],
    ['a TLS failure at one member', new TransportError('tls', 'x', false)],
    ['a member that left', new MemberLeft('its member does not answer')],
    ['lost history', cleared],
    ['an empty answer: the server went down', faultOf(answer(200, ''))],
    ['half an answer', faultOf(answer(200, '{"action":"set","no'))],
    ['a proxy without backend', faultOf(answer(502, '<html>'))],
    ['no leader', unknown({ leaderless: true })],
    ['a redirect', faultOf(answer(307, ''))],
    ['a gateway that wants to know who asks', keysFaultOf(answer(401, '<html>Sign in</html>'))],
    ['one that says so in nothing', keysFaultOf(answer(401, ''))],
    ['one that says so in JSON of its own', keysFaultOf(answer(403, '{"message":"Forbidden"}'))],
    ['one that does not know the path', keysFaultOf(answer(404, '{"message":"no Route matched"}'))],
    ['one that has had enough', keysFaultOf(answer(429, 'Too Many Requests'))],
    ['its page of a path', keysFaultOf(answer(404, '<html>404 page not found</html>'))],
    [
      'a watcher cleared by a recovery of the server (400)',
      faultOf(answer(400, '{"errorCode":400,"message":"watcher is cleared due to etcd recovery","index":9}')),
    ],
  ])('%s', (_, error) => {
    expect(delayAfter(start(), error)).toBe(100);
  });

  describe('no v2 API where there was one', () => {
    const gone = keysFaultOf(answer(404, '404 page not found\n'));

    test('for this watch, wherever it comes to', () => {
      const run = start();
      run.saw(live);
      run.site('http://b');
      expect(delayAfter(run, gone)).toBe(100);
      expect(seen.at(-1)).toMatchObject({ type: 'watch-lost', reason: '404, and not from the v2 API' });
    });

    test('for the client, at this member', () => {
      known.add(here);
      const run = start();
      expect(delayAfter(run, gone)).toBe(100);
      run.site('http://b');
      expect(delayAfter(run, gone)).toBeInstanceOf(UnsupportedByServerError);
    });
  });
});

describe('its stage', () => {
  test('is told whenever it changes, with its place', () => {
    const run = start(5);
    expect([run.stage, changed.mock.calls.length]).toEqual(['connecting', 0]);
    const stages: unknown[] = [];
    for (const [i, next] of [waiting, catchingUp, live].entries()) {
      run.saw(next);
      stages.push(run.stage);
      expect(changed).toHaveBeenCalledTimes(i + 1);
    }
    delayAfter(run, reset);
    stages.push(run.stage);
    expect(changed).toHaveBeenCalledTimes(4);
    run.saw(waiting);
    stages.push(run.stage);
    expect(stages).toEqual(['waiting', 'catching-up', 'live', 'lost', 'waiting']);
    expect(seen.map(({ type }) => type)).toEqual([
      'watch-waiting',
      'watch-catching-up',
      'watch-live',
      'watch-lost',
      'watch-waiting',
    ]);
    for (const event of seen) expect(event).toMatchObject({ id: 7, key: '/a', endpoint: here, index: 5 });
  });

  test('began when it was entered, not when it was heard of again', () => {
    const run = start();
    const began = Date.now();
    expect(run.since.getTime()).toBe(began);
    jest.advanceTimersByTime(100);
    run.saw(live);
    jest.advanceTimersByTime(100);
    run.saw(live);
    run.saw(change);
    run.saw({ type: 'end' });
    expect([run.stage, run.since.getTime() - began, changed.mock.calls.length]).toEqual(['live', 100, 1]);
    expect(seen).toHaveLength(1);
  });

  test('each failure is told, though it is lost already', () => {
    const run = start();
    delayAfter(run, reset);
    const { since } = run;
    delayAfter(run, reset);
    expect(seen.map(({ type }) => type)).toEqual(['watch-lost', 'watch-lost']);
    expect([changed.mock.calls.length, run.since]).toEqual([1, since]);
  });

  test('one that waits for its turn does not stand', () => {
    const run = start();
    expect(delayAfter(run, reset)).toBe(100);
    run.saw(waiting);
    expect(run.tried.size).toBe(1);
    jest.advanceTimersByTime(60_000);
    expect(delayAfter(run, reset)).toBe(200);
    // One that fills in its past does.
    run.saw(catchingUp);
    expect(run.tried.size).toBe(0);
    jest.advanceTimersByTime(60_000);
    expect(delayAfter(run, reset)).toBe(100);
  });

  test('TLS that has worked before may work again', () => {
    const run = start();
    run.saw(catchingUp);
    tlsFailure = 'CERT_HAS_EXPIRED';
    expect(run.verdict(reset)).toBe('again');
    expect(delayAfter(run, reset)).toBe(100);
  });
});

describe('events', () => {
  const at: unknown = expect.any(Date);

  test('live once for each time that it stands, with its place', () => {
    const run = start(5);
    run.saw(live);
    run.saw(live);
    delayAfter(run, reset);
    run.saw(live);
    expect(seen).toEqual([
      { type: 'watch-live', id: run.id, key: '/a', endpoint: here, index: 5, at },
      { type: 'watch-lost', id: run.id, key: '/a', endpoint: here, reason: 'ECONNRESET', index: 5, at },
      { type: 'watch-live', id: run.id, key: '/a', endpoint: here, index: 5, durationMs: 100, at },
    ]);
  });

  test('how long it has been lost, and at last how long it was', () => {
    const run = start();
    run.saw(live);
    const durations = () => seen.map((event) => ('durationMs' in event ? event.durationMs : undefined));
    delayAfter(run, reset);
    delayAfter(run, reset);
    // It is not back before it is live.
    run.saw(waiting);
    run.saw(catchingUp);
    delayAfter(run, reset);
    run.saw(live);
    expect(seen.map(({ type }) => type)).toEqual([
      'watch-live',
      'watch-lost',
      'watch-lost',
      'watch-waiting',
      'watch-catching-up',
      'watch-lost',
      'watch-live',
    ]);
    expect(durations()).toEqual([undefined, undefined, 100, undefined, undefined, 300, 700]);
    seen.length = 0;
    run.saw(catchingUp);
    run.saw(live);
    delayAfter(run, reset);
    expect(durations()).toEqual([undefined, undefined, undefined]);
  });

  test('a resync tells what was lost, and why', () => {
    const run = start();
    delayAfter(run, historyLost('rebuilt'));
    seen.length = 0;
    run.saw(resync);
    expect(seen).toMatchObject([
      {
        type: 'watch-resync',
        id: run.id,
        key: '/a',
        endpoint: here,
        reason: 'the cluster was rebuilt',
        lost: { reason: 'cleared', from: 3, to: 9 },
      },
    ]);
  });

  test('a resync is a change, for who waits for it', () => {
    const run = start();
    delayAfter(run, historyLost('rebuilt'));
    run.saw(live);
    changed.mockClear();
    run.saw(resync);
    expect([changed.mock.calls.length, run.stage]).toEqual([1, 'live']);
    run.saw(change);
    expect(changed).toHaveBeenCalledTimes(1);
  });

  test('the end, with the first line of why', () => {
    const run = start();
    jest.advanceTimersByTime(250);
    run.ended();
    run.ended(new Error('one\ntwo'));
    expect(seen).toEqual([
      { type: 'watch-ended', id: run.id, key: '/a', durationMs: 250, at },
      { type: 'watch-ended', id: run.id, key: '/a', durationMs: 250, error: 'one', at },
    ]);
  });

  test('never a value', () => {
    const run = start();
    run.saw(item({ action: 'set', node: { key: '/a', value: 'hush' }, index: 7, info }));
    run.saw(
      item({
        action: 'resync',
        node: { key: '/a', value: 'hush' },
        index: 7,
        lost: { reason: 'cleared', from: 1, to: 7 },
        info,
      }),
    );
    delayAfter(run, faultOf(answer(500, 'hush')));
    expect(seen.length).toBeGreaterThan(0);
    expect(JSON.stringify(seen)).not.toContain('hush');
  });
});
