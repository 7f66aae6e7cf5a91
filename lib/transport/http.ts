/** One request. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** The origin to ask, as `http://127.0.0.1:2379`. */
  readonly endpoint: string;
  /** The path with its query, encoded. */
  readonly path: string;
  /** An encoded form. */
  readonly form?: string;
  /** The value of the Authorization header. */
  readonly authorization?: string;
  /** Until the answer is complete (of `parts$`: until its headers are there), in milliseconds. */
  readonly timeout: number;
  /** What the request is for, in events. */
  readonly operation: string;
  /** Commands share a bounded number of connections; everything that waits has its own. */
  readonly pool: 'command' | 'watch';
}

/** Response headers, looked up by lower-case name. */
export interface HttpHeaders {
  get(name: string): unknown;
}

/** A complete answer. The body is text; what it holds is for the reader to find out. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: string;
}

/** An answer in the making: first its head, then its body piece by piece. */
export type HttpPart =
  | { readonly type: 'head'; readonly status: number; readonly headers: HttpHeaders }
  | { readonly type: 'text'; readonly text: string };
