import { ignoreElements, share, tap, type Observable } from 'rxjs';
import { Fault } from '../cluster/fault.js';
import type { CredentialsSource } from '../cluster/send.js';

/**
 * The token of the client's user: asked for when it is first needed, by one request for all who wait for it, and kept until a
 * server refuses it.
 */
export class TokenKeeper implements CredentialsSource {
  /** What was got last, if that was not refused: no token at all from a server with authentication off. */
  #held: { readonly token: string | undefined } | undefined;
  readonly #got$: Observable<never>;

  /** @param ask$ gets a token; emits undefined where none is needed */
  constructor(ask$: Observable<string | undefined>) {
    this.#got$ = ask$.pipe(
      tap((token) => {
        this.#held = { token };
      }),
      ignoreElements(),
      share(),
    );
  }

  /** The token of the moment; undefined while there is none, or none is needed. */
  get current(): string | undefined {
    return this.#held?.token;
  }

  /** Completes once the server has said what token to send; undefined if it has. Errors with why there is none. */
  wait$(): Observable<never> | undefined {
    return this.#held === undefined ? this.#got$ : undefined;
  }

  /** That token was refused: the next one is asked for when it is needed. One that is newer stays. */
  refused(token: string | undefined): void {
    if (this.#held?.token === token) this.#held = undefined;
  }
}

/** Reads the answer to a request that bore that token, and takes note if it says that the token is refused. */
export function heeding<T>(tokens: TokenKeeper | undefined, token: string | undefined, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Fault && error.config.credentialsRefused === true) tokens?.refused(token);
    throw error;
  }
}
