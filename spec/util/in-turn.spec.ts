import { concatMap, of, Subject, type Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { inTurn } from '../../lib/util/in-turn.js';

type Project$ = (value: string) => Observable<string> | Iterable<string>;

interface Case {
  readonly source: string;
  /** What a value leads to, and when that is subscribed; others lead to themselves. */
  readonly turns?: Record<string, readonly [marbles: string, subscribed: string]>;
  readonly told: string;
  readonly unsubscribe?: string;
}

test.each<[string, Case]>([
  ['a value leads to a list', { source: '-a-b-|', told: '-a-b-|' }],
  [
    'what comes meanwhile waits',
    {
      source: '-ab----|',
      turns: { a: ['--x-|', '-^---!'], b: ['y|', '-----^!'] },
      told: '---x-y-|',
    },
  ],
  ['the end waits for the turn', { source: '-a-|', turns: { a: ['----x|', '-^----!'] }, told: '-----x|' }],
  [
    'what is under way is unsubscribed, and what waits is not begun',
    {
      source: '-ab-',
      turns: { a: ['-x-x-x', '-^---!'], b: ['y', ''] },
      told: '--x-x-',
      unsubscribe: '-----!',
    },
  ],
])('%s, as by `concatMap`', (_, { source, turns = {}, told, unsubscribe }) => {
  const check = (operator: typeof inTurn<string, string>): void => {
    new TestScheduler((actual, wanted) => {
      expect(actual).toEqual(wanted);
    }).run(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const cold$s = new Map(Object.entries(turns).map(([value, [marbles]]) => [value, cold(marbles)]));
      const project$: Project$ = (value) => cold$s.get(value) ?? [value];
      expectObservable(hot(source).pipe(operator(project$)), unsubscribe).toBe(told);
      for (const [value, [, subscribed]] of Object.entries(turns))
        expectSubscriptions(cold$s.get(value)?.subscriptions ?? []).toBe(subscribed === '' ? [] : subscribed);
    });
  };
  check(inTurn);
  check((project$) => concatMap((value) => project$(value)));
});

test('an error of the source, of a turn, and of what makes one ends it', () => {
  const ends: unknown[] = [];
  const run = (project$: Project$, values$: Observable<string>): void => {
    values$.pipe(inTurn(project$)).subscribe({ error: ({ message }: Error) => ends.push(message) });
  };
  const source$ = new Subject<string>();
  run((value) => [value], source$);
  source$.error(new Error('source'));
  run(() => {
    throw new Error('project');
  }, of('a'));
  run(function* () {
    yield 'a';
    throw new Error('list');
  }, of('a'));
  const turn$ = new Subject<string>();
  run(() => turn$, of('a', 'b'));
  turn$.error(new Error('turn'));
  expect(ends).toEqual(['source', 'project', 'list', 'turn']);
});

test('a value that comes while another is told waits for it; who has enough is told no more', () => {
  const source$ = new Subject<number>();
  const seen: number[] = [];
  const subscription = source$.pipe(inTurn((n) => [n, n + 1])).subscribe((n) => {
    seen.push(n);
    if (n === 1) source$.next(10);
    if (n === 10) subscription.unsubscribe();
  });
  source$.next(1);
  expect(seen).toEqual([1, 2, 10]);
});
