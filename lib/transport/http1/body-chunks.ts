import type { piecesOf } from './axios-answer.js';
import type { Wire } from './wire.js';

/**
 * The body of a streamed axios answer as text, piece by piece, for as long as the wire takes it: of a Node stream, a web
 * stream, or (from an adapter that cannot stream) the whole text at once.
 */
export async function* bodyChunks(
  data: ReturnType<typeof piecesOf>,
  wire: Pick<Wire, 'takes'>,
): AsyncGenerator<string> {
  if (typeof data === 'string') {
    if (wire.takes(data)) yield data;
    return;
  }
  const decoder = new TextDecoder();
  const pieces = isWebStream(data) ? readAll(data) : data;
  for await (const piece of pieces as AsyncIterable<Uint8Array | string>) {
    if (!wire.takes(piece)) return;
    yield typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true });
  }
}

const isWebStream = (data: object): data is ReadableStream<Uint8Array> =>
  typeof ReadableStream === 'function' && data instanceof ReadableStream;

/** Not every browser can iterate over a stream. */
async function* readAll(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    reader.releaseLock();
  }
}
