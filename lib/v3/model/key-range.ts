import { check, isRecord } from '../../check.js';
import { InvalidOptionError } from '../../errors.js';
import { isSameBytes } from '../../util/same-bytes.js';
import { fromUtf8, toUtf8 } from '../../util/utf8.js';

/** A key: text, which stands for its UTF-8, or bytes. */
export type Key = string | Uint8Array;

/** A value: text, which stands for its UTF-8, or bytes. */
export type Value = string | Uint8Array;

/** Keys: one of them, all that begin alike, those from one on up to another (without it), or all. */
export type KeyRange =
  | Key
  | { readonly prefix: Key; readonly from?: never; readonly to?: never; readonly all?: never }
  | { readonly from: Key; readonly to?: Key; readonly prefix?: never; readonly all?: never }
  | { readonly all: true; readonly prefix?: never; readonly from?: never; readonly to?: never };

/** Keys as etcd's requests name them: `range_end` absent is one key, a zero byte is no end. */
export interface Bounds {
  readonly key: Uint8Array;
  readonly range_end?: Uint8Array | undefined;
}

/** The first of all keys, and etcd's word for "without end". */
const zero = Uint8Array.of(0);

/** The bytes of a key or value; throws InvalidOptionError for what is neither text nor bytes, and never shows it. */
export function bytesOf(name: string, value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const wanted = check.string(value);
  if (wanted !== undefined)
    throw new InvalidOptionError(name, value, `${wanted} or a Uint8Array`, { secret: true });
  return toUtf8(value as string);
}

/** The bytes of one key, which must not be empty. */
export function keyBytes(name: string, key: Key, wanted = 'a key, which is not empty'): Uint8Array {
  const bytes = bytesOf(name, key);
  if (bytes.length === 0) throw new InvalidOptionError(name, key, wanted);
  return bytes;
}

/** What a range is for etcd; throws InvalidOptionError for one that is empty, or means too much by mistake. */
export function boundsOf(name: string, range: KeyRange): Bounds {
  if (typeof range === 'string' || range instanceof Uint8Array) return { key: keyBytes(name, range) };
  // What comes from JavaScript may be anything.
  const given: unknown = range;
  const fields = isRecord(given) ? Object.keys(given).filter((field) => given[field] !== undefined) : [];
  switch (fields.sort().join()) {
    case 'prefix':
      return prefixBounds(
        keyBytes(
          `${name}.prefix`,
          range.prefix ?? '',
          'a prefix, which is not empty; { all: true } is everything',
        ),
      );
    case 'from':
    case 'from,to':
      return fromTo(name, range as { from: Key; to?: Key });
    case 'all':
      if (range.all === true) return { key: zero, range_end: zero };
  }
  throw new InvalidOptionError(name, range, 'a key, { prefix }, { from }, { from, to } or { all: true }', {
    secret: true,
  });
}

/** Up to the first key that begins otherwise: nothing is above a byte of 0xff. */
function prefixBounds(prefix: Uint8Array): Bounds {
  let length = prefix.length;
  while (prefix[length - 1] === 0xff) length -= 1;
  if (length === 0) return { key: prefix, range_end: zero };
  const end = prefix.slice(0, length);
  end[length - 1] = (end[length - 1] ?? 0) + 1;
  return { key: prefix, range_end: end };
}

function fromTo(name: string, { from, to }: { from: Key; to?: Key }): Bounds {
  const given = bytesOf(`${name}.from`, from);
  const key = given.length === 0 ? zero : given;
  if (to === undefined) return { key, range_end: zero };
  const end = bytesOf(`${name}.to`, to);
  if (!isBelow(key, end)) throw new InvalidOptionError(`${name}.to`, to, 'a key above `from`');
  return { key, range_end: end };
}

/** What messages call a range that was checked. */
export function nameOf(range: KeyRange): string {
  if (typeof range === 'string') return range;
  if (range instanceof Uint8Array) return fromUtf8(range);
  if (range.prefix !== undefined) return `${nameOf(range.prefix)}*`;
  return range.from === undefined ? 'all keys' : `${nameOf(range.from)}..${nameOf(range.to ?? '')}`;
}

/** The first key behind that one: nothing is between the two. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1);
  after.set(key);
  return after;
}

/** Whether a key is one of those. */
export function holds({ key: first, range_end: end }: Bounds, key: Uint8Array): boolean {
  if (isBelow(key, first)) return false;
  if (end === undefined) return !isBelow(first, key);
  return isSameBytes(end, zero) || isBelow(key, end);
}

/** Whether the one key comes before the other: by bytes, as etcd orders them. */
function isBelow(a: Uint8Array, b: Uint8Array): boolean {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const [x = 0, y = 0] = [a[i], b[i]];
    if (x !== y) return x < y;
  }
  return a.length < b.length;
}
