import { EtcdError } from 'rxetcd';
import { inspect } from 'node:util';

/** The one line that an error is, besides one for each try in its message; throws if it is not that clear. */
export function headlineOf(error: unknown): string {
  expect(error).toBeInstanceOf(EtcdError);
  const { name, message, attempts } = error as EtcdError;
  const [headline = '', ...tries] = message.split('\n');
  expect(tries).toHaveLength(attempts.length);
  for (const [i, { endpoint }] of attempts.entries()) expect(tries[i]).toContain(` ${endpoint}: `);
  expect(headline.length).toBeGreaterThan(0);
  expect(headline.length).toBeLessThan(300);
  // Neither a body nor an object in its raw form.
  expect(headline).not.toMatch(/[{}]|\[object|undefined/);
  expect(String(error)).toBe(`${name}: ${headline}`);
  expect(JSON.stringify({ error })).toBe(JSON.stringify({ error: `${name}: ${headline}` }));
  expect(inspect(error)).toContain(headline);
  return headline;
}
