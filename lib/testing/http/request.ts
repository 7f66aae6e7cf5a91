import type { IncomingHttpHeaders } from 'node:http';

/** One request, as the routes see it. */
export interface Request {
  readonly method: string;
  /** Decoded, clean, without the query. */
  readonly path: string;
  /** As it came, without the question mark. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** Empty unless the method is PUT or POST. */
  readonly body: Buffer;
}
