import { Observable, throwError, type Subscriber } from 'rxjs';
import { bothWays$ } from '../../../lib/v2/watch/both-ways.js';
import type { PollPart } from '../../../lib/v2/watch/poll-part.js';
import { overlookedMs, standingMs } from '../../../lib/v2/watch/timing.js';
import { here, watchOver } from '../../support/scripted/fake-member.js';

const info = { endpoint: here, status: 200, etcdIndex: 20 };
const head: PollPart = { type: 'registered', info, sentAt: 0 };
const at = (modifiedIndex: number): PollPart => ({
  type: 'event',
  info,
  body: { action: 'set', node: { key: '/a', modifiedIndex } },
  size: 1,
});
const ways: Subscriber<PollPart>[] = [];
const [all, own] = [0, 1].map((i) => (...parts: PollPart[]) => {
  for (const part of parts) {
    ways[i]!.next(part);
    if (part.type === 'event') ways[i]!.complete();
  }
}) as [(...parts: PollPart[]) => void, (...parts: PollPart[]) => void];
const short = (part: PollPart) => (part.type === 'event' ? part.body.node!.modifiedIndex : part.type);

function run(showsHead = true) {
  ways.length = 0;
  const { seen, subscription } = watchOver(
    bothWays$(
      (recursive) => new Observable<PollPart>((subscriber) => void (ways[recursive ? 0 : 1] = subscriber)),
      showsHead,
    ),
  );
  return {
    subscription,
    get told() {
      return [...seen.items.map(short), ...(seen.done ? ['end'] : [])];
    },
    /** Which polls are still open. */
    get open() {
      return ways.map(({ closed }) => !closed);
    },
  };
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test.each([
  ['the key itself', [12], [11], 11],
  ['what is below it', [11], [12], 11],
  ['the same', [11], [11], 11],
] as const)('of two answers the earlier one counts, here that of %s', (_, [ofAll], [ofOwn], first) => {
  const way = run();
  all(head, at(ofAll));
  expect(way.told).toEqual(['registered']);
  own(head, at(ofOwn));
  expect(way.told).toEqual(['registered', first, 'end']);
});

test('an answer waits until the other poll has been silent behind its headers, however late these come', () => {
  const way = run();
  all(head, at(11));
  jest.advanceTimersByTime(standingMs - 1);
  own(head);
  jest.advanceTimersByTime(1);
  // It is given up: nothing but its headers has come of it for so long.
  expect(way.told).toEqual(['registered', 11, 'end']);
  const next = run();
  own(head, at(11));
  all(head);
  jest.advanceTimersByTime(overlookedMs - 1);
  expect(next.told).toEqual(['registered']);
  jest.advanceTimersByTime(1);
  expect(next.told).toEqual(['registered', 11, 'end']);
  expect([way.open, next.open]).toEqual([
    [false, false],
    [false, false],
  ]);
});

test('of a big event the rest is waited for', () => {
  const way = run();
  all(head, at(12));
  own(head, { type: 'arriving', pause: { isLong: false } });
  jest.advanceTimersByTime(standingMs - 1);
  own(at(11));
  expect(way.told).toEqual(['registered', 11, 'end']);
});

test('once both are silent the one of all stays, alone, for what comes', () => {
  const way = run();
  all(head);
  own(head);
  jest.advanceTimersByTime(overlookedMs);
  expect([way.told, way.open]).toEqual([['registered'], [true, false]]);
  all(at(30));
  expect(way.told).toEqual(['registered', 30, 'end']);
});

test('what comes live while the other poll is still looked at is not lost', () => {
  const way = run();
  all(head);
  jest.advanceTimersByTime(overlookedMs + 10);
  all(at(30));
  own(head);
  expect(way.told).toEqual(['registered']);
  jest.advanceTimersByTime(overlookedMs);
  expect(way.told).toEqual(['registered', 30, 'end']);
});

test('where no headers show, both are looked at for as long as it takes a poll to stand', () => {
  const way = run(false);
  jest.advanceTimersByTime(standingMs);
  expect([way.told, way.open]).toEqual([[], [true, false]]);
  all(head, at(30));
  expect(way.told).toEqual(['registered', 30, 'end']);
});

test('unsubscribed both end; what fails one fails it all', () => {
  const way = run();
  way.subscription.unsubscribe();
  expect(way.open).toEqual([false, false]);
  const { seen } = watchOver(
    bothWays$(
      (recursive) => (recursive ? new Observable<PollPart>() : throwError(() => new Error('x'))),
      true,
    ),
  );
  expect(seen.error).toEqual(new Error('x'));
});
