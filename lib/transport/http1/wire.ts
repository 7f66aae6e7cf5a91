import type { HttpHeaders, HttpRequest, HttpResponse } from '../http.js';

/**
 * How far a request has come: it waits for a connection that others use, for one that is being made, or it is handed to
 * one. `unknown` where that cannot be told.
 */
export type Stage = 'unknown' | 'waiting' | 'connecting' | 'written';

/** The line between one exchange and what carries it out. */
export interface Wire {
  readonly request: HttpRequest;
  /** The answer is wanted as it comes: through `head` and `text`, and `done` with an empty body. */
  readonly inParts: boolean;
  /** Whether the request may have reached the server; undefined where that cannot be told. */
  readonly sent: boolean | undefined;
  /** How many bytes an answer may have; of one in lines, each line. */
  readonly maxBytes: number;
  /** Set by the sender: ends the exchange under way. */
  onAbort: (() => void) | undefined;
  /** Asked at the last moment before the request is written. False: it is over, or has failed just now, and stays unsent. */
  mayBeWritten(): boolean;
  /** Takes note of how far the request has come. Its time begins when it is handed to a connection. */
  reached(stage: Stage): void;
  /** Counts a piece of the body. False if that was one too many: the exchange has failed, and nothing more is wanted. */
  takes(piece: Uint8Array | string): boolean;
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
