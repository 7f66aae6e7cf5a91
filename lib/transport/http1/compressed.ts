import type { HttpResponse } from '../http.js';
import { UnusableError } from '../unusable.js';

/** The answer is compressed, though it was asked for as it is; undefined if it is not. A browser decompresses all. */
export function compressed(encoding: unknown, status: number): UnusableError | undefined {
  if (typeof encoding !== 'string' || /^(identity)?$/i.test(encoding.trim())) return undefined;
  const what = `the answer is compressed (content-encoding: ${encoding.trim()}), by something in between`;
  // Which may be mended: a watch goes on.
  return new UnusableError(what, { sent: true, status, lasting: false });
}

/** The same of one that axios may have decompressed: then it can be read, whatever its headers still say. */
export const garbled = ({ status, headers, body }: HttpResponse): UnusableError | undefined =>
  isGarbled(body) ? compressed(headers.get('content-encoding'), status) : undefined;

const isGarbled = (text: string): boolean =>
  Array.from({ length: 4 }, (_, i) => text.charCodeAt(i)).some(
    (code) => code === 0xfffd || (code < 0x20 && ![9, 10, 13].includes(code)),
  );
