import { Observable, Subject, throwError, type Subscription } from 'rxjs';
import { MemberLeft } from '../../../lib/watch/member-left.js';
import { askAgainMs, overdueMs, progressMs, streamGraceMs } from '../../../lib/v3/watch/timing.js';
import {
  noWatch,
  WatchStream,
  type WatchMessage,
  type WatchRequest,
} from '../../../lib/v3/watch/watch-stream.js';

let sent: WatchRequest[];
let told$: Subject<WatchMessage>;
let isOpen: boolean;
let keeper: { ended: jest.Mock; overdue$: jest.Mock };
let overdue$: Subject<never>;
let stream: WatchStream;

const answer = (more: Partial<WatchMessage>): WatchMessage => ({
  header: undefined,
  watch_id: 0,
  created: false,
  canceled: false,
  compact_revision: 0,
  cancel_reason: '',
  fragment: false,
  events: [],
  ...more,
});
const created = (id: number, more: Partial<WatchMessage> = {}) =>
  told$.next(answer({ watch_id: id, created: true, ...more }));

/** A watch, and what it was told. */
function watch(key: string): { told: number[]; seen: { error?: unknown }; by: Subscription } {
  const told: number[] = [];
  const seen: { error?: unknown } = {};
  const by = stream.watch$({ key: Buffer.from(key) }).subscribe({
    next: ({ watch_id: id }) => told.push(id),
    error: (error: unknown) => (seen.error = error),
  });
  return { told, seen, by };
}
const cancelled = () => sent.flatMap(({ cancel_request: cancel }) => cancel?.watch_id ?? []);

beforeEach(() => {
  jest.useFakeTimers();
  sent = [];
  told$ = new Subject();
  overdue$ = new Subject();
  keeper = { ended: jest.fn(), overdue$: jest.fn(() => overdue$) };
  stream = new WatchStream(
    (requests$) =>
      new Observable((subscriber) => {
        isOpen = true;
        subscriber.add(requests$.subscribe((request) => sent.push(request)));
        subscriber.add(told$.subscribe(subscriber));
        subscriber.add(() => (isOpen = false));
      }),
    keeper,
  );
});
afterEach(() => {
  jest.useRealTimers();
});

test('each watch is created with an id of its own, and told what is told of it', () => {
  const [a, b] = [watch('a'), watch('b')];
  expect(
    sent.map(({ create_request: create }) => [create?.watch_id, Buffer.from(create!.key!).toString()]),
  ).toEqual([
    [1, 'a'],
    [2, 'b'],
  ]);
  created(1);
  created(2);
  told$.next(answer({ watch_id: 2 }));
  told$.next(answer({ watch_id: 1 }));
  told$.next(answer({ watch_id: 2 }));
  expect([a.told, b.told]).toEqual([
    [1, 1],
    [2, 2, 2],
  ]);
});

test('a refusal, which bears no id, is for the watch that has waited longest', () => {
  const [a, b] = [watch('a'), watch('b')];
  created(noWatch, { canceled: true });
  created(2);
  told$.next(answer({ watch_id: 2 }));
  expect([a.told, b.told]).toEqual([[noWatch], [2, 2]]);
});

test('progress that was requested is told to all that stand, and to none that waits', () => {
  const [a, b, c] = [watch('a'), watch('b'), watch('c')];
  created(1);
  created(2);
  stream.requestProgress();
  expect(sent.at(-1)).toEqual({ progress_request: {} });
  told$.next(answer({ watch_id: noWatch }));
  expect([a.told, b.told, c.told]).toEqual([[1, noWatch], [2, noWatch], []]);
});

test('whoever unsubscribes is cancelled at the member, at the latest when it is created', () => {
  const [a, b] = [watch('a'), watch('b')];
  created(1);
  a.by.unsubscribe();
  b.by.unsubscribe();
  expect(cancelled()).toEqual([1]);
  created(2);
  expect(cancelled()).toEqual([1, 2]);
  told$.next(answer({ watch_id: 1 }));
  told$.next(answer({ watch_id: 2, canceled: true }));
  expect([a.told, b.told]).toEqual([[1], []]);
});

test.each([
  ['with an id that is not its own', [7]],
  ['though nothing was asked', [1, 2]],
])('created %s: nobody can tell whose it is, and the stream ends', (_, ids) => {
  const a = watch('a');
  for (const id of ids) created(id);
  expect(a.seen.error).toBeInstanceOf(MemberLeft);
  expect([isOpen, keeper.ended.mock.calls]).toEqual([false, [[stream]]]);
});

test.each([
  ['breaks', () => told$.error(new Error('reset')), 'reset'],
  ['ends', () => told$.complete(), 'its stream ended'],
])('when it %s, all its watches do, those that wait too', (_, happens, message) => {
  const [a, b] = [watch('a'), watch('b')];
  created(1);
  happens();
  expect([a, b].map(({ seen }) => (seen.error as Error).message)).toEqual([message, message]);
  expect(keeper.ended).toHaveBeenCalledTimes(1);
  const late = watch('c');
  expect((late.seen.error as Error).message).toBe(message);
  expect(sent).toHaveLength(2);
});

test('when it cannot even be opened its first watch is told why', () => {
  const reason = new Error('the proxy cannot be used');
  const timers = jest.getTimerCount();
  stream = new WatchStream(() => throwError(() => reason), keeper);
  expect(watch('a').seen.error).toBe(reason);
  expect([stream.isOver, jest.getTimerCount()]).toEqual([true, timers]);
});

test('it outlives its last watch by a moment', () => {
  const a = watch('a');
  created(1);
  a.by.unsubscribe();
  jest.advanceTimersByTime(streamGraceMs - 1);
  const b = watch('b');
  jest.advanceTimersByTime(streamGraceMs);
  expect([isOpen, b.seen]).toEqual([true, {}]);
  b.by.unsubscribe();
  jest.advanceTimersByTime(streamGraceMs);
  expect([isOpen, keeper.ended.mock.calls.length, jest.getTimerCount()]).toEqual([false, 1, 0]);
});

test('when the first answer is overdue it is asked why, until it comes; none is behind it', () => {
  const a = watch('a');
  jest.advanceTimersByTime(overdueMs / 2);
  watch('b');
  jest.advanceTimersByTime(overdueMs / 2 - 1);
  expect(keeper.overdue$).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1);
  expect(keeper.overdue$.mock.calls).toEqual([[stream]]);
  created(1);
  expect(overdue$.observed).toBe(false);
  watch('c');
  jest.advanceTimersByTime(10 * overdueMs);
  expect(keeper.overdue$).toHaveBeenCalledTimes(1);
  expect(a.seen).toEqual({});
});

test('the reason that is found ends it', () => {
  const a = watch('a');
  jest.advanceTimersByTime(overdueMs);
  overdue$.error(new MemberLeft('held back'));
  expect([a.seen.error, isOpen]).toEqual([new MemberLeft('held back'), false]);
});

describe('progress', () => {
  const asked = () => sent.filter(({ progress_request: progress }) => progress !== undefined).length;
  const answered = () => told$.next(answer({ watch_id: noWatch }));

  test('is asked for until it is told, however many want it', () => {
    for (let i = 0; i < 3; i += 1) stream.requestProgress();
    expect(asked()).toBe(1);
    jest.advanceTimersByTime(askAgainMs);
    expect(asked()).toBe(2);
    answered();
    jest.advanceTimersByTime(10 * askAgainMs);
    expect(asked()).toBe(2);
    stream.requestProgress();
    expect(asked()).toBe(3);
  });

  test('and once a minute', () => {
    watch('a');
    created(1);
    jest.advanceTimersByTime(progressMs - 1);
    expect(asked()).toBe(0);
    jest.advanceTimersByTime(1);
    expect(asked()).toBe(1);
    answered();
    jest.advanceTimersByTime(progressMs);
    expect(asked()).toBe(2);
  });

  describe('that was asked for before a watch was created, and may overtake the word that it stands', () => {
    const header = (revision: number) => ({ cluster_id: 'c', member_id: 'm', revision, raft_term: 2 });
    const progress = (revision: number) =>
      told$.next(answer({ watch_id: noWatch, header: header(revision) }));

    test('is not of that watch, but of the others; it is asked for again', () => {
      const a = watch('a');
      created(1, { header: header(5) });
      stream.requestProgress();
      const b = watch('b');
      created(2, { header: header(5) });
      progress(5);
      expect([a.told, b.told, asked()]).toEqual([[1, noWatch], [2], 2]);
      progress(5);
      expect([a.told, b.told, asked()]).toEqual([[1, noWatch, noWatch], [2, noWatch], 2]);
    });

    test('is of that watch if its revision says that it was answered later', () => {
      stream.requestProgress();
      const b = watch('b');
      created(1, { header: header(5) });
      progress(6);
      expect([b.told, asked()]).toEqual([[1, noWatch], 1]);
    });

    test('is told of it as often as it was asked for, where a member answers all', () => {
      stream.requestProgress();
      jest.advanceTimersByTime(askAgainMs);
      const b = watch('b');
      created(1, { header: header(5) });
      for (let i = 0; i < 3; i += 1) progress(5);
      expect(b.told).toEqual([1, noWatch]);
    });
  });

  test('the highest revision that was told is known', () => {
    watch('a');
    created(1, { header: { cluster_id: 'c', member_id: 'm', revision: 7, raft_term: 2 } });
    told$.next(
      answer({ watch_id: 1, header: { cluster_id: 'c', member_id: 'm', revision: 6, raft_term: 2 } }),
    );
    expect(stream.toldUpTo).toBe(7);
  });
});
