import type { ServerResponse } from 'node:http';
import { corsHeaders } from './answer.js';
import type { Reply } from './reply.js';
import { streamWatch } from './stream-watch.js';

/** Go's server tells the length of a body only if all of it fits into its buffer. */
const bufferSize = 2_048;

/** Sends a reply with the headers, their order and the length or chunks of Go's server. */
export function writeReply(
  response: ServerResponse,
  { status, headers, body, sniffed, closed }: Reply,
): void {
  const named = Object.entries({ ...headers, ...(closed !== true && corsHeaders) }).sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const raw = [...named.flat(), 'Date', new Date().toUTCString()];
  response.sendDate = false;
  // Go says nothing of connections that stay open.
  response.removeHeader('connection');
  if (typeof body !== 'string') {
    response.writeHead(status, raw);
    return streamWatch(response, body);
  }
  const bytes = Buffer.from(body);
  const isHead = response.req.method === 'HEAD';
  const fits = bytes.length <= bufferSize;
  const tellsLength = fits && status !== 204 && !(isHead && bytes.length === 0);
  if (tellsLength) raw.push('Content-Length', `${bytes.length}`);
  if (sniffed === true) raw.push('Content-Type', 'text/plain; charset=utf-8');
  response.writeHead(status, raw);
  // Written apart from the end it goes out in chunks.
  if (!fits && !isHead) response.write(bytes);
  response.end(fits ? bytes : undefined);
}
