import { lastValueFrom, throwError, timeout, type Observable } from 'rxjs';

/** What the Observable errors with; throws if it completes instead, or does neither within 10 s. */
export async function rejectionOf(observable: Observable<unknown>): Promise<unknown> {
  let ended = 'no end came within 10 s';
  const timely = observable.pipe(timeout({ first: 10_000, with: () => throwError(() => new Error(ended)) }));
  try {
    ended = `no error came, but ${JSON.stringify(await lastValueFrom(timely, { defaultValue: undefined }))}`;
  } catch (error) {
    return error;
  }
  throw new Error(ended);
}
