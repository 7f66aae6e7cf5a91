/** The bounds of a back-off, in milliseconds. */
export interface BackoffBounds {
  readonly initialDelay: number;
  readonly maxDelay: number;
}

/**
 * The delay before retry `n` (from 0): doubling from `initialDelay` to `maxDelay`, of which a random half to the whole
 * is taken so that clients that failed together do not come back together.
 */
export function backoff(
  n: number,
  { initialDelay, maxDelay }: BackoffBounds,
  random: () => number = Math.random,
): number {
  const whole = Math.min(maxDelay, initialDelay * 2 ** Math.min(n, 30));
  return whole * (0.5 + random() / 2);
}
