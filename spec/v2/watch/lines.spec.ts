import { Lines } from '../../../lib/transport/lines.js';
import { unfinishedLine } from '../../../lib/transport/http1/unfinished-line.js';

const inPieces = (text: string, size: number): string[] =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));

test.each([1, 2, 3, 5, 100])('lines are the same in pieces of %i', (size) => {
  const lines = new Lines();
  const text = 'one\n\ntwo two\nthree\nrest';
  expect(inPieces(text, size).flatMap((piece) => lines.add(piece))).toEqual(['one', '', 'two two', 'three']);
  expect(lines.add(' of it\n')).toEqual(['rest of it']);
});

/** The processor's time that it takes to read one line of so many pieces, ms; the best of five. */
function costOf(pieces: number, piece: string): number {
  const times = [1, 2, 3, 4, 5].map(() => {
    const lines = new Lines();
    const begun = process.cpuUsage();
    for (let i = 0; i < pieces; i++) lines.add(piece);
    expect(lines.add('\n')[0]).toHaveLength(pieces * piece.length);
    return process.cpuUsage(begun).user / 1_000;
  });
  return Math.min(...times);
}

test.each<[string, number, string]>([
  ['16 MB as a socket gives it', 64, 'x'.repeat(64 * 1024)],
  ['tiny pieces', 50_000, 'xy'],
])('a line that is four times as long costs about four times as much: %s', (_, pieces, piece) => {
  costOf(pieces, piece);
  // Squared it would be 16 times.
  expect(costOf(4 * pieces, piece)).toBeLessThan(10 * costOf(pieces, piece) + 20);
});

describe('bytes of an unfinished line', () => {
  const bytes = (text: string) => Buffer.from(text);
  test.each<[string, number, string, number, number]>([
    ['a beginning', 0, 'abc', 10, 3],
    ['more of it', 3, 'abc', 10, 6],
    ['its end', 8, 'ab\n', 10, 0],
    ['its end and another beginning', 8, 'ab\nxyz', 10, 3],
    ['many, together longer than one may be', 0, 'aaaa\nbbbb\ncccc\ndd', 5, 2],
    ['exactly as long as it may be', 2, 'abc\n', 5, 0],
    ['one too many', 2, 'abcd\n', 5, Infinity],
    ['one too many behind others', 0, 'a\nb\nabcdef\nc', 5, Infinity],
    ['one too many without an end', 3, 'a\nabcdef', 5, Infinity],
    ['one too many that has not ended', 3, 'abc', 5, Infinity],
  ])('%s', (_, held, piece, max, left) => {
    expect(unfinishedLine(held, bytes(piece), max)).toBe(left);
  });
});
