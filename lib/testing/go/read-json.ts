/** Half a surrogate pair, which Go reads as U+FFFD. */
const lone = /\p{Surrogate}/gu;

/** Turns JSON into a value, or throws. `before` is what is there already: `null` leaves most of it alone. */
export type JsonReader<T> = (json: unknown, before: T) => T;

export const string: JsonReader<string> = (json, before) => {
  if (json === null) return before;
  if (typeof json === 'string') return json.replace(lone, '\ufffd');
  throw new SyntaxError('not a string');
};

/** A list that may be absent, which is not the same as empty. */
export const strings: JsonReader<readonly string[] | null> = (json) => {
  if (json === null) return null;
  if (Array.isArray(json)) return json.map((entry) => string(entry, ''));
  throw new SyntaxError('not an array');
};

/** What may be absent, and starts from `zero` where it is not. */
export const optional =
  <T>(read: JsonReader<T>, zero: T): JsonReader<T | undefined> =>
  (json, before) =>
    json === null ? undefined : read(json, before ?? zero);

/** An object of known fields; their names may come in any case, and what is unknown is passed over. */
export function struct<T extends object>(readers: { [K in keyof T]-?: JsonReader<T[K]> }): JsonReader<T> {
  const names = Object.keys(readers).map((name) => ({
    field: name as keyof T,
    pattern: new RegExp(`^${name}$`, 'iu'),
  }));
  return (json, before) => {
    if (json === null) return before;
    if (typeof json !== 'object' || Array.isArray(json)) throw new SyntaxError('not an object');
    const out = { ...before };
    for (const [key, value] of Object.entries(json)) {
      const known = names.find(({ pattern }) => pattern.test(key));
      if (known !== undefined) out[known.field] = readers[known.field](value, out[known.field]);
    }
    return out;
  };
}

/** Strings and brackets. A string without an end reaches to that of the text: it is read once, not from each of its quotes. */
const token = /"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$)|[{}[\]]/gs;

/** Reads the object at the start of a text, or `null`, whatever follows it; throws if there is none. */
export function parseFirst(text: string): unknown {
  const start = text.replace(/^[ \t\r\n]+/, '');
  if (start.startsWith('null')) return null;
  if (!start.startsWith('{')) throw new SyntaxError('not an object');
  let depth = 0;
  for (const { 0: found, index } of start.matchAll(token)) {
    if (found === '{' || found === '[') depth += 1;
    if (found === '}' || found === ']') depth -= 1;
    if (depth === 0) return JSON.parse(start.slice(0, index + 1));
  }
  throw new SyntaxError('no end');
}

/** Strings, brackets, and what stands between names and values. */
const mark = /"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$)|[{}[\]:,]/gs;

/** The fields of an object in their order, each of several with one name. @param object the text of one that is known to be JSON */
export function fieldsOf(object: string): [name: string, value: unknown][] {
  const marks: number[] = [];
  let depth = 0;
  for (const { 0: found, index } of object.matchAll(mark)) {
    if (found === '}' || found === ']') depth -= 1;
    if (depth === 0 || (depth === 1 && (found === ':' || found === ','))) marks.push(index);
    if (found === '{' || found === '[') depth += 1;
  }
  const parts = marks.slice(1).map((end, i) => object.slice((marks[i] ?? 0) + 1, end));
  // Names and values by turns; an empty object has one part without either.
  return Array.from({ length: Math.floor(parts.length / 2) }, (_, i) => [
    JSON.parse(parts[2 * i] ?? '') as string,
    JSON.parse(parts[2 * i + 1] ?? '') as unknown,
  ]);
}
