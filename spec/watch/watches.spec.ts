import { NEVER, startWith } from 'rxjs';
import type { LegItem } from '../../lib/watch/leg-item.js';
import { togetherMs } from '../../lib/watch/timing.js';
import { Watches } from '../../lib/watch/watches.js';
import { FakeProtocol, fakeWatchContext, type FakePosition } from '../support/scripted/fake-protocol.js';

const target = { key: '/a' };
const live: LegItem<string> = { type: 'live', endpoint: 'http://a' };

let protocol: FakeProtocol;
let watches: Watches<string, FakePosition, typeof target>;

beforeEach(() => {
  jest.useFakeTimers();
  protocol = new FakeProtocol();
  protocol.onLeg = () => NEVER.pipe(startWith(live));
  watches = new Watches(() => protocol);
});
afterEach(() => {
  jest.useRealTimers();
});

const source = (from?: number) => watches.source(fakeWatchContext().context, target, from);

test('watches of one target share a source, unless they begin at an index of their own', () => {
  expect(source()).toBe(source());
  expect(source(3)).not.toBe(source());
  expect(source(3)).not.toBe(source(3));
});

test('a change makes one list, however many follow it', () => {
  const lists: (readonly unknown[])[][] = [[], []];
  const following = lists.map((seen) => watches.list$.subscribe((list) => seen.push(list)));
  const watching = source().events$.subscribe();
  jest.advanceTimersByTime(togetherMs);
  expect(lists.map((seen) => seen.map((list) => list.length))).toEqual([
    [0, 1],
    [0, 1],
  ]);
  expect(lists[0]![1]).toBe(lists[1]![1]);
  watching.unsubscribe();
  for (const one of following) one.unsubscribe();
});

test('who comes later is told at once', () => {
  const watching = source().events$.subscribe();
  const seen: unknown[] = [];
  const late = watches.list$.subscribe((list) => seen.push(list.map(({ state }) => state)));
  expect(seen).toEqual([['live']]);
  late.unsubscribe();
  watching.unsubscribe();
});
