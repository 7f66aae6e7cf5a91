import type { HttpHeaders, HttpRequest, HttpResponse } from './http.js';

/** The line between one exchange and what carries it out. */
export class Wire {
  readonly request: HttpRequest;
  /** Whether the request may have reached the server; undefined where that cannot be told. */
  sent: boolean | undefined;
  /** Set by the sender: ends the exchange under way. */
  onAbort?: () => void;
  #aborted = false;
  /** Takes the headers as soon as they are there; set when the answer is wanted in parts. */
  onHead?: (status: number, headers: HttpHeaders) => void;
  /** Takes the body as it comes; set when the answer is wanted in parts. */
  onText?: (text: string) => void;

  constructor(request: HttpRequest) {
    this.request = request;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  /** Ends the exchange; what was not sent will not be. */
  abort(): void {
    this.#aborted = true;
    this.onAbort?.();
  }
}

/** Carries out the exchange of a wire; resolves when its answer is complete (with an empty body if it went in parts). */
export type Sender = (wire: Wire) => Promise<HttpResponse>;
