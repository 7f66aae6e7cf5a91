import type { HttpRequest } from '../../transport/http.js';
import type { V2Context } from '../context.js';

/** A GET that a watch sends to one member, on connections of its own and past the call's retries. */
export function memberRequest(
  { authorization }: V2Context,
  request: Pick<HttpRequest, 'endpoint' | 'path' | 'timeout' | 'operation' | 'count'>,
): HttpRequest {
  return { method: 'GET', pool: 'watch', authorization, ...request };
}
