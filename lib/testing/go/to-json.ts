/** What JavaScript's JSON writes otherwise than Go's. An escaped backslash is matched so as to be passed over. */
const differing = /\\\\|\\[bf]|\\ud[89a-f][\da-f]{2}|[<>&\u2028\u2029]/g;

const rewritten: Readonly<Record<string, string>> = {
  '\\\\': '\\\\',
  '\\b': '\\u0008',
  '\\f': '\\u000c',
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/** JSON as Go writes it; half a surrogate pair stands for a byte that is no UTF-8. */
export const toJson = (value: object): string =>
  JSON.stringify(value).replace(differing, (found) => rewritten[found] ?? '\\ufffd');
