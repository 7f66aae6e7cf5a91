import type { buildConnector } from 'undici';
import { TransportError } from './transport-error.js';
import type { Observable } from 'rxjs';

/**
 * Completes once it is certain who answered at the endpoint when this was subscribed, or later: the connections that
 * stood then lead to nobody else. Errors with a TransportError if it cannot be told.
 */
export type Vouch = (endpoint: string) => Observable<never>;

/** Hands out a new connection only once somebody vouches for who is at its other end: nothing is written to it before. */
export function vouched(
  connect: buildConnector.connector,
  vouch$: Observable<never>,
): buildConnector.connector {
  return (options, callback) => {
    connect(options, (...result) => {
      const [, socket] = result;
      if (socket === null) {
        callback(...result);
        return;
      }
      vouch$.subscribe({
        error: (error: unknown) => {
          socket.destroy();
          callback(error as Error, null);
        },
        complete: () => {
          if (socket.destroyed)
            callback(new TransportError('connect', 'the connection ended before it was used', false), null);
          else callback(null, socket);
        },
      });
    });
  };
}
