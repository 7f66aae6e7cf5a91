import { readFileSync, readdirSync } from 'node:fs';

/** Whether all threads of a process are stopped by a signal (state T of /proc, so Linux only); false if it is gone. */
export function isStandingStill(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).every(
      (thread) => stateOf(`/proc/${pid}/task/${thread}/stat`) === 'T',
    );
  } catch {
    return false;
  }
}

/** The letter behind the name, which stands in parentheses and may hold some itself. */
function stateOf(statFile: string): string | undefined {
  const stat = readFileSync(statFile, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 1).trim()[0];
}
