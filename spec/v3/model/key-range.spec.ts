import * as fc from 'fast-check';
import { isInvalidOption } from '../../../lib/errors.js';
import {
  boundsOf,
  bytesOf,
  holds as isWithin,
  type Bounds,
  type KeyRange,
} from '../../../lib/v3/model/key-range.js';
import { forAll } from '../../support/values/for-all.js';

const of = (...bytes: number[]): Uint8Array => Uint8Array.of(...bytes);
const zero = of(0);

test.each<[string, KeyRange, Bounds]>([
  ['a key', 'a', { key: of(97) }],
  ['a key in bytes', of(255, 0), { key: of(255, 0) }],
  ['a key that is no ASCII', 'é', { key: of(0xc3, 0xa9) }],
  ['a prefix', { prefix: 'a/' }, { key: of(97, 47), range_end: of(97, 48) }],
  ['a prefix that ends in 0xff', { prefix: of(97, 255, 255) }, { key: of(97, 255, 255), range_end: of(98) }],
  ['a prefix of 0xff alone', { prefix: of(255, 255) }, { key: of(255, 255), range_end: zero }],
  ['from a key on', { from: 'a' }, { key: of(97), range_end: zero }],
  ['from the first on', { from: '' }, { key: zero, range_end: zero }],
  ['from a key to another', { from: 'a', to: 'b' }, { key: of(97), range_end: of(98) }],
  ['up to a key', { from: '', to: 'b' }, { key: zero, range_end: of(98) }],
  ['from a key to one below it', { from: 'a', to: 'a/' }, { key: of(97), range_end: of(97, 47) }],
  ['all', { all: true }, { key: zero, range_end: zero }],
  ['all, other fields undefined', { all: true, prefix: undefined } as never, { key: zero, range_end: zero }],
])('%s', (_, range, bounds) => {
  expect(boundsOf('range', range)).toEqual(bounds);
});

test.each<[unknown, string]>([
  ['', 'range: expected a key, which is not empty, got ""'],
  [of(), 'range: expected a key, which is not empty, got an object'],
  [
    { prefix: '' },
    'range.prefix: expected a prefix, which is not empty; { all: true } is everything, got ""',
  ],
  [{ from: 'b', to: 'a' }, 'range.to: expected a key above `from`, got "a"'],
  [{ from: 'b', to: 'b' }, 'range.to: expected a key above `from`, got "b"'],
  [{ from: '', to: '\0' }, 'range.to: expected a key above `from`, got "\\u0000"'],
  [{ from: 'a', to: '' }, 'range.to: expected a key above `from`, got ""'],
  ['\ud800', 'range: expected a string without lone surrogates or a Uint8Array, got a value not shown'],
  [{ prefix: 7 }, 'range.prefix: expected a string or a Uint8Array, got a value not shown'],
  ...[
    {},
    { prefix: 'a', from: 'a' },
    { to: 'a' },
    { all: false },
    { all: true, to: 'a' },
    { prefx: 'a' },
  ].map((range): [unknown, string] => [
    range,
    'range: expected a key, { prefix }, { from }, { from, to } or { all: true }, got an object',
  ]),
  [
    undefined,
    'range: expected a key, { prefix }, { from }, { from, to } or { all: true }, got a value not shown',
  ],
  [['a'], 'range: expected a key, { prefix }, { from }, { from, to } or { all: true }, got an array of 1'],
])('%j is refused', (range, words) => {
  try {
    boundsOf('range', range as KeyRange);
  } catch (error) {
    expect(isInvalidOption(error)).toBe(true);
    expect((error as Error).message).toBe(words);
    return;
  }
  throw new Error('nothing was thrown');
});

test('a value is never shown', () => {
  expect(() => bytesOf('value', 5)).toThrow(
    'value: expected a string or a Uint8Array, got a value not shown',
  );
  expect(() => bytesOf('value', { a: 1 })).toThrow('got an object');
});

const order = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b);
/** Whether etcd takes a key for one of these. */
const holds = ({ key, range_end: end }: Bounds, one: Uint8Array): boolean =>
  end === undefined
    ? order(one, key) === 0
    : order(one, key) >= 0 && (order(end, zero) === 0 || order(one, end) < 0);

test('a prefix holds what begins with it, and nothing else', async () => {
  const byte = fc.constantFrom(0, 1, 97, 254, 255);
  const bytes = fc.array(byte, { minLength: 1, maxLength: 4 }).map((some) => Uint8Array.from(some));
  await forAll(500, fc.tuple(bytes, bytes), async ([prefix, key]) => {
    const begins = order(key.subarray(0, prefix.length), prefix) === 0;
    expect(holds(boundsOf('range', { prefix }), key)).toBe(begins);
  });
});

test.each<[KeyRange, string[], string[]]>([
  ['b', ['b'], ['', 'a', 'b\0', 'c']],
  [{ prefix: 'b' }, ['b', 'b\0', 'bz'], ['a', 'c']],
  [{ from: 'b', to: 'd' }, ['b', 'c', 'cz'], ['a', 'd', 'e']],
  [{ from: 'b' }, ['b', 'z'], ['a']],
  [{ all: true }, ['\0', 'a'], []],
])('%j holds what is within it', (range, within, beside) => {
  const isHeld = (key: string) => isWithin(boundsOf('range', range), Buffer.from(key));
  expect([within.filter(isHeld), beside.filter(isHeld)]).toEqual([within, []]);
});
