/**
 * The body of a streamed axios answer as text, piece by piece: a Node stream, a web stream, or (from an adapter that
 * cannot stream) the whole text at once.
 */
export async function* bodyChunks(data: unknown): AsyncGenerator<string> {
  if (typeof data === 'string') {
    yield data;
    return;
  }
  const decoder = new TextDecoder();
  const pieces =
    data instanceof ReadableStream
      ? readAll(data as ReadableStream<Uint8Array>)
      : (data as AsyncIterable<Uint8Array | string>);
  for await (const piece of pieces)
    yield typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true });
}

/** Not every browser can iterate over a stream. */
async function* readAll(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    reader.releaseLock();
  }
}
