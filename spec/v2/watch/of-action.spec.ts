import { ofAction, type WatchEvent } from 'rxetcd';
import { from, map } from 'rxjs';
import { watchOver } from '../../support/scripted/fake-member.js';

const info = { endpoint: 'http://a', status: 200 };
const base = { node: { key: '/a' }, info };
const events: WatchEvent[] = [
  { ...base, action: 'sync', index: 1 },
  { ...base, action: 'set', index: 2 },
  { ...base, action: 'delete', index: 3 },
  { ...base, action: 'expire', index: 4 },
  { ...base, action: 'resync', index: 5, lost: { reason: 'cleared', from: 2, to: 5 } },
  { ...base, action: 'set', index: 6 },
];
const indexes = (...actions: WatchEvent['action'][]) =>
  watchOver(from(events).pipe(ofAction(...actions))).seen.items.map(({ index }) => index);

describe('ofAction', () => {
  test.each<[WatchEvent['action'][], number[]]>([
    [['set'], [2, 6]],
    [
      ['delete', 'expire'],
      [3, 4],
    ],
    [['sync'], [1]],
    [['create'], []],
    [[], []],
  ])('%j lets through those, as they are and in order', (actions, expected) => {
    expect(indexes(...actions)).toEqual(expected);
  });

  test('narrows the type: what only a resync has can be read without asking', () => {
    const lost$ = from(events).pipe(
      ofAction('resync'),
      map(({ action, lost }): ['resync', number | undefined] => [action, lost.to]),
    );
    expect(watchOver(lost$).seen).toEqual({ items: [['resync', 5]], error: undefined, done: true });
  });

  test('to several actions, too', () => {
    const actions$ = from(events).pipe(
      ofAction('set', 'delete'),
      map(({ action }): 'set' | 'delete' => action),
    );
    expect(watchOver(actions$).seen.items).toEqual(['set', 'delete', 'set']);
  });

  test('an error passes', () => {
    const failing$ = from(events).pipe(
      map(() => {
        throw new RangeError('x');
      }),
      ofAction('set'),
    );
    expect(watchOver(failing$).seen.error).toBeInstanceOf(RangeError);
  });
});
