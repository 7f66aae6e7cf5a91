import type { IncomingHttpHeaders } from 'node:http';

/** One request that came in. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query, as they came. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Its first 64 KiB; empty unless the method is PUT or POST. */
  readonly body: string;
  /** In ms since 1970. */
  readonly at: number;
}

/** Requests that are remembered. */
const capacity = 1_000;
/** Bytes of a body that are remembered. */
const bodySize = 64 * 1024;

/** What a server was asked. */
export class RequestLog {
  readonly #seen: SeenRequest[] = [];

  /** The last 1,000 requests, the oldest first. */
  get all(): readonly SeenRequest[] {
    return [...this.#seen];
  }

  add({ body, ...request }: Omit<SeenRequest, 'body' | 'at'> & { body: Buffer }): void {
    this.#seen.push({ ...request, body: body.toString('utf8', 0, bodySize), at: Date.now() });
    if (this.#seen.length > capacity) this.#seen.shift();
  }

  clear(): void {
    this.#seen.length = 0;
  }
}
