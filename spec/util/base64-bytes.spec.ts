import * as fc from 'fast-check';
import * as browser from '../../lib/util/base64-bytes.browser.js';
import * as node from '../../lib/util/base64-bytes.js';
import { forAll } from '../support/values/for-all.js';

const nodes = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

describe.each([
  ['in Node', node],
  ['in a browser', browser],
])('%s', (_, { toBase64, fromBase64 }) => {
  test('bytes of every length are base64, and come back', () =>
    forAll(500, fc.uint8Array({ maxLength: 70 }), async (bytes) => {
      const text = toBase64(bytes);
      expect(text).toBe(nodes(bytes));
      expect(fromBase64(text)).toEqual(bytes);
    }));

  test('every byte, at each of the three places', () => {
    for (let byte = 0; byte < 256; byte += 1) {
      const bytes = Uint8Array.of(byte, 255 - byte, byte ^ 0x55, byte);
      expect(toBase64(bytes)).toBe(nodes(bytes));
      expect(fromBase64(toBase64(bytes))).toEqual(bytes);
    }
  });

  test('part of a larger buffer is taken alone', () => {
    const bytes = Uint8Array.from({ length: 100 }, (_value, i) => i).subarray(13, 57);
    expect(toBase64(bytes)).toBe(nodes(bytes));
  });

  test('1.5 MiB', () => {
    const bytes = Uint8Array.from({ length: 3 << 19 }, (_value, i) => (i * 31) ^ (i >> 8));
    expect(Buffer.compare(fromBase64(toBase64(bytes))!, bytes)).toBe(0);
  });

  test.each(['A', 'AA', 'AAA', 'AAAAA', 'A===', '====', '=AAA', 'AA=A', 'A=A=', 'AA A', 'AA\nA'])(
    '%j is no base64',
    (text) => {
      expect(fromBase64(text)).toBeUndefined();
    },
  );

  test.each(['AAé=', 'AA\0A', '🦊AA', 'éAAA'])('nor is %j', (text) => {
    expect(fromBase64(text)).toBeUndefined();
  });
});
