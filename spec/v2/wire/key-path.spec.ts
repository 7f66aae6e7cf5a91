import { InvalidOptionError } from '../../../lib/errors.js';
import { keyPath, normaliseKey } from '../../../lib/v2/wire/key-path.js';

describe('normaliseKey', () => {
  test.each([
    ['/a', '/a'],
    ['a', '/a'],
    ['a/b', '/a/b'],
    ['/a/', '/a'],
    ['///a/b///', '/a/b'],
    ['', '/'],
    ['/', '/'],
    ['///', '/'],
    [' a ', '/ a '],
    ['/a b/c', '/a b/c'],
    ['/.a/..b/c..', '/.a/..b/c..'],
    ['/...', '/...'],
    ['/_hidden', '/_hidden'],
    ['/ü/\u{1F600}', '/ü/\u{1F600}'],
    ['/a%2Fb', '/a%2Fb'],
  ])('%j is %j', (given, key) => {
    expect(normaliseKey(given)).toBe(key);
    expect(normaliseKey(key)).toBe(key);
  });

  test.each<[unknown, string]>([
    ['/a//b', 'without empty segments'],
    ['.', 'without the segments . and ..'],
    ['..', 'without the segments . and ..'],
    ['/a/./b', 'without the segments . and ..'],
    ['/a/../b', 'without the segments . and ..'],
    ['/a/..', 'without the segments . and ..'],
    ['/a\uD800', 'without lone surrogates'],
    ['\uDC00', 'without lone surrogates'],
    [undefined, 'a string'],
    [null, 'a string'],
    [7, 'a string'],
    [['/a'], 'a string'],
  ])('%j is refused', (given, expected) => {
    expect(() => normaliseKey(given)).toThrow(InvalidOptionError);
    expect(() => normaliseKey(given)).toThrow(`key: expected`);
    expect(() => normaliseKey(given, 'dir')).toThrow('dir: expected');
    expect(() => normaliseKey(given)).toThrow(expected);
  });
});

describe('keyPath', () => {
  test.each([
    ['/', '/v2/keys/'],
    ['/a', '/v2/keys/a'],
    ['/a/b', '/v2/keys/a/b'],
    ['/a b', '/v2/keys/a%20b'],
    ['/a%2Fb', '/v2/keys/a%252Fb'],
    ['/a?b#c', '/v2/keys/a%3Fb%23c'],
    ['/a&b=c;d+e', '/v2/keys/a%26b%3Dc%3Bd%2Be'],
    ['/ü', '/v2/keys/%C3%BC'],
    ['/\u{1F600}', '/v2/keys/%F0%9F%98%80'],
    ['/a\nb', '/v2/keys/a%0Ab'],
    ['/a\\b"', '/v2/keys/a%5Cb%22'],
    ['/_h', '/v2/keys/_h'],
  ])('%j is %s', (key, path) => {
    expect(keyPath(key)).toBe(path);
  });

  test.each(['/a b/ü/%/?/#', '/...', "/'()*!~"])('a server reads %j back as it was', (key) => {
    const { pathname, search, hash } = new URL(keyPath(key), 'http://h');
    expect([decodeURIComponent(pathname), search, hash]).toEqual([`/v2/keys${key}`, '', '']);
  });
});
