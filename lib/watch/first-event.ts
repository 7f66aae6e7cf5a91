import { identity, take, throwError, throwIfEmpty, timeout, type MonoTypeOperatorFunction } from 'rxjs';
import { ClientClosedError, RequestTimeoutError } from '../errors.js';

/** Emits the first event of a watch and completes. @param limit how long to wait for it, ms; undefined: for ever */
export function firstEvent<E>(operation: string, limit: number | undefined): MonoTypeOperatorFunction<E> {
  return (events$) =>
    events$.pipe(
      take(1),
      // Only the client's end completes a watch.
      throwIfEmpty(() => new ClientClosedError(operation)),
      limit === undefined
        ? identity
        : timeout({ first: limit, with: () => throwError(() => new RequestTimeoutError(operation, limit)) }),
    );
}
