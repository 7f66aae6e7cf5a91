/** In the order in which Go compares strings: by their bytes in UTF-8, which for text is the order of code points. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  // Up to here JavaScript's own order is the same.
  if (!/[\ud800-\uffff]/.test(a + b)) return a < b ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** A sorted copy. */
export const sorted = (texts: Iterable<string>): string[] => [...texts].sort(compareStrings);
