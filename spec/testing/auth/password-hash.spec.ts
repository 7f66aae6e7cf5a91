import { inspect } from 'node:util';
import { PasswordHash } from '../../../lib/testing/auth/password-hash.js';

test.each(['r', 'se:cönd', ' ', '🦊'.repeat(10)])('%j matches itself alone', (password) => {
  const hash = new PasswordHash(password);
  expect(hash.matches(password)).toBe(true);
  for (const other of ['', `${password}x`, password.slice(0, -1), password.toUpperCase() + '!'])
    expect(hash.matches(other)).toBe(false);
});

test('heeds 72 bytes', () => {
  const hash = new PasswordHash('é'.repeat(40));
  expect(hash.matches('é'.repeat(36))).toBe(true);
  expect(hash.matches('é'.repeat(35))).toBe(false);
});

test('shows nothing', () => {
  const hash = new PasswordHash('hush-hush');
  const shown = [inspect(hash, { showHidden: true, depth: 9 }), JSON.stringify(hash)];
  expect(shown.join()).not.toMatch(/hush|Buffer/);
  expect(Object.getOwnPropertyNames(hash)).toEqual([]);
});
