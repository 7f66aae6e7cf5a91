import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition, asking every few milliseconds; throws after `within` ms. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  within = 60_000,
): Promise<void> {
  const end = performance.now() + within;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${String(within)} ms`);
    await sleep(5);
  }
}
