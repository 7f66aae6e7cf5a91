import { isAuthenticationError, isEtcdApiError, isNotFound } from '../../../lib/errors.js';
import {
  isCompacted,
  isFutureRevision,
  isLeaseNotFound,
  isNoSpace,
  isNotSupportedByLearner,
  isPermissionDenied,
} from '../../../lib/v3/errors.js';
import { errorBodies, errorFrom, faultFrom } from './answers.js';

const guards = {
  isAuthenticationError,
  isCompacted,
  isFutureRevision,
  isLeaseNotFound,
  isNoSpace,
  isNotSupportedByLearner,
  isPermissionDenied,
};

/** Texts of etcd, with the status and code that they come with, and what they are. */
const refusals: [text: string, status: number, code: number, guard: keyof typeof guards, name: string][] = [
  [
    'etcdserver: authentication failed, invalid user ID or password',
    400,
    3,
    'isAuthenticationError',
    'AuthenticationError',
  ],
  ['etcdserver: user name is empty', 400, 3, 'isAuthenticationError', 'AuthenticationError'],
  ['auth: user name is empty', 500, 2, 'isAuthenticationError', 'AuthenticationError'],
  ['etcdserver: invalid auth token', 401, 16, 'isAuthenticationError', 'AuthenticationError'],
  ['etcdserver: revision of auth store is old', 400, 3, 'isAuthenticationError', 'AuthenticationError'],
  [
    'rpc error: code = Unauthenticated desc = etcdserver: invalid auth token',
    500,
    2,
    'isAuthenticationError',
    'AuthenticationError',
  ],
  ['etcdserver: permission denied', 403, 7, 'isPermissionDenied', 'PermissionDeniedError'],
  ['auth: permission denied', 500, 2, 'isPermissionDenied', 'PermissionDeniedError'],
  ['etcdserver: mvcc: required revision has been compacted', 400, 11, 'isCompacted', 'CompactedError'],
  [
    'etcdserver: mvcc: required revision is a future revision',
    400,
    11,
    'isFutureRevision',
    'FutureRevisionError',
  ],
  ['etcdserver: requested lease not found', 404, 5, 'isLeaseNotFound', 'LeaseNotFoundError'],
  ['etcdserver: requested lease not found', 500, 2, 'isLeaseNotFound', 'LeaseNotFoundError'],
  ['etcdserver: mvcc: database space exceeded', 429, 8, 'isNoSpace', 'NoSpaceError'],
];

describe.each(Object.entries(errorBodies))('in the form of %s', (_form, bodyOf) => {
  test.each(refusals)('%s (%i, %i): surely not executed, and %s', (text, status, code, guard, name) => {
    const { config, message } = faultFrom(status, bodyOf(code, text));
    expect([message, config.executed, config.leaderless ?? false]).toEqual([
      `${status} ${text}`,
      undefined,
      false,
    ]);
    const error = errorFrom(status, bodyOf(code, text));
    expect(error).toMatchObject({ name, errorCode: code, status });
    expect(error.message).toContain(`get a: ${text} [${code}]`);
    expect(
      Object.entries(guards)
        .filter(([, is]) => is(error))
        .map(([own]) => own),
    ).toEqual([guard]);
    expect([isEtcdApiError(error), isNotFound(error)]).toEqual([true, status === 404]);
  });
});

test.each([
  [503, 14],
  [400, 9],
])('a learner (%i, %i) refuses what another member can do', (status, code) => {
  const body = { code, message: 'etcdserver: rpc not supported for learner' };
  expect(faultFrom(status, body).config).toMatchObject({ executed: 'no' });
  expect(isNotSupportedByLearner(errorFrom(status, body))).toBe(true);
});

test.each<[string, number, number, string]>([
  ['etcdserver: too many operations in txn request', 400, 3, '--max-txn-ops'],
  ['etcdserver: request is too large', 400, 3, '--max-request-bytes'],
  ['grpc: received message larger than max (2097263 vs. 2097152)', 429, 8, '--max-request-bytes'],
  ['etcdserver: duplicate key given in txn request', 400, 3, 'write each key once'],
  ['etcdserver: mvcc: database space exceeded', 429, 8, 'disarm the alarm'],
])('%s: final, and it is told what to do', (message, status, code, hint) => {
  expect(faultFrom(status, { code, message }).config.executed).toBeUndefined();
  expect(errorFrom(status, { code, message }).message).toContain(hint);
});

test('who gave no credentials is told so', () => {
  const body = { code: 3, message: 'etcdserver: user name is empty' };
  expect(errorFrom(400, body, { anonymous: true }).message).toContain(
    '(no credentials were given: option auth)',
  );
  expect(errorFrom(400, body, { anonymous: false }).message).not.toContain('option auth');
});

test.each<[string, number, number, leaderless: boolean]>([
  ['etcdserver: request timed out', 503, 14, true],
  ['etcdserver: request timed out, possibly due to previous leader failure', 503, 14, true],
  ['etcdserver: request timed out, possibly due to connection lost', 503, 14, true],
  ['etcdserver: leader changed', 503, 14, true],
  ['etcdserver: no leader', 503, 14, true],
  ['etcdserver: unhealthy cluster', 503, 14, true],
  ['context deadline exceeded', 504, 4, true],
  ['etcdserver: server stopped', 503, 14, false],
  ['transport is closing', 503, 14, false],
  ['error reading from server: EOF', 503, 14, false],
  ['connection error: desc = "transport: Error while dialing: connection refused"', 503, 14, false],
  ['grpc: the client connection is closing', 499, 1, false],
  ['grpc: the client connection is closing', 408, 1, false],
])('%s (%i, %i): may have been executed; no leader %p', (message, status, code, leaderless) => {
  expect(faultFrom(status, { code, message }).config).toMatchObject({
    executed: 'unknown',
    leaderless,
    isStrange: !leaderless,
  });
  expect(errorFrom(status, { code, message })).toMatchObject({ code: 'API_ERROR', errorCode: code, status });
});

test.each<[string, number, number, 'unknown' | undefined]>([
  ['election: no leader', 500, 2, undefined],
  ['etcdserver: not a primary lessor', 500, 2, 'unknown'],
  ['panic', 500, 13, 'unknown'],
  ['etcdserver: corrupt', 500, 15, 'unknown'],
  ['etcdserver: something new', 500, 9, 'unknown'],
  ['etcdserver: member not found', 404, 5, undefined],
  ['etcdserver: lease already exists', 400, 9, undefined],
  ['etcdserver: lease already exists', 412, 9, undefined],
  ['etcdserver: too large lease TTL', 400, 11, undefined],
  ['etcdserver: key not found', 400, 3, undefined],
  ['etcdserver: too many requests', 429, 8, undefined],
  ['constructor', 400, 3, undefined],
])('%s (%i, %i), which has no name of its own: executed %p', (message, status, code, executed) => {
  expect(faultFrom(status, { code, message }).config).toMatchObject({ executed });
  expect(errorFrom(status, { code, message })).toMatchObject({ name: 'EtcdApiError', errorCode: code });
});
