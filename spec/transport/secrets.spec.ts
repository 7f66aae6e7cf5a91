import { firstValueFrom, lastValueFrom } from 'rxjs';
import { Secrets } from '../../lib/transport/secrets.js';
import { asItIs, kinds, scriptedTransports } from './scripted-transports.js';

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

test.each([72, 1_000, 16_000])('a secret of %i characters is looked for at once', (length) => {
  const password = Buffer.from(Array.from({ length }, (_, i) => (i * 37) % 251))
    .toString('base64')
    .slice(0, length);
  const told = JSON.stringify({ a: password, b: encodeURIComponent(password), c: btoa(password) });
  const [own, text] = [{ authorization: `Bearer ${password}` }, 'as long as a message is '.repeat(20)];
  const startedAt = process.cpuUsage();
  const client = new Secrets({ username: 'u', password });
  expect(client.mask(told)).toBe('{"a":"***","b":"***","c":"***"}');
  for (let i = 0; i < 10; i += 1) expect(client.mask(text, own)).toBe(text);
  // One regular expression of 72 characters took seconds on a busy machine, one of 4,000 more stack than there is.
  expect(process.cpuUsage(startedAt).user).toBeLessThan(1_000_000);
});

test('one spelling that begins as another, and a word that stands alone', () => {
  const odd = new Secrets({ username: 'u', password: '%25%41&amp;"\\n' });
  for (const spell of [String, encodeURIComponent, (text: string) => JSON.stringify(text).slice(1, -1)])
    for (const again of [String, encodeURIComponent, (text: string) => JSON.stringify(text).slice(1, -1)])
      expect(odd.mask(`<${again(spell('%25%41&amp;"\\n'))}>`)).toBe('<***>');
  const short = new Secrets({ username: 'u', password: 'abc' });
  expect(short.mask('abc password=abc "password": "abc" password=abcd')).toBe(
    'abc password=*** "password": "***" password=abcd',
  );
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
  expect(time(80_000) / time(10_000)).toBeLessThan(32);
});

describe('an answer that is passed on', () => {
  const { serve, open, requestOf } = scriptedTransports();
  test.each(kinds)('is not looked through: %s', async (kind) => {
    await serve(() => ({ status: 200, body: { action: 'get' } }));
    const transport = open(kind);
    const mask = jest.spyOn(Secrets.prototype, 'mask');
    await firstValueFrom(transport.exchange$(requestOf({ authorization: 'Basic a2VlcGVyOnNlY3JldA==' })));
    await lastValueFrom(transport.parts$(requestOf({ pool: 'watch' }), asItIs));
    expect(mask).not.toHaveBeenCalled();
    mask.mockRestore();
  });
});

describe('base64 of any kind', () => {
  const auth = { username: 'keeper', password: 'S3cr:et/pass+"wörd"\\??>>~~' };
  const own = new Secrets(auth);
  const pair = Buffer.from(`${auth.username}:${auth.password}`);
  const url = pair.toString('base64url');
  /** Whether any eight signs in a row of it are told. */
  const isTold = (text: string, encoded: string): boolean =>
    Array.from({ length: Math.max(1, encoded.length - 7) }, (_, i) => encoded.slice(i, i + 8)).some((piece) =>
      text.includes(piece),
    );

  test('cut short, wherever that is', () => {
    for (const encoded of [pair.toString('base64'), url, btoa('S3cr:et/pass')])
      for (let length = 8; length <= encoded.length; length += 1)
        for (const end of ['', '...', '"', ' and more', '\n'])
          expect(own.mask(`<Basic ${encoded.slice(0, length)}${end}`)).not.toContain(encoded.slice(0, 8));
  });

  test('with signs for URLs, and with whatever fills it up', () => {
    expect(url).toMatch(/[-_]/);
    for (const encoded of [url, pair.toString('base64'), Buffer.from(auth.password).toString('base64url')])
      for (const padding of ['', '=', '==', '%3D', '%3d%3d', '\\u003d', '&#61;'])
        expect(own.mask(`<${encoded}${padding}>`)).toBe('<***>');
  });

  test('as a part of what was encoded, at any place in it', () => {
    for (const before of ['', 'x', 'xy', 'xyz', '{"Authorization":"', 'Basic '])
      for (const encoding of ['base64', 'base64url'] as const) {
        const encoded = Buffer.from(`${before}${auth.username}:${auth.password}"}`).toString(encoding);
        const masked = own.mask(`<${encoded}>`);
        // What stands before it may be told.
        const start = Math.ceil((before.length * 4) / 3);
        expect([before, masked, isTold(masked, encoded.slice(start))]).toEqual([before, masked, false]);
      }
  });

  test('of the header that a request brings, be it no base64 of a pair', () => {
    const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_~d';
    for (let length = 8; length <= token.length; length += 1)
      expect(own.mask(`<${token.slice(0, length)}>`, { authorization: `Bearer ${token}` })).toBe('<***>');
  });

  test('what only looks like it stays', () => {
    const text = `${btoa('another:password')} aGVsbG8gd29ybGQ= a3Vl`;
    expect(own.mask(text)).toBe(text);
  });

  test('costs no more than in proportion to the text', () => {
    const time = (length: number): number => {
      const text = `${pair.toString('base64').slice(0, 7)}\\`.repeat(length / 8);
      const startedAt = performance.now();
      own.mask(text);
      return performance.now() - startedAt;
    };
    time(20_000);
    expect(time(80_000) / time(10_000)).toBeLessThan(32);
  });
});
