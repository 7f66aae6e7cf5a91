import { eventually } from './eventually.js';

describe('eventually', () => {
  test('resolves with what the check returns once it passes', async () => {
    let tries = 0;
    const check = () => {
      tries += 1;
      if (tries < 3) throw new Error('not yet');
      return tries;
    };
    expect(await eventually(check, { every: 1 })).toBe(3);
  });

  test('false is a failure, other falsy values are not', async () => {
    let tries = 0;
    expect(await eventually(() => ++tries === 2, { every: 1 })).toBe(true);
    expect(await eventually(() => null)).toBeNull();
    expect(await eventually(() => 0)).toBe(0);
  });

  test('rejects with the last failure when the time is up', async () => {
    let tries = 0;
    const check = () => Promise.reject(new Error(`failure ${++tries}`));
    await expect(eventually(check, { within: 30, every: 5 })).rejects.toThrow(
      /^not within 30 ms: failure \d+$/,
    );
    expect(tries).toBeGreaterThan(1);
  });
});
