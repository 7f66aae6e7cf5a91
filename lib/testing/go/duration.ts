const units: readonly (readonly [string, bigint])[] = [
  ['µs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
];

/** A time span in ns as Go prints it: `327.629378ms`, `1m3.5s`. */
export function formatDuration(span: bigint): string {
  if (span === 0n) return '0s';
  if (span < 1_000n) return `${span}ns`;
  const minutes = span / 60_000_000_000n;
  if (minutes > 0n) {
    const seconds = decimal(span % 60_000_000_000n, 1_000_000_000n);
    const hours = minutes / 60n;
    return `${hours > 0n ? `${hours}h` : ''}${minutes % 60n}m${seconds}s`;
  }
  const [name, size] = units.findLast(([, unit]) => span >= unit) ?? ['ns', 1n];
  return `${decimal(span, size)}${name}`;
}

function decimal(span: bigint, unit: bigint): string {
  const digits = (span % unit)
    .toString()
    .padStart(unit.toString().length - 1, '0')
    .replace(/0+$/, '');
  return digits === '' ? `${span / unit}` : `${span / unit}.${digits}`;
}
