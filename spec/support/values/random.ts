/** Jest hands it to each module that it loads; absent elsewhere. */
declare const jest: { getSeed(): number } | undefined;

export interface SeededRandom {
  /** In [0, 1). */
  next(): number;
  /** A whole number in [0, n). */
  int(n: number): number;
  /** One entry of a list that has some. */
  pick<T>(list: readonly T[]): T;
}

/** The same seed gives the same sequence (mulberry32). */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (n: number) => Math.floor(next() * n);
  return {
    next,
    int,
    pick: <T>(list: readonly T[]) => {
      if (list.length === 0) throw new Error('nothing to pick from');
      return list[int(list.length)] as T;
    },
  };
}

/** The seed of this run: $RXETCD_SEED, else Jest's (which Jest prints), else the time. Print it with every failure. */
export const runSeed = Number(
  process.env['RXETCD_SEED'] ?? (typeof jest === 'undefined' ? Date.now() : jest.getSeed()),
);
