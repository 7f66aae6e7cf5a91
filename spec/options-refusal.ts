import { InvalidOptionError } from '../lib/errors.js';
import { resolveOptions } from '../lib/options.js';

export type Given = Parameters<typeof resolveOptions>;

/** What it threw; fails if it threw nothing. */
export function refusal(first: unknown, rest?: unknown): InvalidOptionError {
  try {
    resolveOptions(...([first, rest] as Given));
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOptionError);
    return error as InvalidOptionError;
  }
  throw new Error('nothing was thrown');
}
