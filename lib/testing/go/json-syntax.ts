/** What was opened and is not closed yet: an object that waits for a name or for a value, or an array. */
type Open = 'name' | 'value' | 'array';
/** What may come next: takes one byte and tells what may come after it; throws `JsonSyntaxError`. */
type State = (byte: string) => State;

/** Brackets within each other. */
const maxDepth = 10_000;

class JsonSyntaxError extends Error {
  constructor(byte: string, where: string) {
    super(`invalid character ${quoted(byte)} ${where}`);
  }
}

/** What Go's `json.Unmarshal` finds wrong with a text, in its words; undefined if it is JSON. @param bytes one character each */
export function jsonSyntaxError(bytes: string): string | undefined {
  const scanner = new Scanner();
  try {
    // Go looks for the end of a number or a literal by a space behind all.
    for (const byte of bytes) scanner.take(byte);
    if (!scanner.complete) scanner.take(' ');
    return scanner.complete ? undefined : 'unexpected end of JSON input';
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error.message;
    throw error;
  }
}

/** Go's own automaton, so that of several faults it finds the same one. */
class Scanner {
  readonly #open: Open[] = [];
  #state: State;
  complete = false;

  constructor() {
    this.#state = this.#value;
  }

  take(byte: string): void {
    this.#state = this.#state(byte);
  }

  #push(byte: string, open: Open, next: State): State {
    if (this.#open.push(open) > maxDepth) throw new JsonSyntaxError(byte, 'exceeded max depth');
    return next;
  }

  readonly #value: State = (byte) => {
    if (isSpace(byte)) return this.#value;
    if (byte === '{') return this.#push(byte, 'name', this.#nameOrEnd);
    if (byte === '[') return this.#push(byte, 'array', this.#valueOrEnd);
    if (byte === '"') return this.#string;
    if (byte === '-') return this.#sign;
    if (byte === '0') return this.#wholeDone;
    if (isDigit(byte)) return this.#whole;
    const literal = ['true', 'false', 'null'].find((word) => word.startsWith(byte));
    if (literal !== undefined) return this.#literal(literal, 1);
    throw new JsonSyntaxError(byte, 'looking for beginning of value');
  };

  readonly #valueOrEnd: State = (byte) => {
    if (isSpace(byte)) return this.#valueOrEnd;
    return byte === ']' ? this.#done(byte) : this.#value(byte);
  };

  readonly #name: State = (byte) => {
    if (isSpace(byte)) return this.#name;
    if (byte === '"') return this.#string;
    throw new JsonSyntaxError(byte, 'looking for beginning of object key string');
  };

  readonly #nameOrEnd: State = (byte) => {
    if (isSpace(byte)) return this.#nameOrEnd;
    if (byte !== '}') return this.#name(byte);
    this.#expect('value');
    return this.#done(byte);
  };

  /** A name or a value has ended. */
  readonly #done: State = (byte) => {
    const open = this.#open.at(-1);
    if (open === undefined) {
      this.complete = true;
      return this.#nothing(byte);
    }
    if (isSpace(byte)) return this.#done;
    if (open === 'name') {
      if (byte !== ':') throw new JsonSyntaxError(byte, 'after object key');
      this.#expect('value');
      return this.#value;
    }
    if (byte === ',') {
      if (open === 'value') this.#expect('name');
      return open === 'value' ? this.#name : this.#value;
    }
    if (byte === (open === 'value' ? '}' : ']')) return this.#close();
    throw new JsonSyntaxError(byte, `after ${open === 'value' ? 'object key:value pair' : 'array element'}`);
  };

  #expect(next: Open): void {
    this.#open[this.#open.length - 1] = next;
  }

  #close(): State {
    this.#open.pop();
    if (this.#open.length > 0) return this.#done;
    this.complete = true;
    return this.#nothing;
  }

  readonly #nothing: State = (byte) => {
    if (isSpace(byte)) return this.#nothing;
    throw new JsonSyntaxError(byte, 'after top-level value');
  };

  readonly #string: State = (byte) => {
    if (byte === '"') return this.#done;
    if (byte === '\\') return this.#escape;
    if (byte < ' ') throw new JsonSyntaxError(byte, 'in string literal');
    return this.#string;
  };

  readonly #escape: State = (byte) => {
    if (byte === 'u') return this.#hexadecimal(4);
    if ('bfnrt\\/"'.includes(byte)) return this.#string;
    throw new JsonSyntaxError(byte, 'in string escape code');
  };

  readonly #hexadecimal =
    (left: number): State =>
    (byte) => {
      if (!/[\da-f]/i.test(byte)) throw new JsonSyntaxError(byte, 'in \\u hexadecimal character escape');
      return left === 1 ? this.#string : this.#hexadecimal(left - 1);
    };

  readonly #literal =
    (word: string, at: number): State =>
    (byte) => {
      if (byte !== word[at])
        throw new JsonSyntaxError(byte, `in literal ${word} (expecting '${word[at] ?? ''}')`);
      return at === word.length - 1 ? this.#done : this.#literal(word, at + 1);
    };

  readonly #sign: State = (byte) => {
    if (byte === '0') return this.#wholeDone;
    if (isDigit(byte)) return this.#whole;
    throw new JsonSyntaxError(byte, 'in numeric literal');
  };

  readonly #whole: State = (byte) => (isDigit(byte) ? this.#whole : this.#wholeDone(byte));

  readonly #wholeDone: State = (byte) => (byte === '.' ? this.#point : this.#decimalsDone(byte));

  readonly #point: State = (byte) => {
    if (isDigit(byte)) return this.#decimals;
    throw new JsonSyntaxError(byte, 'after decimal point in numeric literal');
  };

  readonly #decimals: State = (byte) => (isDigit(byte) ? this.#decimals : this.#decimalsDone(byte));

  readonly #decimalsDone: State = (byte) =>
    byte === 'e' || byte === 'E' ? this.#exponentSign : this.#done(byte);

  readonly #exponentSign: State = (byte) =>
    byte === '+' || byte === '-' ? this.#exponentStart : this.#exponentStart(byte);

  readonly #exponentStart: State = (byte) => {
    if (isDigit(byte)) return this.#exponent;
    throw new JsonSyntaxError(byte, 'in exponent of numeric literal');
  };

  readonly #exponent: State = (byte) => (isDigit(byte) ? this.#exponent : this.#done(byte));
}

const isSpace = (byte: string): boolean => byte === ' ' || byte === '\t' || byte === '\r' || byte === '\n';
const isDigit = (byte: string): boolean => byte >= '0' && byte <= '9';

const escapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  "'": "\\'",
  '\\': '\\\\',
};

/** A byte as Go quotes it: as the character of that number. */
function quoted(byte: string): string {
  const number = byte.charCodeAt(0).toString(16);
  const printable = /[ -~\xa1-\xac\xae-\xff]/.test(byte) ? byte : undefined;
  const bare = number.length === 2 && number >= '80' ? `\\u00${number}` : `\\x${number.padStart(2, '0')}`;
  return `'${escapes[byte] ?? printable ?? bare}'`;
}
