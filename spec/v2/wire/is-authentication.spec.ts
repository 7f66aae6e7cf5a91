import { isAuthentication } from '../../../lib/v2/wire/is-authentication.js';

describe('what is all about passwords', () => {
  test.each([
    '/v2/auth/users/x',
    '/v2/auth/enable',
    '/v2/auth',
    '/v2/AUTH/users/x',
    '/v2//auth/users/x',
    '//v2/auth/users/x',
    '/v2/./auth/users/x',
    '/v2/%61uth/users/x',
    '/v2/%41%55%54%48/users/x',
    '/v2%2fauth/users/x',
    '/v2/auth%2Fusers%2Fx',
    '/v2/keys/../auth/users/x',
    '/v2/keys/%2e%2e/auth/users/x',
    '/v2/keys/%2E./auth/users/x',
    '/v2/keys/a/../../auth/users/x',
    '/v2/keys/..%2fauth/users/x',
    '/v2/keys/..%2Fauth%2Fusers%2Fx',
    '/v2/keys%2f..%2fauth/users/x',
    '/v2/keys%2f../auth/users/x',
    // As a URL is read, this is a slash.
    '/v2/keys/..\\auth/users/x',
    '/v2/keys\\..\\auth/users/x',
    '/keys/auth/users/x',
    '/v3/auth/user/add',
  ])('is %s', (path) => {
    expect(isAuthentication({ path, operation: 'raw' })).toBe(true);
  });

  test.each(['auth.createUser', 'auth.look', 'auth.status'])('is %s', (operation) => {
    expect(isAuthentication({ operation, path: '/v2/keys/a' })).toBe(true);
  });

  test.each([
    '/v2/keys/auth',
    '/v2/keys/app/auth/token',
    '/v2//keys/auth',
    '/v2/keys/a..b/auth',
    '/v2/members',
  ])('is not %s', (path) => {
    expect(isAuthentication({ path, operation: 'set' })).toBe(false);
  });
});
