/** Bytes as base64 (RFC 4648, padded). */
export const toBase64 = ({ buffer, byteOffset, length }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, length).toString('base64');

/** The bytes of a base64 text; undefined if it is none. */
export function fromBase64(text: string): Uint8Array | undefined {
  const { buffer, byteOffset, length } = Buffer.from(text, 'base64');
  // Node passes over what is no base64, and has fewer bytes then.
  if (text.length % 4 !== 0 || length !== bytesOf(text)) return undefined;
  return new Uint8Array(buffer, byteOffset, length);
}

const bytesOf = (text: string): number =>
  (text.length / 4) * 3 - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0);
