import { isUtf8 } from 'node:buffer';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** How long the character is that begins with this byte; 1 for a byte that begins none. */
const lengthOf = (lead: number): number => (lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4);

/**
 * Bytes as text. Etcd keeps what it is given byte by byte, text or not: each byte that is no UTF-8 becomes half a surrogate pair,
 * which no UTF-8 gives, so that different bytes stay different.
 */
function textOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return decoder.decode(bytes);
  let text = '';
  for (let i = 0; i < bytes.length;) {
    const lead = bytes[i] ?? 0;
    const character = bytes.subarray(i, i + lengthOf(lead));
    const valid = isUtf8(character);
    text += valid ? decoder.decode(character) : String.fromCharCode(0xdc00 + lead);
    i += valid ? character.length : 1;
  }
  return text;
}

/** Takes a string of bytes as Node gives it: one character each. */
export const textOfBinary = (binary: string): string => textOf(Buffer.from(binary, 'latin1'));
