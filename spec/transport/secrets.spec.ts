import { Secrets } from '../../lib/transport/secrets.js';

const secrets = new Secrets({ username: 'u', password: '\\\\\\\\ab"c/d é😀' }, () => [
  { username: 'proxy', password: 'pr0xy' },
]);

test.each<[string, string]>([
  ['as it is', '\\\\\\\\ab"c/d é😀'],
  ['JSON', JSON.stringify('\\\\\\\\ab"c/d é😀').slice(1, -1)],
  ['URL', encodeURIComponent('\\\\\\\\ab"c/d é😀')],
  ['lower-case URL, twice', encodeURIComponent(encodeURIComponent('\\\\\\\\ab"c/d é😀').toLowerCase())],
  ['form', new URLSearchParams([['p', '\\\\\\\\ab"c/d é😀']]).toString().slice(2)],
  ['escaped JSON', '\\\\\\\\\\\\\\\\ab\\u0022c\\/d \\u00e9\\ud83d\\ude00'],
  ['the password of a proxy', 'pr0xy'],
  ['that of a proxy in base64', btoa('proxy:pr0xy')],
])('hides a password: %s', (_, text) => {
  expect(secrets.mask(`<${text}>`).replace(/=*>/, '>')).toBe('<***>');
});

test('all else stays as it is', () => {
  expect(secrets.mask('Key not found (/u/proxy) \\\\')).toBe('Key not found (/u/proxy) \\\\');
  expect(new Secrets(undefined).mask('Basic dTpw')).toBe('Basic dTpw');
});

test('costs no more than in proportion to the text', () => {
  const time = (length: number): number => {
    const text = '\\'.repeat(length);
    const startedAt = performance.now();
    secrets.mask(text);
    return performance.now() - startedAt;
  };
  time(20_000);
  // In proportion it is 8 times, by the square 64 times.
  expect(time(400_000) / time(50_000)).toBeLessThan(32);
});
