import { EMPTY, of, throwError } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import {
  AllNodesDownError,
  AuthenticationError,
  RequestTimeoutError,
  UnsupportedByServerError,
} from '../../../lib/errors.js';
import { MemberLeft } from '../../../lib/watch/member-left.js';
import { TokenKeeper } from '../../../lib/v3/token-keeper.js';
import { withToken$ } from '../../../lib/v3/watch/with-token.js';
import { rejectionOf } from '../../support/jest/rejection.js';

const marbles = () => new TestScheduler((actual, expected) => expect(actual).toEqual(expected));

test('a watch waits for the token, and is left alone where it needs none', () => {
  marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
    const [ask$, leg$] = [cold('--(t|)'), cold('-a-b')];
    const tokens = new TokenKeeper(ask$);
    expectObservable(withToken$({ tokens }, () => leg$)).toBe('---a-b');
    expectSubscriptions(ask$.subscriptions).toBe('^-!');
    expectSubscriptions(leg$.subscriptions).toBe('--^');
  });
  const leg$ = of(1);
  expect(withToken$({}, () => leg$)).toBe(leg$);
});

const word = { errorCode: 3, message: 'no', reason: '', index: 0, status: 400 };

test.each([new AuthenticationError('authenticate', word), new UnsupportedByServerError('no such call')])(
  'it ends with the word of the server: %s',
  async (error) => {
    const tokens = new TokenKeeper(throwError(() => error));
    expect(await rejectionOf(withToken$({ tokens }, () => EMPTY))).toBe(error);
  },
);

test.each([new AllNodesDownError('authenticate', 'unreachable'), new RequestTimeoutError('authenticate', 9)])(
  'it goes on after what may pass: %s',
  async (error) => {
    const tokens = new TokenKeeper(throwError(() => error));
    expect(await rejectionOf(withToken$({ tokens }, () => EMPTY))).toBeInstanceOf(MemberLeft);
  },
);
