import { defer, EMPTY, of, type Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { heeding, TokenKeeper } from '../../lib/v3/token-keeper.js';
import { faultFrom } from './wire/answers.js';

const marbles = () => new TestScheduler((actual, expected) => expect(actual).toEqual(expected));

/** Whoever needs a token at the time. */
const needed$ = (keeper: TokenKeeper): Observable<never> => defer(() => keeper.wait$() ?? EMPTY);

describe('a token', () => {
  test('is asked for once for all who wait, and kept', () => {
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const ask$ = cold('---(t|)');
      const keeper = new TokenKeeper(ask$);
      const all$ = needed$(keeper);
      expectObservable(all$, '^').toBe('         ---|');
      expectObservable(all$, '--^').toBe('       ---|');
      expectObservable(all$, '-----^').toBe('    -----|');
      expectSubscriptions(ask$.subscriptions).toBe('^--!');
    });
  });

  test('is not asked for any more once nobody waits, but anew for the next', () => {
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const ask$ = cold('-----(t|)');
      const all$ = needed$(new TokenKeeper(ask$));
      expectObservable(all$, '^-!');
      expectObservable(all$, '-^--!');
      expectObservable(all$, '------^').toBe('-----------|');
      expectSubscriptions(ask$.subscriptions).toBe(['^---!', '------^----!']);
    });
  });

  test('that is denied is denied to all who wait, and asked for by the next', () => {
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const ask$ = cold('--#');
      const all$ = needed$(new TokenKeeper(ask$));
      expectObservable(all$, '^').toBe('     --#');
      expectObservable(all$, '-^').toBe('    --#');
      expectObservable(all$, '---^').toBe('  -----#');
      expectSubscriptions(ask$.subscriptions).toBe(['^-!', '---^-!']);
    });
  });

  test('that a server refuses is replaced, once for all; one that is older is not missed', () => {
    marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
      const asks = [cold('-(a|)'), cold('--(b|)'), cold('-(c|)')];
      let n = 0;
      const keeper = new TokenKeeper(defer(() => asks[n++] ?? EMPTY));
      const refused$ = (token: string): Observable<never> =>
        defer(() => {
          keeper.refused(token);
          return needed$(keeper);
        });
      expectObservable(needed$(keeper)).toBe('         -|');
      expectObservable(refused$('a'), '--^').toBe('    ----|');
      // While the next one is asked for.
      expectObservable(refused$('a'), '---^').toBe('   ----|');
      // When that is there.
      expectObservable(refused$('a'), '-----^').toBe(' -----|');
      expectObservable(refused$('b'), '------^').toBe('-------|');
      expectSubscriptions(asks[0]!.subscriptions).toBe('^!');
      expectSubscriptions(asks[1]!.subscriptions).toBe('--^-!');
      expectSubscriptions(asks[2]!.subscriptions).toBe('------^!');
    });
  });

  test('that is not needed is none, until a call is refused for want of one', () => {
    marbles().run(({ cold, expectObservable, expectSubscriptions, flush }) => {
      const ask$ = cold<string | undefined>('-(u|)', { u: undefined });
      const keeper = new TokenKeeper(ask$);
      expectObservable(needed$(keeper)).toBe('-|');
      flush();
      expect([keeper.current, keeper.wait$()]).toEqual([undefined, undefined]);
      keeper.refused('old');
      expect(keeper.wait$()).toBeUndefined();
      keeper.refused(undefined);
      expect(keeper.wait$()).toBeDefined();
      expectSubscriptions(ask$.subscriptions).toBe('^!');
    });
  });
});

describe('what an answer says of the token that its request bore', () => {
  function kept(): TokenKeeper {
    const keeper = new TokenKeeper(of('mine'));
    keeper.wait$()?.subscribe();
    return keeper;
  }
  const after = (status: number, message: string, token: string | undefined = 'mine') => {
    const keeper = kept();
    const fault = faultFrom(status, { code: 3, message });
    expect(() =>
      heeding(keeper, token, () => {
        throw fault;
      }),
    ).toThrow(fault);
    return keeper.current;
  };

  test.each([
    [401, 'etcdserver: invalid auth token'],
    [400, 'etcdserver: user name is empty'],
    [400, 'etcdserver: revision of auth store is old'],
    // Administrative calls, on all releases up to 3.5, and locks.
    [500, 'auth: invalid auth token'],
  ])('%p %s: it is refused', (status, message) => {
    expect(after(status, message)).toBeUndefined();
    expect(after(status, message, 'older')).toBe('mine');
  });

  test.each([
    [403, 'etcdserver: permission denied'],
    [400, 'etcdserver: authentication failed, invalid user ID or password'],
    [503, 'etcdserver: request timed out'],
  ])('%p %s: nothing', (status, message) => {
    expect(after(status, message)).toBe('mine');
  });

  test('a success is passed on, and an error where no tokens are kept', () => {
    expect(heeding(undefined, undefined, () => 7)).toBe(7);
    const fault = faultFrom(401, { code: 16, message: 'etcdserver: invalid auth token' });
    expect(() =>
      heeding(undefined, 'mine', () => {
        throw fault;
      }),
    ).toThrow(fault);
  });
});
