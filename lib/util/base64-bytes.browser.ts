/*
 * `atob` and `btoa` need a string of one character a byte in between, which costs more than the whole conversion does here.
 */

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const codes = Uint8Array.from(alphabet, (sign) => sign.charCodeAt(0));
const padding = '='.charCodeAt(0);
/** The six bits of each sign; more than six for what is none. */
const sextets = new Uint8Array(128).fill(255);
codes.forEach((code, sextet) => (sextets[code] = sextet));
const ascii = new TextDecoder();

/** Bytes as base64 (RFC 4648, padded). */
export function toBase64(bytes: Uint8Array): string {
  const { length } = bytes;
  const out = new Uint8Array(Math.ceil(length / 3) * 4);
  let at = 0;
  for (let i = 0; i < length; i += 3) {
    const bits = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    out[at++] = codes[bits >> 18] ?? 0;
    out[at++] = codes[(bits >> 12) & 63] ?? 0;
    out[at++] = codes[(bits >> 6) & 63] ?? 0;
    out[at++] = codes[bits & 63] ?? 0;
  }
  const spare = length % 3;
  if (spare > 0) out.fill(padding, at - 3 + spare);
  return ascii.decode(out);
}

/** The bytes of a base64 text; undefined if it is none. */
export function fromBase64(text: string): Uint8Array | undefined {
  const { length } = text;
  if (length % 4 !== 0) return undefined;
  const signs = text.endsWith('==') ? length - 2 : text.endsWith('=') ? length - 1 : length;
  const out = new Uint8Array((signs * 3) >> 2);
  let wrong = 0;
  let at = 0;
  for (let i = 0; i < length; i += 4) {
    const a = sextets[text.charCodeAt(i)] ?? 255;
    const b = sextets[text.charCodeAt(i + 1)] ?? 255;
    const c = i + 2 < signs ? (sextets[text.charCodeAt(i + 2)] ?? 255) : 0;
    const d = i + 3 < signs ? (sextets[text.charCodeAt(i + 3)] ?? 255) : 0;
    wrong |= a | b | c | d;
    // What lies behind the end of a typed array is not written.
    out[at++] = (a << 2) | (b >> 4);
    out[at++] = (b << 4) | (c >> 2);
    out[at++] = (c << 6) | d;
  }
  return wrong > 63 ? undefined : out;
}
