import { isRecord } from '../check.js';

/** Levels of JSON. The v2 API needs two for each directory, and no request line has room for more than 2,040 of those. */
export const maxDepth = 4_200;

/**
 * Parses a body by its content; etcd's content types are not to be trusted. Undefined if it is not JSON, or so deep that
 * whoever walks through it would run out of stack.
 */
export function parseJson(body: string): unknown {
  if (isTooDeep(body)) return undefined;
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

/** What the body of a success holds. */
export const jsonIn = ({ status, body }: { readonly status: number; readonly body: string }): unknown =>
  status === 200 ? parseJson(body) : undefined;

/** The text under that name, if it is an object that has one there. */
export function textIn(json: unknown, name: string): string | undefined {
  const value = isRecord(json) ? json[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** The same, unless it is empty. */
export function wordIn(json: unknown, name: string): string | undefined {
  const text = textIn(json, name);
  return text === '' ? undefined : text;
}

/** Whether its braces and brackets are nested deeper than {@link maxDepth}; strings are passed over. */
export function isTooDeep(body: string): boolean {
  // Each level needs two characters.
  if (body.length < 2 * maxDepth) return false;
  let depth = 0;
  for (let i = 0; i < body.length; i += 1) {
    switch (body[i]) {
      case '"':
        i = endOfString(body, i);
        break;
      case '{':
      case '[':
        depth += 1;
        if (depth > maxDepth) return true;
        break;
      case '}':
      case ']':
        depth -= 1;
    }
  }
  return false;
}

/** Where the string that begins there ends: at the next quote with an even number of backslashes before it. */
function endOfString(body: string, start: number): number {
  for (let end = body.indexOf('"', start + 1); end >= 0; end = body.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (body[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return body.length;
}
