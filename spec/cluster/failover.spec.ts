import { defer, EMPTY, throwError, type Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { failover, type FailoverStep } from '../../lib/cluster/failover.js';

/** Virtual time: one frame of a marble is one millisecond. */
const marbles = () => new TestScheduler((actual, expected) => expect(actual).toEqual(expected));

/** No jitter: delays are whole. */
const whole = { random: () => 1 };
const next = (): FailoverStep => 'next';

describe('failover', () => {
  test('an answer goes through and nothing is repeated', () => {
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('--a-(b|)');
      const decide = jest.fn(next);
      expectObservable(source$.pipe(failover({ decide }))).toBe('--a-(b|)');
      expectSubscriptions(source$.subscriptions).toBe('^---!');
      expect(decide).not.toHaveBeenCalled();
    });
  });

  test("'next' asks each member at once, and waits a doubling delay after each round", () => {
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('-#');
      const tries = [
        '^!',
        '-^!',
        '--^!', //             first round over at 3: 10 ms
        '13ms ^!',
        '14ms ^!',
        '15ms ^!', //          second round over at 16: 20 ms
        '36ms ^!',
        '37ms ^!',
        '38ms ^!', //          third: 25 ms, the longest
        '64ms ^!',
      ];
      const result$ = source$.pipe(
        failover({ decide: next, members: () => 3, initialDelay: 10, maxDelay: 25, ...whole }),
      );
      expectObservable(result$, '^ 64ms !').toBe('-');
      expectSubscriptions(source$.subscriptions).toBe(tries);
    });
  });

  test('the source picks its member anew each time, until one answers', () => {
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const dead$ = cold('-#');
      const live$ = cold('-(a|)');
      const members = [dead$, dead$, live$];
      let turn = 0;
      const source$ = defer(() => members[turn++] ?? EMPTY);
      expectObservable(source$.pipe(failover({ decide: next, members: () => 3 }))).toBe('---(a|)');
      expectSubscriptions(dead$.subscriptions).toBe(['^!', '-^!']);
      expectSubscriptions(live$.subscriptions).toBe('--^!');
    });
  });

  test('without a number of members every retry waits; the jitter takes up to a half off', () => {
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('-#');
      const result$ = source$.pipe(failover({ decide: next, initialDelay: 10, random: () => 0 }));
      expectObservable(result$, '^ 20ms !').toBe('-');
      expectSubscriptions(source$.subscriptions).toBe(['^!', '6ms ^!', '17ms ^!']);
    });
  });

  test('delays start at 50 ms unless told otherwise, and never exceed 2 s', () => {
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('#');
      const starts = [0, 50, 150, 350, 750, 1_550, 3_150, 5_150, 7_150];
      expectObservable(source$.pipe(failover({ decide: next, ...whole })), '^ 7500ms !').toBe('-');
      expectSubscriptions(source$.subscriptions).toBe(starts.map((at) => `${at}ms (^!)`));
    });
  });

  test("'leader' waits for the leader to be named, and asks then", () => {
    marbles().run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const tries: Observable<string>[] = [cold('-#'), cold('--(a|)')];
      let turn = 0;
      const leader$ = hot('---------l---l');
      const waiting = '    -^-------!';
      const expected = '   -----------(a|)';
      const source$ = defer(() => tries[turn++] ?? EMPTY);
      expectObservable(source$.pipe(failover({ decide: () => 'leader', leader$ }))).toBe(expected);
      expectSubscriptions(leader$.subscriptions).toBe(waiting);
    });
  });

  test("'leader' asks at once when one is named already, and from the second time on after a delay", () => {
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('--#');
      const leader$ = cold('l');
      const result$ = source$.pipe(
        failover({ decide: () => 'leader', leader$, initialDelay: 4, max: 2, ...whole }),
      );
      expectObservable(result$).toBe('----------#');
      expectSubscriptions(source$.subscriptions).toBe(['^-!', '--^-!', '--------^-!']);
      expectSubscriptions(leader$.subscriptions).toBe(['--(^!)', '----(^!)']);
    });
  });

  test("'leader' with nobody to name one is as 'next'", () => {
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('-#');
      const result$ = source$.pipe(failover({ decide: () => 'leader', initialDelay: 4, max: 1, ...whole }));
      expectObservable(result$).toBe('------#');
      expectSubscriptions(source$.subscriptions).toBe(['^!', '-----^!']);
    });
  });

  test("an error of leader$ is the result's", () => {
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('-#');
      const leader$ = cold('---#', {}, 'no TLS');
      expectObservable(source$.pipe(failover({ decide: () => 'leader', leader$ }))).toBe(
        '----#',
        {},
        'no TLS',
      );
      expectSubscriptions(source$.subscriptions).toBe('^!');
      expectSubscriptions(leader$.subscriptions).toBe('-^--!');
    });
  });

  test('when leader$ ends without naming one, the failure goes through: it is never swallowed', () => {
    marbles().run(({ cold, expectObservable }) => {
      const source$ = cold('-#', {}, 'refused');
      const leader$ = cold('---|');
      expectObservable(source$.pipe(failover({ decide: () => 'leader', leader$ }))).toBe(
        '----#',
        {},
        'refused',
      );
    });
  });

  test("on 'fail' the error goes through unchanged and nothing is repeated", () => {
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('-a-#', { a: 'a' }, 'final');
      expectObservable(source$.pipe(failover({ decide: () => 'fail' }))).toBe('-a-#', { a: 'a' }, 'final');
      expectSubscriptions(source$.subscriptions).toBe('^--!');
    });
  });

  test.each([
    [0, ['^!'], '-#'],
    [2, ['^!', '-^!', '--^!'], '---#'],
  ])('after %i retries the last error goes through', (max, tries, expected) => {
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('-#');
      const result$ = source$.pipe(failover({ decide: next, members: () => 9, max }));
      expectObservable(result$).toBe(expected);
      expectSubscriptions(source$.subscriptions).toBe(tries);
    });
  });

  test('decide is told the error and the retries so far, and may change its mind', () => {
    const calls: [unknown, number][] = [];
    marbles().run(({ expectObservable, flush }) => {
      let turn = 0;
      const source$ = defer(() => throwError(() => new Error(`failure ${String(++turn)}`)));
      const decide = (error: unknown, retries: number): FailoverStep => {
        calls.push([error, retries]);
        return retries < 2 ? 'next' : 'fail';
      };
      expectObservable(source$.pipe(failover({ decide, members: () => 9 }))).toBe(
        '#',
        {},
        new Error('failure 3'),
      );
      flush();
    });
    expect(calls).toEqual([
      [new Error('failure 1'), 0],
      [new Error('failure 2'), 1],
      [new Error('failure 3'), 2],
    ]);
  });

  test('the number of members may change between retries', () => {
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('-#');
      let known = 1;
      const members = () => known;
      const decide = (_: unknown, retries: number): FailoverStep => {
        if (retries === 1) known = 3;
        return 'next';
      };
      // Fails at 1 (all of one asked: 10 ms) and 12, then two others are left to ask: at once, then 10 ms again.
      const result$ = source$.pipe(failover({ decide, members, initialDelay: 10, ...whole }));
      expectObservable(result$, '^ 20ms !').toBe('-');
      expectSubscriptions(source$.subscriptions).toBe(['^!', '11ms ^!', '12ms ^!']);
    });
  });

  test('unsubscribing ends the try, and the wait for the delay or for a leader', () => {
    marbles().run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const trying$ = cold('-----a');
      expectObservable(trying$.pipe(failover({ decide: next })), '^--!').toBe('----');
      expectSubscriptions(trying$.subscriptions).toBe('^--!');

      const delayed$ = cold('-#');
      expectObservable(delayed$.pipe(failover({ decide: next, initialDelay: 5, ...whole })), '^---!').toBe(
        '-----',
      );
      expectSubscriptions(delayed$.subscriptions).toBe('^!');

      const waiting$ = cold('-#');
      const leader$ = hot('------l');
      expectObservable(waiting$.pipe(failover({ decide: () => 'leader', leader$ })), '^---!').toBe('-----');
      expectSubscriptions(waiting$.subscriptions).toBe('^!');
      expectSubscriptions(leader$.subscriptions).toBe('-^--!');
    });
  });
});
