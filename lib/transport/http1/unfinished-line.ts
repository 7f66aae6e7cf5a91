const newline = 10;

/**
 * How many bytes there are of a line that has not ended; Infinity if one was longer than `max`.
 *
 * @param held how many there were of it before this piece
 */
export function unfinishedLine(held: number, piece: Uint8Array, max: number): number {
  let line = held;
  let start = 0;
  if (held + piece.length <= max) start = piece.lastIndexOf(newline) + 1;
  else
    for (let end = piece.indexOf(newline); end >= 0; end = piece.indexOf(newline, start)) {
      if (line + end - start > max) return Infinity;
      line = 0;
      start = end + 1;
    }
  const left = (start > 0 ? 0 : line) + piece.length - start;
  return left > max ? Infinity : left;
}
