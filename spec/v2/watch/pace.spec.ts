import { Pace } from '../../../lib/v2/watch/pace.js';

describe('Pace', () => {
  test('the first goes at once, the others one after the other', () => {
    const pace = new Pace(100);
    expect([0, 0, 0, 0].map((now) => pace.delay(now))).toEqual([0, 10, 20, 30]);
  });

  test('who comes late enough does not wait, and nothing is saved up', () => {
    const pace = new Pace(10);
    expect(pace.delay(1_000)).toBe(0);
    expect(pace.delay(1_050)).toBe(50);
    expect(pace.delay(1_199)).toBe(1);
    expect(pace.delay(5_000)).toBe(0);
    expect([5_000, 5_000].map((now) => pace.delay(now))).toEqual([100, 200]);
  });

  test('no more than so many in any second, whenever they come', () => {
    const pace = new Pace(100);
    const times = Array.from({ length: 500 }, (_, i) => {
      const now = i < 300 ? 0 : i * 2;
      return now + pace.delay(now);
    });
    for (const [i, at] of times.entries())
      expect((times[i + 100] ?? Infinity) - at).toBeGreaterThanOrEqual(999.999);
    expect(times).toEqual([...times].sort((x, y) => x - y));
  });

  test('takes the time from the clock by itself', () => {
    const pace = new Pace(1);
    expect(pace.delay()).toBe(0);
    expect(pace.delay()).toBeGreaterThan(900);
  });
});
