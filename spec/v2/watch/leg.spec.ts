import { NEVER, Observable, of, Subject, throwError, type Subscriber } from 'rxjs';
import { Fault } from '../../../lib/cluster/fault.js';
import { resolveOptions } from '../../../lib/options.js';
import type { HttpPart, HttpRequest, HttpResponse } from '../../../lib/transport/http.js';
import { TransportError } from '../../../lib/transport/transport-error.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import { HistoryLost, MemberLeft } from '../../../lib/v2/watch/history-lost.js';
import type { LegItem, LegStart } from '../../../lib/v2/watch/leg-item.js';
import { leg$, type LegContext } from '../../../lib/v2/watch/leg.js';
import { Pace } from '../../../lib/v2/watch/pace.js';
import type { StoreIndex } from '../../../lib/v2/watch/read-index.js';
import { Watermark } from '../../../lib/v2/watermark.js';

const here = 'http://a';

/** A long poll as the server sees it. */
class Poll {
  readonly query: URLSearchParams;
  gone = false;
  readonly #subscriber: Subscriber<HttpPart>;

  constructor(path: string, subscriber: Subscriber<HttpPart>) {
    this.query = new URL(path, here).searchParams;
    this.#subscriber = subscriber;
    subscriber.add(() => (this.gone = true));
  }

  head(index: number | undefined, clusterId?: string, status = 200): this {
    const headers = headersOf(index, clusterId);
    this.#subscriber.next({ type: 'head', status, headers });
    return this;
  }

  answer(body: unknown): void {
    this.#subscriber.next({ type: 'text', text: typeof body === 'string' ? body : JSON.stringify(body) });
    this.#subscriber.complete();
  }

  event(index: number, more: object = {}): void {
    this.answer({
      action: 'set',
      node: { key: '/a', value: `v${String(index)}`, modifiedIndex: index, ...more },
    });
  }

  fail(error: Error): void {
    this.#subscriber.error(error);
  }
}

const headersOf = (index: number | undefined, clusterId?: string) => ({
  get: (name: string) =>
    name === 'x-etcd-index' ? index?.toString() : name === 'x-etcd-cluster-id' ? clusterId : undefined,
  toJSON: () => ({}),
});
const answerOf = (status: number, index: number | undefined, body: object): HttpResponse => ({
  status,
  headers: headersOf(index),
  body: JSON.stringify(body),
});

let polls: Poll[];
let reads: HttpRequest[];
/** Answers the reads beside the polls. */
let onRead: (request: HttpRequest) => Observable<HttpResponse>;
let pulses$: Subject<StoreIndex>;
let left$: Observable<string>;
let watermark: Watermark;
let cursor: Cursor;
/** The release of the member. */
let version: string | undefined;

function run(start: LegStart = 'cursor', recursive = true) {
  const context = {
    settings: resolveOptions(),
    cluster: { leave$: () => left$, sawTerm: () => undefined, version: () => version },
    transport: {
      parts$: (request: HttpRequest) =>
        new Observable<HttpPart>((subscriber) => void polls.push(new Poll(request.path, subscriber))),
      exchange$: (request: HttpRequest) => {
        reads.push(request);
        return onRead(request);
      },
    },
    watermark,
    pulse$: pulses$,
    pace: new Pace(100),
  } as unknown as LegContext;
  const seen = { items: [] as LegItem[], error: undefined as unknown, done: false };
  const subscription = leg$(context, { key: '/a', recursive }, here, cursor, start).subscribe({
    next: (item) => seen.items.push(item),
    error: (error: unknown) => (seen.error = error),
    complete: () => (seen.done = true),
  });
  return { seen, subscription };
}

/** The items in short: live, chain, and of events action and index. */
const short = (items: LegItem[]) =>
  items.map((item) =>
    item.type === 'event' ? `${item.event.action}@${String(item.event.index)}` : item.type,
  );

beforeEach(() => {
  jest.useFakeTimers();
  polls = [];
  reads = [];
  onRead = () => NEVER;
  pulses$ = new Subject();
  left$ = NEVER;
  watermark = new Watermark();
  cursor = new Cursor(10);
  version = '3.4.23';
});
afterEach(() => jest.useRealTimers());

describe('a leg from the cursor', () => {
  test('asks from the cursor, says that it stands, emits the event and chains', () => {
    const { seen } = run();
    expect(polls[0]?.query.toString()).toBe('wait=true&recursive=true&waitIndex=10');
    expect(seen.items).toEqual([]);
    polls[0]?.head(9);
    expect(short(seen.items)).toEqual(['live']);
    polls[0]?.event(10);
    expect(short(seen.items)).toEqual(['live', 'set@10', 'chain']);
    expect([seen.done, cursor.next]).toEqual([true, 11]);
  });

  test('the event tells what etcd told', () => {
    const { seen } = run();
    const prevNode = { key: '/a', value: 'old', modifiedIndex: 4 };
    polls[0]
      ?.head(9)
      .answer({ action: 'set', node: { key: '/a', value: 'new', modifiedIndex: 12 }, prevNode });
    expect(seen.items[1]).toEqual({
      type: 'event',
      event: {
        action: 'set',
        node: { key: '/a', value: 'new', modifiedIndex: 12 },
        prevNode,
        index: 12,
        info: { etcdIndex: 9, endpoint: here, status: 200 },
      },
    });
  });

  test('without a start it is fixed by the first headers', () => {
    cursor = new Cursor();
    run();
    expect(polls[0]?.query.has('waitIndex')).toBe(false);
    polls[0]?.head(41);
    expect(cursor.next).toBe(42);
  });

  test.each<[string, number, object, boolean]>([
    ['a hidden key', 15, { key: '/a/_h' }, true],
    ['a neighbour', 15, { key: '/ab' }, true],
    ['a key below, not recursive', 15, { key: '/a/b' }, false],
  ])(
    '%s is not emitted; the leg chains, and the place moves on only forwards',
    (_, index, node, recursive) => {
      const { seen } = run('cursor', recursive);
      polls[0]?.head(9).event(index, node);
      expect(short(seen.items)).toEqual(['live', 'chain']);
      expect(cursor.next).toBe(Math.max(10, index + 1));
    },
  );

  test('an event below what was asked for is the failure of a cache, and is not emitted', () => {
    const { seen } = run();
    polls[0]?.head(9).event(9);
    expect(short(seen.items)).toEqual(['live']);
    expect(seen.error).toBeInstanceOf(MemberLeft);
    expect(cursor.next).toBe(10);
  });

  test('an event whose body comes late, after a witness of its silence, is not lost', () => {
    const { seen } = run();
    polls[0]?.head(20);
    cursor.witness(here, performance.now() + 5_000);
    expect(cursor.next).toBe(21);
    polls[0]?.event(15);
    expect(short(seen.items)).toEqual(['live', 'set@15', 'chain']);
    expect(cursor.next).toBe(16);
  });

  test.each<[string, (poll: Poll) => void]>([
    ['an empty answer', (poll) => poll.head(20).answer('')],
    ['half an event', (poll) => poll.head(20).answer('{"action":"set","node":{"key":"/a"')],
    ['an error of etcd', (poll) => poll.head(20, undefined, 400).answer({ errorCode: 401, message: 'x' })],
  ])('%s is an error, and the place stays', (_, answer) => {
    const { seen } = run();
    answer(polls[0]!);
    expect(seen.error).toBeInstanceOf(Fault);
    expect(cursor.next).toBe(10);
  });

  test('so is a reset behind the headers', () => {
    const { seen } = run();
    const reset = new TransportError('reset', 'x', true);
    polls[0]?.head(20).fail(reset);
    expect(seen.error).toBe(reset);
    expect(cursor.next).toBe(10);
  });

  test('leaves its member when told to', () => {
    const leave$ = new Subject<string>();
    left$ = leave$;
    const { seen } = run();
    polls[0]?.head(9);
    leave$.next('another member leads');
    expect(seen.error).toBeInstanceOf(MemberLeft);
    expect((seen.error as Error).message).toBe('another member leads');
    expect(polls[0]?.gone).toBe(true);
  });

  test('unsubscribing ends the poll', () => {
    const { subscription } = run();
    polls[0]?.head(9);
    subscription.unsubscribe();
    expect(polls[0]?.gone).toBe(true);
  });
});

describe('an idle leg while the store moves on', () => {
  const pulse = (index: number) => {
    watermark.saw(index);
    pulses$.next({ endpoint: here, index, sentAt: performance.now(), answered: true });
    jest.advanceTimersByTime(0);
  };

  test('is armed anew once the store is more than 250 ahead, from the proven place', () => {
    const { seen } = run();
    polls[0]?.head(9);
    jest.advanceTimersByTime(3_000);
    pulse(260);
    expect(polls).toHaveLength(1);
    pulse(261);
    expect(polls).toHaveLength(2);
    expect(polls[1]?.query.get('waitIndex')).toBe('10');
    expect(polls.map((p) => p.gone)).toEqual([false, false]);
    polls[1]?.head(261);
    expect(polls.map((p) => p.gone)).toEqual([true, false]);
    // Silence with a witness has moved the place.
    jest.advanceTimersByTime(2_000);
    pulse(600);
    expect(cursor.next).toBe(262);
    expect(polls).toHaveLength(3);
    expect(polls[2]?.query.get('waitIndex')).toBe('262');
    polls[2]?.head(600).event(601);
    expect(short(seen.items)).toEqual(['live', 'set@601', 'chain']);
  });

  test('no event is lost between two armings: the older poll may still answer', () => {
    const { seen } = run();
    polls[0]?.head(9);
    jest.advanceTimersByTime(3_000);
    pulse(500);
    polls[0]?.event(300);
    expect(short(seen.items)).toEqual(['live', 'set@300', 'chain']);
    expect(polls.map((p) => p.gone)).toEqual([true, true]);
  });

  test('a new poll that fails leaves the old one in charge', () => {
    const { seen } = run();
    polls[0]?.head(9);
    jest.advanceTimersByTime(3_000);
    pulse(500);
    polls[1]?.fail(new TransportError('reset', 'x', true));
    expect([seen.error, polls[0]?.gone]).toEqual([undefined, false]);
    polls[0]?.event(501);
    expect(short(seen.items)).toContain('set@501');
  });

  test('at most once in a second, however often the pulse beats', () => {
    run();
    polls[0]?.head(9);
    for (let i = 0; i < 40; i++) {
      pulse(1_000 + i);
      jest.advanceTimersByTime(50);
    }
    expect(polls.length - 1).toBeLessThanOrEqual(2);
    expect(polls.length).toBeGreaterThan(1);
  });

  test('a witness of less than a second proves nothing', () => {
    run();
    polls[0]?.head(200);
    jest.advanceTimersByTime(900);
    pulse(210);
    expect(cursor.next).toBe(10);
    jest.advanceTimersByTime(200);
    pulse(210);
    expect(cursor.next).toBe(201);
  });

  test('a pulse that the member does not answer voids what was not proven', () => {
    run();
    polls[0]?.head(200);
    jest.advanceTimersByTime(1_500);
    pulses$.next({ endpoint: here, index: 0, sentAt: performance.now(), answered: false });
    pulse(210);
    expect(cursor.next).toBe(10);
  });
});

describe('a leg that begins with the state', () => {
  const listing = (index: number) =>
    of(answerOf(200, index, { action: 'get', node: { key: '/a', value: 'now' } }));

  test('opens its poll first, without an index, then reads at the same member', () => {
    cursor = new Cursor();
    onRead = () => listing(50);
    const { seen } = run('sync');
    expect(polls[0]?.query.has('waitIndex')).toBe(false);
    expect(reads).toEqual([]);
    polls[0]?.head(48);
    expect(reads).toMatchObject([{ endpoint: here, path: '/v2/keys/a?recursive=true' }]);
    expect(short(seen.items)).toEqual(['live', 'sync@50']);
    expect(cursor.next).toBe(51);
    polls[0]?.event(51);
    expect(short(seen.items)).toEqual(['live', 'sync@50', 'set@51', 'chain']);
  });

  test('an event that comes while the state is read follows it; one that the state holds is dropped', () => {
    for (const [index, expected] of [
      [51, ['live', 'sync@50', 'set@51', 'chain']],
      [49, ['live', 'sync@50', 'chain']],
    ] as const) {
      polls = [];
      cursor = new Cursor();
      const read$ = new Subject<HttpResponse>();
      onRead = () => read$;
      const { seen } = run('sync');
      polls[0]?.head(48).event(index);
      expect(short(seen.items)).toEqual(['live']);
      read$.next(answerOf(200, 50, { action: 'get', node: { key: '/a' } }));
      read$.complete();
      expect(short(seen.items)).toEqual(expected);
      expect(cursor.next).toBe(Math.max(51, index + 1));
    }
  });

  test('a key that does not exist is a state too', () => {
    cursor = new Cursor();
    onRead = () =>
      of(answerOf(404, 50, { errorCode: 100, message: 'Key not found', cause: '/a', index: 50 }));
    const { seen } = run('sync');
    polls[0]?.head(48);
    expect(seen.items[1]).toMatchObject({ event: { action: 'sync', node: { key: '/a' }, index: 50 } });
  });

  test('a resync tells the range that was lost, both ends included', () => {
    cursor.lost = 'cleared';
    onRead = () => listing(2_000);
    const { seen } = run('resync');
    polls[0]?.head(1_999);
    expect(seen.items[1]).toMatchObject({
      event: { action: 'resync', index: 2_000, lost: { from: 10, to: 2_000 } },
    });
    expect([cursor.next, cursor.lost]).toEqual([2_001, undefined]);
  });

  test('a resync in a rebuilt cluster begins anew below', () => {
    cursor = new Cursor(5_000);
    cursor.lost = 'rebuilt';
    onRead = () => listing(7);
    const { seen } = run('resync');
    polls[0]?.head(7);
    expect(seen.items[1]).toMatchObject({
      event: { action: 'resync', index: 7, lost: { from: 5_000, to: 5_000 } },
    });
    expect(cursor.next).toBe(8);
  });

  test('a read that fails is an error of the leg', () => {
    const reset = new TransportError('reset', 'x', true);
    onRead = () => throwError(() => reset);
    const { seen } = run('sync');
    polls[0]?.head(48);
    expect(seen.error).toBe(reset);
    expect(polls[0]?.gone).toBe(true);
  });
});

describe('a cluster that was rebuilt', () => {
  test('is told by its id', () => {
    cursor.clusterId = 'old';
    const { seen } = run();
    polls[0]?.head(9, 'new');
    expect(seen.error).toBeInstanceOf(HistoryLost);
    expect(seen.items).toEqual([]);
  });

  test('the id is learnt with the first headers, and no id says nothing', () => {
    run();
    polls[0]?.head(9, 'ours');
    expect(cursor.clusterId).toBe('ours');
    const { seen } = run();
    polls[1]?.head(9);
    expect([seen.error, cursor.clusterId]).toEqual([undefined, 'ours']);
  });

  test('with the same id it is told by a quorum read below what was seen', () => {
    cursor = new Cursor(1_000);
    onRead = () => of(answerOf(404, 5, { errorCode: 100, index: 5 }));
    const { seen } = run();
    polls[0]?.head(5);
    expect(reads).toMatchObject([{ path: '/v2/keys/a/_rxetcd?quorum=true', endpoint: here }]);
    expect(seen.error).toBeInstanceOf(HistoryLost);
    expect(watermark.value).toBe(5);
  });

  test('a member that merely lags is not taken for one', () => {
    cursor = new Cursor(1_000);
    watermark.saw(1_200);
    onRead = () => of(answerOf(404, 1_200, { errorCode: 100, index: 1_200 }));
    const { seen } = run();
    polls[0]?.head(900);
    expect(reads).toHaveLength(1);
    expect(seen.error).toBeUndefined();
    polls[0]?.event(1_000);
    expect(short(seen.items)).toEqual(['live', 'set@1000', 'chain']);
  });

  test('if the quorum read fails the leg goes on', () => {
    cursor = new Cursor(1_000);
    onRead = () => throwError(() => new TransportError('timeout', 'x', true));
    const { seen } = run();
    polls[0]?.head(900);
    expect([seen.error, polls[0]?.gone]).toEqual([undefined, false]);
  });

  test.each([[999], [1_000], [0], [undefined]])('headers with index %p are no reason to ask', (index) => {
    cursor = new Cursor(1_000);
    run();
    polls[0]?.head(index);
    expect(reads).toEqual([]);
  });
});

describe('without readable headers', () => {
  test('the start is asked for, and the poll made again from there', () => {
    cursor = new Cursor();
    onRead = () => of(answerOf(404, undefined, { errorCode: 100, index: 41 }));
    const { seen } = run();
    polls[0]?.head(undefined);
    expect(short(seen.items)).toEqual(['chain']);
    expect([cursor.next, seen.done]).toEqual([42, true]);
  });

  test('with the state, the index is asked for before it', () => {
    cursor = new Cursor();
    onRead = ({ path }) =>
      of(
        path.includes('_rxetcd')
          ? answerOf(404, undefined, { errorCode: 100, index: 41 })
          : answerOf(200, undefined, { action: 'get', node: { key: '/a' } }),
      );
    const { seen } = run('sync');
    polls[0]?.head(undefined);
    expect(reads.map((r) => r.path)).toEqual(['/v2/keys/a/_rxetcd', '/v2/keys/a?recursive=true']);
    expect(short(seen.items)).toEqual(['live', 'sync@41']);
    expect(cursor.next).toBe(42);
  });
});

describe('at a release before 2.0', () => {
  const store = (request: HttpRequest): Observable<HttpResponse> =>
    of(
      request.path.includes('_rxetcd')
        ? answerOf(404, 41, { errorCode: 100, index: 41 })
        : answerOf(200, 43, { action: 'get', node: { key: '/a', dir: true } }),
    );

  test.each(['0.2.0', '0.4.9'])('%s: from now on begins by asking where now is', (release) => {
    version = release;
    cursor = new Cursor();
    onRead = store;
    const { seen } = run();
    expect(reads.map((r) => r.path)).toEqual(['/v2/keys/a/_rxetcd']);
    expect([short(seen.items), seen.done, polls.length]).toEqual([['live', 'chain'], true, 0]);
    expect(cursor.next).toBe(42);
  });

  test.each<[LegStart, string]>([
    ['sync', 'sync@41'],
    ['resync', 'resync@41'],
  ])('%s: the state, at the index read before it', (start, expected) => {
    version = '0.2.0';
    onRead = store;
    const { seen } = run(start);
    expect(reads.map((r) => r.path)).toEqual(['/v2/keys/a/_rxetcd', '/v2/keys/a?recursive=true']);
    expect([short(seen.items), seen.done, polls.length]).toEqual([[expected, 'chain'], true, 0]);
    expect(cursor.next).toBe(42);
  });

  test('0.2: a poll stands without a word, and its event comes with its headers', () => {
    version = '0.2.0';
    const { seen } = run();
    expect(short(seen.items)).toEqual(['live']);
    expect(polls[0]?.query.get('waitIndex')).toBe('10');
    polls[0]?.head(12).event(12);
    expect(short(seen.items).slice(-2)).toEqual(['set@12', 'chain']);
    expect(cursor.next).toBe(13);
  });

  test('0.2: is never armed anew: each poll would stay with the server', () => {
    version = '0.2.0';
    run();
    watermark.saw(5_000);
    pulses$.next({ endpoint: here, index: 5_000, sentAt: performance.now(), answered: true });
    jest.advanceTimersByTime(3_600_000);
    expect([polls.length, polls[0]?.gone]).toEqual([1, false]);
  });

  test('0.4: an idle poll is made anew before the server cuts it off', () => {
    version = '0.4.9';
    const { seen } = run();
    polls[0]?.head(9);
    jest.advanceTimersByTime(239_000);
    expect(polls).toHaveLength(1);
    jest.advanceTimersByTime(2_000);
    expect(polls).toHaveLength(2);
    // Not before the new one stands.
    expect(polls[0]?.gone).toBe(false);
    polls[1]?.head(9);
    expect([polls[0]?.gone, seen.error, short(seen.items)]).toEqual([true, undefined, ['live']]);
    polls[1]?.event(10);
    expect(short(seen.items)).toEqual(['live', 'set@10', 'chain']);
  });

  test.each(['2.3.8', '3.4.23', undefined])('%s is none: its idle poll stays', (release) => {
    version = release;
    run();
    polls[0]?.head(9);
    jest.advanceTimersByTime(3_600_000);
    expect(polls).toHaveLength(1);
  });
});
