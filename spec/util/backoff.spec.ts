import { backoff } from '../../lib/util/backoff.js';

const bounds = { initialDelay: 50, maxDelay: 2_000 };

describe('backoff', () => {
  test.each([
    [0, 50],
    [1, 100],
    [2, 200],
    [5, 1_600],
    [6, 2_000],
    [7, 2_000],
    [1_000, 2_000],
    [Number.MAX_SAFE_INTEGER, 2_000],
  ])('retry %i waits at most %i ms and at least half of that', (n, whole) => {
    expect(backoff(n, bounds, () => 1)).toBe(whole);
    expect(backoff(n, bounds, () => 0)).toBe(whole / 2);
    expect(backoff(n, bounds, () => 0.5)).toBe(whole * 0.75);
  });

  test('the longest delay rules even over the first', () => {
    expect(backoff(0, { initialDelay: 500, maxDelay: 100 }, () => 1)).toBe(100);
  });

  test('by default clients that failed together do not come back together', () => {
    const delays = Array.from({ length: 100 }, () => backoff(3, bounds));
    expect(new Set(delays).size).toBeGreaterThan(90);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(200);
    expect(Math.max(...delays)).toBeLessThanOrEqual(400);
  });
});
