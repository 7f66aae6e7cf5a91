import { instant } from '../../lib/util/instant.js';

afterEach(() => {
  jest.useRealTimers();
});

describe('instant', () => {
  test('is later each time, also while the clock stands still', () => {
    jest.useFakeTimers();
    const times = Array.from({ length: 10_000 }, instant);
    expect(times.every((time, i) => i === 0 || time > times[i - 1]!)).toBe(true);
    expect(times.at(-1)! - performance.now()).toBeLessThan(1.1);
  });

  test('goes with the clock', () => {
    jest.useFakeTimers();
    jest.advanceTimersByTime(5_000);
    const before = instant();
    jest.advanceTimersByTime(1_000);
    expect(instant() - before).toBeCloseTo(1_000);
  });

  test('begins anew with a clock that does', () => {
    jest.useFakeTimers();
    jest.advanceTimersByTime(60_000);
    expect(instant()).toBeGreaterThanOrEqual(60_000);
    jest.useRealTimers();
    jest.useFakeTimers();
    expect(instant()).toBeLessThan(1);
  });
});
