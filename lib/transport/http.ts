import type { Observable } from 'rxjs';

/** The methods that a client may send. */
export const httpMethods = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'] as const;

/** A method that a client may send. */
export type HttpMethod = (typeof httpMethods)[number];

/** One request. */
export interface HttpRequest {
  readonly method: HttpMethod;
  /** The origin to ask, as `http://127.0.0.1:2379`. */
  readonly endpoint: string;
  /** The path with its query, encoded. */
  readonly path: string;
  readonly body?: string | undefined;
  /**
   * What follows the body piece by piece, for as long as it goes on; the answer is read meanwhile. Such a request has a
   * connection of its own, which ends with it. Only for transports with `openBodies`, in answers in parts.
   */
  readonly rest$?: Observable<string> | undefined;
  /** The media type of the body. Default: an encoded form. */
  readonly contentType?: string | undefined;
  /** More headers; lower-case names. One that the client sets itself is replaced. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The value of the Authorization header. */
  readonly authorization?: string | undefined;
  /** A password in the body: one that it sets, or one that it is to be proven by. */
  readonly secret?: string | undefined;
  /**
   * Until the answer is complete (of `parts$`: until its headers are there), in milliseconds; of a command from when it
   * is handed to a connection, where that can be told.
   */
  readonly timeout: number;
  /** What the request is for, in events. */
  readonly operation: string;
  /** How many bytes the answer may have. Default: the client's `maxResponseBytes`. */
  readonly maxBytes?: number | undefined;
  /**
   * Counts a piece of a 200 in: how many bytes there are by now of what `maxBytes` limits; Infinity if that was more.
   * Default: all bytes count.
   */
  readonly count?: ((held: number, piece: Uint8Array, maxBytes: number) => number) | undefined;
  /** Commands share a bounded number of connections; everything that waits has its own. */
  readonly pool: 'command' | 'watch';
}

/** It goes to none but a server that is known: it bears a token, or a password. */
export const isForKnown = ({ authorization, secret }: HttpRequest): boolean =>
  authorization !== undefined || secret !== undefined;

/** Response headers, looked up by lower-case name. */
export interface HttpHeaders {
  get(name: string): unknown;
}

/** The headers of a complete answer, which can also be had as one plain object. */
export interface AllHttpHeaders extends HttpHeaders {
  toJSON(): object;
}

/** A complete answer. The body is text; what it holds is for the reader to find out. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: AllHttpHeaders;
  readonly body: string;
}

/** An answer in the making: first its head, then its body piece by piece, and its end. */
export type HttpPart =
  | { readonly type: 'head'; readonly status: number; readonly headers: HttpHeaders }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'end' };

/** Of the kind 4xx, and no refusal: who answers so waited in vain, or wants the request once more. */
const openStatuses: ReadonlySet<number> = new Set([408, 425, 460, 499]);

/** Whether a status says, whoever has given it, that the request was refused and so not executed. */
export const isRefusal = (status: number): boolean =>
  status >= 400 && status < 500 && !openStatuses.has(status);

/** The media type of an encoded form. */
const formType = 'application/x-www-form-urlencoded';

/** The headers that a request is sent with. */
export function requestHeaders({
  body,
  contentType = formType,
  authorization,
  headers,
}: HttpRequest): Record<string, string> {
  return {
    ...(body === undefined ? {} : { 'content-type': contentType }),
    ...(authorization === undefined ? {} : { authorization }),
    ...headers,
  };
}
