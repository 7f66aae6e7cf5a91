import {
  allPermissions,
  covers,
  granted,
  isEmpty,
  noPermissions,
  revoked,
} from '../../../lib/testing/auth/permission.js';

const kv = (read: string[] | null, write: string[] | null) => ({ kv: { read, write } });

describe('a pattern covers', () => {
  test.each([
    ['/pub', '/pub', true],
    ['/pub', '/pub/', false],
    ['/pub', '/pub/a', false],
    ['/pub/', '/pub/', true],
    ['/pub/*', '/pub', false],
    ['/pub/*', '/pub/', true],
    ['/pub/*', '/pub/a/b', true],
    ['/pub/*', '/pub/_hidden', true],
    ['/pub*', '/pub', true],
    ['/pub*', '/public', true],
    ['/*', '/', true],
    ['/*', '', false],
    ['*', '', true],
    ['/a*c', '/abc', false],
    ['', '', false],
    ['', '/a', false],
  ])('%j the key %j: %j', (pattern, key, expected) => {
    expect(covers(pattern, key, false)).toBe(expected);
  });

  test.each([
    ['/pub', '/pub', false],
    ['/pub/*', '/pub', false],
    ['/pub/*', '/pub/', true],
    ['/pub*', '/pub', true],
    ['/*', '/any', true],
    ['', '', false],
  ])('%j the tree at %j: %j', (pattern, key, expected) => {
    expect(covers(pattern, key, true)).toBe(expected);
  });
});

test('is empty where no list has an entry', () => {
  expect([undefined, noPermissions, kv([], null), kv([], [])].map((p) => isEmpty(p))).not.toContain(false);
  expect([allPermissions, kv(['/a'], null), kv(null, ['/a'])].map((p) => isEmpty(p))).not.toContain(true);
});

test('grants put all in the order of their bytes, each once', () => {
  const before = kv(['/b', '/b', '/a'], null);
  const after = granted(before, kv(['/\u{1F98A}', '/\uE000', '/Z'], null));
  expect(after).toEqual(kv(['/Z', '/a', '/b', '/\uE000', '/\u{1F98A}'], []));
  expect(before).toEqual(kv(['/b', '/b', '/a'], null));
});

test('what is there is not granted again, read looked at first', () => {
  const before = kv(['/r'], ['/w']);
  expect(() => granted(before, kv(['/r'], ['/w']))).toThrow('auth: Granting duplicate read permission /r');
  expect(() => granted(before, kv(['/w'], ['/w']))).toThrow('auth: Granting duplicate write permission /w');
  expect(() => granted(before, kv(['/n', '/n'], null))).toThrow('Granting duplicate read permission /n');
});

test('what is not there may be revoked', () => {
  expect(revoked(kv(['/a', '/b'], null), kv(['/b', '/none'], ['/none']))).toEqual(kv(['/a'], []));
});
