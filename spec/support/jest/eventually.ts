export interface EventuallyOptions {
  /** Longest wait in ms. Default 20,000. */
  within?: number;
  /** Pause between two tries in ms. Default 20. */
  every?: number;
}

/**
 * Tries `check` until it neither throws nor returns false, and resolves with what it returned; rejects with the last failure's
 * message once the time is up.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { within = 20_000, every = 20 }: EventuallyOptions = {},
): Promise<T> {
  const end = Date.now() + within;
  for (;;) {
    try {
      const result = await check();
      if (result !== false) return result;
      throw new Error('the check returned false');
    } catch (error) {
      if (Date.now() >= end)
        throw new Error(
          `not within ${within} ms: ${error instanceof Error ? error.message : String(error)}`,
          { cause: error },
        );
    }
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
