import type { HttpHeaders, HttpRequest, HttpResponse } from './http.js';

/** The line between one exchange and what carries it out. */
export interface Wire {
  readonly request: HttpRequest;
  /** The answer is wanted as it comes: through `head` and `text`, and `done` with an empty body. */
  readonly inParts: boolean;
  /** Whether the request may have reached the server; undefined where that cannot be told. Set by the sender. */
  sent: boolean | undefined;
  /** Set by the sender: ends the exchange under way. */
  onAbort: (() => void) | undefined;
  /** The exchange is over, and the answer unwanted; what was not sent is not to be. */
  readonly over: boolean;
  /** Takes the headers as soon as they are there. */
  head(status: number, headers: HttpHeaders): void;
  /** Takes the body as it comes. */
  text(text: string): void;
  /** Takes the complete answer. */
  done(response: HttpResponse): void;
  /** Takes whatever the HTTP client threw. */
  failed(thrown: unknown): void;
}

/** Carries out the exchange of a wire, which ends in `done` or `failed`. */
export type Sender = (wire: Wire) => void;
