import type { Wire } from './wire.js';

/** The body of a streamed axios answer as text, piece by piece, for as long as the wire takes it. */
export async function* bodyChunks(
  pieces: AsyncIterable<unknown> | Iterable<unknown>,
  wire: Pick<Wire, 'takes'>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const piece of pieces as AsyncIterable<Uint8Array | string>) {
    if (!wire.takes(piece)) return;
    yield typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true });
  }
}
