import { watchEvents, type ClientEvent, type WatchStageEvent } from 'rxetcd';
import { from, map } from 'rxjs';
import { watchOver } from '../support/scripted/fake-member.js';

const at = new Date(0);
const endpoint = 'http://a';
const events: ClientEvent[] = [
  { type: 'request', operation: 'watch', endpoint, method: 'GET', path: '/v2/keys/a', at },
  { type: 'watch-waiting', id: 1, key: '/a', endpoint, at },
  { type: 'watch-live', id: 2, key: '/a', endpoint, index: 5, at },
  { type: 'watch-catching-up', id: 3, key: '/a/b', endpoint, at },
  { type: 'watch-lost', id: 2, key: '/a', endpoint, reason: 'reset', at },
  {
    type: 'watch-resync',
    id: 4,
    key: '/',
    endpoint,
    reason: 'x',
    lost: { reason: 'cleared', from: 1, to: 2 },
    at,
  },
  { type: 'watch-ended', id: 2, key: '/a', durationMs: 5, at },
  { type: 'partial-view', reachable: 1, members: 3, at },
];
const told = (watch: number | string) =>
  watchOver(from(events).pipe(watchEvents(watch))).seen.items.map(({ type, id }) => `${type} ${String(id)}`);

describe('watchEvents', () => {
  test('by the number of a watch: its stages, in order', () => {
    expect(told(2)).toEqual(['watch-live 2', 'watch-lost 2', 'watch-ended 2']);
    expect(told(9)).toEqual([]);
  });

  test.each(['/a', 'a', 'a/', '//a'])(
    'by its key, however it is written (%s): of all watches of it',
    (key) => {
      expect(told(key)).toEqual(['watch-waiting 1', 'watch-live 2', 'watch-lost 2', 'watch-ended 2']);
    },
  );

  test.each<[string, string[]]>([
    ['/a/b', ['watch-catching-up 3']],
    ['/', ['watch-resync 4']],
    ['', ['watch-resync 4']],
    ['/c', []],
  ])('%p', (key, expected) => {
    expect(told(key)).toEqual(expected);
  });

  test('narrows the type: each has id and key', () => {
    const keys$ = from(events).pipe(
      watchEvents(3),
      map((event: WatchStageEvent) => event.key),
    );
    expect(watchOver(keys$).seen).toEqual({ items: ['/a/b'], error: undefined, done: true });
  });
});
