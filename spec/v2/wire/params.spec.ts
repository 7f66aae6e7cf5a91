import { encodeParams, withQuery, type Params } from '../../../lib/v2/wire/params.js';

test.each<[Params, string]>([
  [{}, ''],
  [{ a: undefined, b: false }, ''],
  [{ recursive: true }, 'recursive=true'],
  [{ ttl: 0 }, 'ttl=0'],
  [{ value: '' }, 'value='],
  [{ prevExist: 'false', ttl: 5 }, 'prevExist=false&ttl=5'],
  [{ value: 'a b&c=d+e%f/ü\n\u{1F600}' }, 'value=a%20b%26c%3Dd%2Be%25f%2F%C3%BC%0A%F0%9F%98%80'],
  [{ waitIndex: 9_007_199_254_740_991 }, 'waitIndex=9007199254740991'],
])('%j is encoded as %j', (params, text) => {
  expect(encodeParams(params)).toBe(text);
  expect(withQuery('/p', params)).toBe(text === '' ? '/p' : `/p?${text}`);
  // A server reads back what was given.
  const given = Object.entries(params).filter(([, v]) => v !== undefined && v !== false);
  expect([...new URLSearchParams(text)]).toEqual(given.map(([name, v]) => [name, String(v)]));
});
