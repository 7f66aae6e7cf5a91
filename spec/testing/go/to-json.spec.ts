import { toJson } from '../../../lib/testing/go/to-json.js';

test.each([
  [{ a: '<b>&\u2028\u2029' }, '{"a":"\\u003cb\\u003e\\u0026\\u2028\\u2029"}'],
  [{ a: '\b\f\n\r\t\x01\x7f' }, '{"a":"\\u0008\\u000c\\n\\r\\t\\u0001\x7f"}'],
  [{ a: '\\b \\\b \\\\f' }, '{"a":"\\\\b \\\\\\u0008 \\\\\\\\f"}'],
  [{ a: 'half \ud800 \udc00' }, '{"a":"half \\ufffd \\ufffd"}'],
  [{ a: 'é東🦊"', b: undefined, c: null }, '{"a":"é東🦊\\"","c":null}'],
])('%j is written as Go does', (value, json) => {
  expect(toJson(value)).toBe(json);
  const half = /\p{Surrogate}/gu;
  const meant = JSON.stringify(value, (_, v: unknown) =>
    typeof v === 'string' ? v.replace(half, '\ufffd') : v,
  );
  expect(JSON.parse(json)).toEqual(JSON.parse(meant));
});
