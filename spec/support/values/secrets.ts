import { inspect } from 'node:util';

/**
 * All that can be read off a value, in whatever way somebody may show it: every property of it and of what it holds
 * (hidden ones, symbols and getters as well), and its text in all forms.
 */
export function everythingIn(value: unknown): string {
  const texts: string[] = [];
  const seen = new Set<unknown>();
  const visit = (part: unknown, depth: number): void => {
    if (part instanceof Uint8Array) texts.push(Buffer.from(part).toString('latin1'));
    if ((typeof part !== 'object' && typeof part !== 'function') || part === null) {
      texts.push(String(part));
      return;
    }
    if (seen.has(part) || depth > 10) return;
    seen.add(part);
    // What is plain shows with what holds it.
    if (depth === 0 || !isPlain(part)) {
      texts.push(
        attempt(() => textOf(part)),
        attempt(() => JSON.stringify(part)),
        inspect(part, { depth: 10, showHidden: true, maxStringLength: null, maxArrayLength: null }),
      );
    }
    for (const name of Reflect.ownKeys(part)) {
      texts.push(String(name));
      visit(
        attempt(() => Reflect.get(part, name) as unknown),
        depth + 1,
      );
    }
    if (part instanceof Map || part instanceof Set) for (const item of part) visit(item, depth + 1);
  };
  visit(value, 0);
  return texts.join('\n');
}

/** As in a message that it is put into. */
function textOf(value: unknown): string {
  return String(value);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype;
}

function attempt<T>(read: () => T): T | string {
  try {
    return read() ?? '';
  } catch (error) {
    return String(error);
  }
}
