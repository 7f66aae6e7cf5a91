const startedAt = performance.now();

/** One line, with the time since the start. */
export function say(what: string, line: string): void {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(2);
  console.log(`${seconds.padStart(6)} s  ${what.padEnd(8)} ${line}`);
}
