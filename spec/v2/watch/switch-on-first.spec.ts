import { take, type Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { switchOnFirst } from '../../../lib/v2/watch/switch-on-first.js';

type Inner = Observable<string>;

const marbles = () => new TestScheduler((actual, expected) => expect(actual).toEqual(expected));

describe('switchOnFirst', () => {
  test('mirrors the only inner, to its end, whatever the source does', () => {
    marbles().run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const a$ = cold('               -1-2-|');
      const source$ = hot<Inner>('    --a-|', { a: a$ });
      expectObservable(source$.pipe(switchOnFirst())).toBe('---1-2-|');
      expectSubscriptions(a$.subscriptions).toBe('--^----!');
      expectSubscriptions(source$.subscriptions).toBe('^---!');
    });
  });

  test('the older inner goes on until the newer one emits', () => {
    marbles().run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const a$ = cold('             -1-2-3--4-5');
      const b$ = cold('                ----x-y-|');
      const source$ = hot<Inner>('  a--b--------', { a: a$, b: b$ });
      const expected = '            -1-2-3-x-y-|';
      expectObservable(source$.pipe(switchOnFirst())).toBe(expected);
      expectSubscriptions(a$.subscriptions).toBe('^------!');
      expectSubscriptions(b$.subscriptions).toBe('---^-------!');
      expectSubscriptions(source$.subscriptions).toBe('^----------!');
    });
  });

  test('a newer inner that emits at once takes over at once', () => {
    marbles().run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const a$ = cold('             -1-2-3');
      const b$ = cold('               x-|');
      const source$ = hot<Inner>('  a-b', { a: a$, b: b$ });
      expectObservable(source$.pipe(switchOnFirst())).toBe('-1x-|');
      expectSubscriptions(a$.subscriptions).toBe('^-!');
      expectSubscriptions(b$.subscriptions).toBe('--^-!');
    });
  });

  test.each([
    ['errors', '--#'],
    ['completes', '--|'],
  ])('a newer inner that %s before it emitted is dropped without a trace', (_, end) => {
    marbles().run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const a$ = cold('             -1---2-3-|');
      const b$ = cold(end);
      const source$ = hot<Inner>('  a-b', { a: a$, b: b$ });
      expectObservable(source$.pipe(switchOnFirst())).toBe('-1---2-3-|');
      expectSubscriptions(a$.subscriptions).toBe('^--------!');
      expectSubscriptions(b$.subscriptions).toBe('--^-!');
    });
  });

  test('after a dropped successor the next one takes over', () => {
    marbles().run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const a$ = cold('             1-----2-3');
      const b$ = cold('              -#');
      const c$ = cold('                  --x-|');
      const source$ = hot<Inner>('  ab---c', { a: a$, b: b$, c: c$ });
      expectObservable(source$.pipe(switchOnFirst())).toBe('1-----2x-|');
      expectSubscriptions(a$.subscriptions).toBe('^------!');
      expectSubscriptions(c$.subscriptions).toBe('-----^---!');
    });
  });

  test('a newer successor replaces one that has not emitted', () => {
    marbles().run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const a$ = cold('             1---2---3---4');
      const b$ = cold('              -----x');
      const c$ = cold('                 --y-|');
      const source$ = hot<Inner>('  ab--c', { a: a$, b: b$, c: c$ });
      expectObservable(source$.pipe(switchOnFirst())).toBe('1---2-y-|');
      expectSubscriptions(a$.subscriptions).toBe('^-----!');
      expectSubscriptions(b$.subscriptions).toBe('-^--!');
      expectSubscriptions(c$.subscriptions).toBe('----^---!');
    });
  });

  test.each([
    ['error', '--#'],
    ['end', '--|'],
  ])('the %s of the inner in charge is the result, and cancels the successor and the source', (_, end) => {
    marbles().run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const a$ = cold(`1${end}`);
      const b$ = cold('              ------x');
      const source$ = hot<Inner>('  ab-------', { a: a$, b: b$ });
      expectObservable(source$.pipe(switchOnFirst())).toBe(`1${end}`);
      expectSubscriptions(b$.subscriptions).toBe('-^-!');
      expectSubscriptions(source$.subscriptions).toBe('^--!');
    });
  });

  test('the inner in charge that errors before its first value is not spared', () => {
    marbles().run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const a$ = cold('             --#');
      const source$ = hot<Inner>('  a', { a: a$ });
      expectObservable(source$.pipe(switchOnFirst())).toBe('--#');
      expectSubscriptions(source$.subscriptions).toBe('^-!');
    });
  });

  test("the source's error ends all", () => {
    marbles().run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const a$ = cold('             1-2-3-4');
      const b$ = cold('              ------x');
      const source$ = hot<Inner>('  ab-#', { a: a$, b: b$ });
      expectObservable(source$.pipe(switchOnFirst())).toBe('1-2#');
      expectSubscriptions(a$.subscriptions).toBe('^--!');
      expectSubscriptions(b$.subscriptions).toBe('-^-!');
    });
  });

  test('unsubscribing ends the inner in charge, its successor and the source', () => {
    marbles().run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const a$ = cold('                 1-2-3-4');
      const b$ = cold('                  ------x');
      const source$ = hot<Inner>('      ab-------', { a: a$, b: b$ });
      expectObservable(source$.pipe(switchOnFirst()), '^--!').toBe('1-2-');
      expectSubscriptions(a$.subscriptions).toBe('^--!');
      expectSubscriptions(b$.subscriptions).toBe('-^-!');
      expectSubscriptions(source$.subscriptions).toBe('^--!');
    });
  });

  test('in the frame of the change the older value comes first and none is lost', () => {
    marbles().run(({ cold, hot, expectObservable }) => {
      const a$ = cold('             --1-2');
      const b$ = cold('              -x---|');
      const source$ = hot<Inner>('  ab', { a: a$, b: b$ });
      expectObservable(source$.pipe(switchOnFirst())).toBe('--(1x)|');
    });
  });

  test('a consumer may leave from within the first value of a successor', () => {
    marbles().run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const a$ = cold('             1------');
      const b$ = cold('               (xy)--');
      const source$ = hot<Inner>('  a-b----', { a: a$, b: b$ });
      expectObservable(source$.pipe(switchOnFirst(), take(2))).toBe('1-(x|)');
      expectSubscriptions(a$.subscriptions).toBe('^-!');
      expectSubscriptions(b$.subscriptions).toBe('--(^!)');
      expectSubscriptions(source$.subscriptions).toBe('^-!');
    });
  });
});
