import {
  fieldsOf,
  optional,
  parseFirst,
  string,
  strings,
  struct,
} from '../../../lib/testing/go/read-json.js';

describe('the first value of a text', () => {
  test.each([
    ['{}', {}],
    [' \t\r\n{"a":1}', { a: 1 }],
    ['{"a":{"b":[{}]}}{"c":1}', { a: { b: [{}] } }],
    ['{"a":"}\\"}\\\\"}x', { a: '}"}\\' }],
    ['null', null],
    ['nullx', null],
  ])('%j is read', (text, value) => {
    expect(parseFirst(text)).toEqual(value);
  });

  test.each([
    '',
    ' ',
    'x',
    '[]',
    '"a"',
    '1',
    'true',
    '{',
    '{"a":"}',
    '{]',
    '{"a":1',
    '\ufeff{}',
    '{"a":1,}',
    '{a:1}',
  ])('%j is not', (text) => {
    expect(() => parseFirst(text)).toThrow(SyntaxError);
  });

  test('may be long', () => {
    const long = '\\"{'.repeat(500_000);
    expect(parseFirst(`{"a":"${long}"}`)).toEqual({ a: '"{'.repeat(500_000) });
  });
});

describe('read', () => {
  const none = { name: '', list: null as readonly string[] | null };
  const reader = struct<typeof none>({ name: string, list: strings });

  test('fields in any case, others passed over', () => {
    expect(reader({ NAME: 'a', liſt: ['b', null], other: {}, ['__proto__']: 1 }, none)).toEqual({
      name: 'a',
      list: ['b', ''],
    });
    expect(none).toEqual({ name: '', list: null });
  });

  test('null leaves an object and a string alone, and takes a list away', () => {
    const before = { name: 'a', list: ['b'] };
    expect(reader(null, before)).toEqual(before);
    expect(reader({ name: null, list: null }, before)).toEqual({ name: 'a', list: null });
  });

  test('an optional value starts from nothing, and null takes it away', () => {
    const maybe = optional(reader, none);
    expect(maybe({}, undefined)).toEqual(none);
    expect(maybe({ name: 'b' }, { name: 'a', list: [] })).toEqual({ name: 'b', list: [] });
    expect(maybe(null, none)).toBeUndefined();
  });

  test('half a surrogate pair is replaced', () => {
    expect(string('a\ud800b\udc00🦊', '')).toBe('a\ufffdb\ufffd🦊');
  });

  test.each([
    [[]],
    ['text'],
    [1],
    [{ name: 1 }],
    [{ name: [] }],
    [{ list: 'a' }],
    [{ list: {} }],
    [{ list: [1] }],
  ])('%j is refused', (json) => {
    expect(() => reader(json, none)).toThrow(SyntaxError);
  });
});

describe('the time for a string without an end grows with its length alone', () => {
  test.each<[string, string]>([
    ['escaped quotes', ''],
    ['half an escape at the end', '\\'],
  ])('%s', (_, tail) => {
    const text = `{"a":"${'\\"'.repeat(200_000)}${tail}`;
    const startedAt = performance.now();
    // Read from each of its quotes it would take minutes.
    expect(() => parseFirst(text)).toThrow(SyntaxError);
    expect(fieldsOf(text)).toEqual([]);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
