/** A `%` without two hexadecimal digits behind it; `message` is Go's. */
class BadEscape extends Error {
  constructor(rest: string) {
    const quoted = rest
      .slice(0, 3)
      .replace(/["\\]/g, '\\$&')
      .replace(/[^ -~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
    super(`invalid URL escape "${quoted}"`);
  }
}

const bad = /%(?![\da-f]{2})/i;

/** Undoes the escapes of bytes that are given one character each; throws `BadEscape`. */
export function unescapeBytes(binary: string): string {
  if (!binary.includes('%')) return binary;
  const at = binary.search(bad);
  if (at >= 0) throw new BadEscape(binary.slice(at));
  // In place, for values of some MiB are mostly escapes.
  const bytes = Buffer.from(binary, 'latin1');
  let size = 0;
  for (let i = 0; i < bytes.length; size++) {
    const escaped = bytes[i] === percent;
    bytes[size] = escaped ? digit(bytes[i + 1]) * 16 + digit(bytes[i + 2]) : (bytes[i] ?? 0);
    i += escaped ? 3 : 1;
  }
  return bytes.toString('latin1', 0, size);
}

const percent = 0x25;
/** Of a hexadecimal digit's character. */
const digit = (code = 0): number => (code <= 0x39 ? code - 0x30 : (code & 0x5f) - 0x37);

/** A path as Go writes it into an URL. */
export const escapePath = (binary: string): string =>
  binary.replace(/[^\w\-.~$&+,/:;=@]/g, (byte) => {
    return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
