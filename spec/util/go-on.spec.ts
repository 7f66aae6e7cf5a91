import { EMPTY, NEVER, of, Subject, throwError } from 'rxjs';
import { goOn } from '../../lib/util/go-on.js';
import { watchOver } from '../support/scripted/fake-member.js';

test('the first value leads on; those behind it, and how the source ends, say nothing more', () => {
  const source$ = new Subject<string>();
  const next$ = new Subject<string>();
  const { seen, subscription } = watchOver(source$.pipe(goOn((value) => (value === 'a' ? next$ : NEVER))));
  source$.next('a');
  source$.next('b');
  source$.complete();
  next$.next('x');
  expect([seen.items, seen.done]).toEqual([['x'], false]);
  subscription.unsubscribe();
  expect(next$.observed).toBe(false);
});

test('a source without a value ends it', () => {
  const word = new Error('none');
  expect(watchOver(EMPTY.pipe(goOn(() => NEVER))).seen.done).toBe(true);
  expect(watchOver(throwError(() => word).pipe(goOn(() => NEVER))).seen.error).toBe(word);
});

test('so does what cannot be made of the value', () => {
  const word = new Error('no');
  const { seen } = watchOver(
    of(1).pipe(
      goOn(() => {
        throw word;
      }),
    ),
  );
  expect(seen.error).toBe(word);
});
