import * as fc from 'fast-check';
import { runSeed } from './random.js';

const factor = Number(process.env['FUZZ_RUNS'] ?? 0.5);
/** In ms, of one test. */
export const timeLimit = 60_000 * Math.max(1, factor);

/** Checks a property in that many runs, times $FUZZ_RUNS (default 0.5). `--seed` repeats a run. */
export function forAll<T>(
  runs: number,
  arbitrary: fc.Arbitrary<T>,
  check: (v: T) => Promise<void>,
): Promise<void> {
  return fc.assert(fc.asyncProperty(arbitrary, check), {
    seed: runSeed,
    numRuns: Math.max(1, Math.round(runs * factor)),
    // Leaves time to shrink what fails, and to tell.
    interruptAfterTimeLimit: timeLimit * 0.5,
    markInterruptAsFailure: true,
  });
}
