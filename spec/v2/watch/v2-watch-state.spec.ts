import { of, Subject, Subscription, tap, throwError, type Observable } from 'rxjs';
import type { HttpRequest, HttpResponse } from '../../../lib/transport/http.js';
import { TransportError } from '../../../lib/transport/transport-error.js';
import type { WatchEvent } from '../../../lib/v2/model/model.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import type { LegContext } from '../../../lib/v2/watch/leg-context.js';
import { V2Watch } from '../../../lib/v2/watch/v2-watch.js';
import type { Site, Verdict } from '../../../lib/watch/watch-protocol.js';
import { withInitialState$ } from '../../../lib/watch/initial-state.js';
import type { WatchSource } from '../../../lib/watch/watch-source.js';
import { answerOf, FakeMember, here, watchOver } from '../../support/scripted/fake-member.js';

const info = { endpoint: here, status: 200 };
const set = (index: number): WatchEvent => ({ action: 'set', node: { key: '/a' }, index, info });
const resync = (index: number): WatchEvent => ({
  action: 'resync',
  node: { key: '/a' },
  index,
  lost: { reason: 'cleared', from: 1, to: index },
  info,
});
const stateAt = (
  index: number,
  node: object = { key: '/a', value: 'now' },
  clusterId?: string,
): HttpResponse => answerOf(200, index, { action: 'get', node }, clusterId);

let member: FakeMember;
let events$: Subject<WatchEvent>;
/** What the source is doing, as its run tells. */
let source: {
  target: { key: string; recursive: boolean };
  events$: Observable<WatchEvent>;
  stages$: Subject<void>;
  context: LegContext;
  protocol: V2Watch;
  run: {
    stage: string;
    endpoint: string;
    position: Cursor;
    stay: Subscription;
    site: (endpoint: string) => Site<Cursor>;
    verdict: (error: unknown) => Verdict;
  };
};

const run = () => watchOver(withInitialState$(source as unknown as WatchSource<WatchEvent, Cursor>));
/** The source enters a stage. */
function enter(stage: string, endpoint: string): void {
  Object.assign(source.run, { stage, endpoint });
  if (stage === 'lost') source.run.stay.unsubscribe();
  source.stages$.next();
}
const told = (events: readonly WatchEvent[]) =>
  events.map(({ action, index }) => `${action}@${String(index)}`);

beforeEach(() => {
  jest.useFakeTimers();
  jest.spyOn(Math, 'random').mockReturnValue(1); // whole delays
  member = new FakeMember();
  events$ = new Subject();
  source = {
    target: { key: '/a', recursive: true },
    events$: events$.pipe(
      tap(({ index }) => {
        source.run.position.moveTo({ type: 'events', events: [{}], next: index + 1 });
      }),
    ),
    stages$: new Subject(),
    context: member.context,
    protocol: new V2Watch(member.context, { key: '/a', recursive: true }),
    run: {
      stage: 'connecting',
      endpoint: here,
      position: new Cursor(),
      stay: new Subscription(),
      site: (endpoint) => ({ ...source.run, endpoint, start: 'position' }),
      verdict: () => 'again',
    },
  };
  member.onRead = () => of(stateAt(50));
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

test.each(['live', 'catching-up'] as const)('the state is read once the source stands (%s)', (type) => {
  const { seen } = run();
  enter('waiting', 'http://b');
  expect(member.reads).toEqual([]);
  enter(type, 'http://c');
  expect(member.reads).toMatchObject([{ endpoint: 'http://c', path: '/v2/keys/a?recursive=true' }]);
  expect(seen.items).toMatchObject([{ action: 'sync', index: 50, node: { key: '/a', value: 'now' } }]);
  enter('live', 'http://c');
  events$.next(set(51));
  expect([told(seen.items), member.reads.length]).toEqual([['sync@50', 'set@51'], 1]);
});

test('who joins later reads it at once, where the source stands', () => {
  source.run.stage = 'live';
  source.run.position = new Cursor(40);
  expect(told(run().seen.items)).toEqual(['sync@50']);
  expect(member.reads).toMatchObject([{ endpoint: here }]);
});

test('each subscriber has a state of its own', () => {
  source.run.stage = 'live';
  const first = run();
  events$.next(set(51));
  member.onRead = () => of(stateAt(51));
  const second = run();
  events$.next(set(52));
  expect(told(first.seen.items)).toEqual(['sync@50', 'set@51', 'set@52']);
  expect(told(second.seen.items)).toEqual(['sync@51', 'set@52']);
});

test('what comes while the state is read waits for it; what it holds already is left out', () => {
  source.run.stage = 'live';
  const answer$ = new Subject<HttpResponse>();
  member.onRead = () => answer$;
  const { seen } = run();
  for (const index of [49, 50, 51, 52]) events$.next(set(index));
  expect(seen.items).toEqual([]);
  answer$.next(stateAt(50));
  answer$.complete();
  expect(told(seen.items)).toEqual(['sync@50', 'set@51', 'set@52']);
});

test('a resync meanwhile waits, too, and is told unless the state is as new', () => {
  source.run.stage = 'live';
  const answer$ = new Subject<HttpResponse>();
  member.onRead = () => answer$;
  const { seen } = run();
  events$.next(resync(48));
  events$.next(resync(60));
  events$.next(set(61));
  answer$.next(stateAt(50));
  answer$.complete();
  expect(told(seen.items)).toEqual(['sync@50', 'resync@60', 'set@61']);
});

test('a member behind what the source had delivered is asked again', () => {
  source.run.stage = 'live';
  source.run.position = new Cursor(61);
  const { seen } = run();
  expect([seen.items, member.reads.length]).toEqual([[], 1]);
  // Just as far is far enough.
  member.onRead = () => of(stateAt(60));
  jest.advanceTimersByTime(member.context.settings.retry.initialDelay);
  expect([told(seen.items), member.reads.length]).toEqual([['sync@60'], 2]);
});

test('a read that fails is made again, at longer and longer intervals', () => {
  source.run.stage = 'live';
  member.onRead = () => throwError(() => new TransportError('reset', 'x', true));
  const { seen } = run();
  const { initialDelay } = member.context.settings.retry;
  for (const [n, delay] of [initialDelay, initialDelay * 2].entries()) {
    jest.advanceTimersByTime(delay - 1);
    expect(member.reads).toHaveLength(n + 1);
    jest.advanceTimersByTime(1);
    expect(member.reads).toHaveLength(n + 2);
  }
  // It is read where the source stands by then.
  source.run.endpoint = 'http://b';
  member.onRead = () => of(stateAt(51));
  events$.next(set(51));
  jest.advanceTimersByTime(initialDelay * 4);
  expect(member.reads.at(-1)).toMatchObject({ endpoint: 'http://b' });
  events$.next(set(52));
  expect(told(seen.items)).toEqual(['sync@51', 'set@52']);
});

test('what no retry can mend ends it', () => {
  source.run.stage = 'live';
  const bug = new RangeError('bug');
  source.run.verdict = () => bug;
  member.onRead = () => throwError(() => new Error('x'));
  const { seen } = run();
  expect([seen.items, seen.error, member.reads.length]).toEqual([[], bug, 1]);
});

test('the error of its source ends it at once, also while the state is read', () => {
  source.run.stage = 'live';
  member.onRead = (_: HttpRequest) => new Subject<HttpResponse>();
  const { seen } = run();
  events$.error(new RangeError('x'));
  expect(seen.error).toBeInstanceOf(RangeError);
});

test('a key that does not exist is a state', () => {
  source.run.stage = 'live';
  member.onRead = () => of(answerOf(404, 50, { errorCode: 100, message: 'x', cause: '/a', index: 50 }));
  expect(run().seen.items).toMatchObject([{ action: 'sync', node: { key: '/a' }, index: 50 }]);
});

test('the keys with a TTL in it are counted, if the watch knew of fewer', () => {
  source.run.stage = 'live';
  const nodes = ['/a/1', '/a/2'].map((key) => ({ key, expiration: '2030-01-01T00:00:00Z' }));
  member.onRead = () => of(stateAt(50, { key: '/a', dir: true, nodes }));
  run();
  expect(source.run.position.keysWithTtl).toBe(2);
  source.run.position.keysWithTtl = 9;
  run();
  expect(source.run.position.keysWithTtl).toBe(9);
});

describe('a store that began anew', () => {
  const quorum = ({ path }: HttpRequest) => path.includes('quorum=true');
  const { initialDelay } = new FakeMember().context.settings.retry;
  /** The source has made up for it: the resync that it tells. */
  const resyncAt = (index: number): void => {
    const epoch = source.run.position.epoch + 1;
    source.run.position.moveTo({ type: 'events', events: [{}], next: index + 1, epoch });
    events$.next({ ...resync(index), lost: { reason: 'rebuilt', from: 61 } } as WatchEvent);
  };

  beforeEach(() => {
    source.run.stage = 'live';
    source.run.position = new Cursor(50);
  });

  test('its resync passes, though below the state, and so does every change behind it', () => {
    const { seen } = run();
    events$.next(set(51));
    resyncAt(4);
    for (const index of [5, 6, 50, 51]) events$.next(set(index));
    expect(told(seen.items)).toEqual(['sync@50', 'set@51', 'resync@4', 'set@5', 'set@6', 'set@50', 'set@51']);
    // And once more.
    resyncAt(3);
    events$.next(set(4));
    expect(told(seen.items).slice(-2)).toEqual(['resync@3', 'set@4']);
  });

  test('at the first change behind the state, too', () => {
    const { seen } = run();
    resyncAt(4);
    events$.next(set(5));
    expect(told(seen.items)).toEqual(['sync@50', 'resync@4', 'set@5']);
  });

  test('while the state is read: it is read anew, and holds the resync', () => {
    const answer$ = new Subject<HttpResponse>();
    member.onRead = () => answer$;
    const { seen } = run();
    events$.next(set(60));
    resyncAt(4);
    events$.next(set(5));
    member.onRead = () => of(stateAt(6));
    // Of which of the two stores this one is, nobody knows.
    answer$.next(stateAt(70));
    answer$.complete();
    expect(seen.items).toEqual([]);
    events$.next(set(6));
    jest.advanceTimersByTime(initialDelay);
    events$.next(set(7));
    expect([told(seen.items), member.reads.length]).toEqual([['sync@6', 'set@7'], 2]);
  });

  test('who comes while the source has yet to make up for it waits for that, not for a time', () => {
    source.run.position.lost = 'rebuilt';
    member.onRead = () => of(stateAt(5));
    const { seen } = run();
    enter('live', here);
    expect(member.reads).toEqual([]);
    resyncAt(4);
    enter('live', here);
    events$.next(set(5));
    events$.next(set(6));
    expect([told(seen.items), member.reads.length]).toEqual([['sync@5', 'set@6'], 1]);
  });

  test('a source that does not know of it yet: the state is told, then nothing of the former store', () => {
    source.run.position = new Cursor(61);
    member.onRead = () => of(stateAt(5));
    const { seen } = run();
    expect([seen.items, member.reads.length]).toEqual([[], 1]);
    jest.advanceTimersByTime(initialDelay);
    expect(member.reads.map(quorum)).toEqual([false, false, true]);
    events$.next(set(61));
    expect(told(seen.items)).toEqual(['sync@5']);
    // It was read before the state, and comes behind it.
    resyncAt(4);
    events$.next(set(5));
    expect(told(seen.items)).toEqual(['sync@5', 'resync@4', 'set@5']);
  });

  test('a member that lags on and on is asked until it does not', () => {
    source.run.position = new Cursor(61);
    member.onRead = (request) => of(stateAt(quorum(request) ? 60 : 50));
    const { seen } = run();
    jest.advanceTimersByTime(initialDelay * 3);
    expect([seen.items, member.reads.map(quorum)]).toEqual([[], [false, false, true, false, true]]);
    member.onRead = () => of(stateAt(60));
    jest.advanceTimersByTime(initialDelay * 4);
    expect(told(seen.items)).toEqual(['sync@60']);
  });

  test('without a quorum it is asked for no longer than the source stands there', () => {
    source.run.position = new Cursor(61);
    member.onRead = (request) =>
      quorum(request) ? throwError(() => new TransportError('timeout', 'x', true)) : of(stateAt(50));
    const { seen } = run();
    jest.advanceTimersByTime(initialDelay);
    enter('lost', here);
    jest.advanceTimersByTime(60_000);
    const { length } = member.reads;
    member.onRead = () => of(stateAt(60));
    enter('live', 'http://b');
    expect(member.reads.slice(length)).toMatchObject([{ endpoint: 'http://b' }]);
    expect(told(seen.items)).toEqual(['sync@60']);
  });

  test.each([70, 5])(
    'another cluster, with the state at %i: nothing of the former, then its resync',
    (index) => {
      source.run.position.clusterId = 'former';
      member.onRead = () => of(stateAt(index, undefined, 'new'));
      const { seen } = run();
      expect(told(seen.items)).toEqual([`sync@${String(index)}`]);
      events$.next(set(80));
      source.run.position.moveTo({ type: 'events', events: [{}], next: 61, epoch: 1 });
      events$.next({ ...resync(60), lost: { reason: 'another-cluster', from: 51 } } as WatchEvent);
      events$.next(set(61));
      expect(told(seen.items).slice(1)).toEqual(['resync@60', 'set@61']);
    },
  );
});
