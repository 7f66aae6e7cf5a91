import { basicAuthorization } from '../../lib/v2/context.js';

test.each([
  ['root', 'pw'],
  ['root', ''],
  ['root', 'a:b'],
  ['jürgen', 'pässwörd \u{1F600}'],
])('credentials %s:%s are sent as UTF-8', (username, password) => {
  const header = basicAuthorization({ auth: { username, password } });
  expect(header).toMatch(/^Basic [A-Za-z0-9+/=]+$/);
  expect(Buffer.from(header!.slice('Basic '.length), 'base64').toString('utf8')).toBe(
    `${username}:${password}`,
  );
});

test('without credentials there is no header', () => {
  expect(basicAuthorization({})).toBeUndefined();
});
