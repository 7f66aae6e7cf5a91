import { take } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { concatEager$ } from '../../../lib/v2/watch/concat-eager.js';

const marbles = () => new TestScheduler((actual, expected) => expect(actual).toEqual(expected));

describe('concatEager$', () => {
  test('subscribes to all at once, and emits in the order of the sources', () => {
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const a$ = cold('                     --1---2--|');
      const b$ = cold('                     -x--y--|');
      const c$ = cold('                     ---------------p-|');
      expectObservable(concatEager$([a$, b$, c$])).toBe('--1---2--(xy)--p-|');
      expectSubscriptions(a$.subscriptions).toBe('^--------!');
      expectSubscriptions(b$.subscriptions).toBe('^------!');
      expectSubscriptions(c$.subscriptions).toBe('^----------------!');
    });
  });

  test('what comes in its turn is not held back', () => {
    marbles().run(({ cold, expectObservable }) => {
      const a$ = cold('                --1|');
      const b$ = cold('                -x---y---|');
      expectObservable(concatEager$([a$, b$])).toBe('--1x-y---|');
    });
  });

  test('several that are done already follow at once, empty ones without a trace', () => {
    marbles().run(({ cold, expectObservable }) => {
      const a$ = cold('-----|');
      const b$ = cold('(bc|)');
      const c$ = cold('|');
      const d$ = cold('-d|');
      expectObservable(concatEager$([a$, b$, c$, d$])).toBe('-----(bcd|)');
    });
  });

  test('an error of any ends all at once; what waited is dropped', () => {
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const a$ = cold('               --1-----|');
      const b$ = cold('               -x--#');
      const c$ = cold('               -y-------|');
      expectObservable(concatEager$([a$, b$, c$])).toBe('--1-#');
      for (const { subscriptions } of [a$, b$, c$]) expectSubscriptions(subscriptions).toBe('^---!');
    });
  });

  test('unsubscribing leaves all, also in the midst of what had waited', () => {
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const a$ = cold('                  ----|');
      const b$ = cold('                  -xyz---');
      const c$ = cold('                  --p----');
      expectObservable(concatEager$([a$, b$, c$]).pipe(take(2))).toBe('----(xy|)');
      expectSubscriptions(a$.subscriptions).toBe('^---!');
      expectSubscriptions(b$.subscriptions).toBe('^---!');
      expectSubscriptions(c$.subscriptions).toBe('^---!');
    });
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const [a$, b$] = [cold('-1-----'), cold('--x----')];
      expectObservable(concatEager$([a$, b$]), '---!').toBe('-1--');
      expectSubscriptions(a$.subscriptions).toBe('^--!');
      expectSubscriptions(b$.subscriptions).toBe('^--!');
    });
  });

  test('none at all completes at once', () => {
    marbles().run(({ expectObservable }) => {
      expectObservable(concatEager$([])).toBe('|');
    });
  });

  test('sources that answer at once come whole and in order', () => {
    marbles().run(({ cold, expectObservable }) => {
      expectObservable(concatEager$([cold('(ab|)'), cold('(cd|)')])).toBe('(abcd|)');
    });
  });
});
