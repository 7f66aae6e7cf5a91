import { InvalidOptionError } from 'rxetcd';

/** What was thrown at the caller: a refusal, or nothing. */
export function refusalOf(make: () => void): InvalidOptionError | undefined {
  try {
    make();
    return undefined;
  } catch (error) {
    if (error instanceof InvalidOptionError) return error;
    throw error;
  }
}
