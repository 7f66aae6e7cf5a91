import { runSeed, seededRandom } from './random.js';

const take = (n: number, next: () => number) => Array.from({ length: n }, next);

describe('seededRandom', () => {
  test('repeats itself for the same seed and not for another', () => {
    const [one, same, other] = [1, 1, 2].map((seed) => take(20, seededRandom(seed).next));
    expect(one).toEqual(same);
    expect(one).not.toEqual(other);
  });

  test('int stays below n and reaches every number', () => {
    const random = seededRandom(runSeed);
    expect(new Set(take(1_000, () => random.int(5)))).toEqual(new Set([0, 1, 2, 3, 4]));
  });

  test('pick takes entries of the list and complains about an empty one', () => {
    const random = seededRandom(runSeed);
    expect(new Set(take(200, () => random.pick([7, 8])))).toEqual(new Set([7, 8]));
    expect(() => random.pick([])).toThrow('nothing to pick from');
  });
});

test('runSeed is a number, the one of Jest unless told otherwise', () => {
  expect(runSeed).toBe(
    process.env['RXETCD_SEED'] === undefined ? jest.getSeed() : Number(process.env['RXETCD_SEED']),
  );
});
