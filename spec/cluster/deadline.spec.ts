import { resolveOptions } from '../../lib/options.js';
import { within } from '../../lib/cluster/deadline.js';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test.each([
  [0, 500],
  [120, 380],
  [499, 1],
  // No limit is below what a timer can keep.
  [500, 1],
  [9_000, 1],
])('after %i ms of 500 there are %i left, and all else stays', (passed, left) => {
  const { timeout, retry } = resolveOptions({ timeout: 70, retry: { max: 3 } });
  const settings = { timeout, retry, deadline: 500 };
  const startedAt = performance.now();
  jest.advanceTimersByTime(passed);
  expect(within(settings, startedAt)).toEqual({ timeout: 70, retry: { ...retry, max: 3 }, deadline: left });
  expect(settings.deadline).toBe(500);
});

test('what is left is a whole number', () => {
  const settings = resolveOptions({ deadline: 500 });
  expect(within(settings, performance.now() - 0.4).deadline).toBe(500);
  expect(within(settings, performance.now() - 10.5).deadline).toBe(490);
});
