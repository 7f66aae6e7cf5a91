import { base64 } from '../util/base64.js';

/** A name and what proves it. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** What one request holds besides the client's own. */
export interface OwnSecrets {
  /** The value of its Authorization header. */
  readonly authorization?: string | undefined;
  /** A password that it sets. */
  readonly secret?: string | undefined;
  /** It is all about passwords: no body of its answer is kept. */
  readonly keepsNoBody?: boolean;
}

/** A shorter password stands in any text by chance: it is hidden only behind a user's name, or the word `password`. */
const shortest = 4;
/** So much of a secret in base64 is enough: the rest of it may be cut off. */
const enough = 8;
const hidden = '***';

/**
 * Hides the client's credentials in what a server said, which may be the request itself: as they are, in base64 of any kind (cut
 * short, too), and as JSON, URLs, forms and HTML spell them. Asked only of what is told: an answer that is passed on stays as it is.
 */
export class Secrets {
  readonly #auth: Credentials | undefined;
  readonly #proxies: () => readonly Credentials[];
  #patterns: readonly RegExp[] | undefined;

  /** @param proxies what the proxies of the environment are given; asked once */
  constructor(auth: Credentials | undefined, proxies: () => readonly Credentials[] = () => []) {
    this.#auth = auth;
    this.#proxies = proxies;
  }

  /** The text without the credentials of the client and of one request. */
  mask(text: string, { authorization, secret }: OwnSecrets = {}): string {
    if (text === '') return text;
    this.#patterns ??= [...(this.#auth === undefined ? [] : [this.#auth]), ...this.#proxies()].flatMap(
      ofCredentials,
    );
    const own = [
      ...(secret === undefined ? [] : ofPassword(secret)),
      ...(authorization === undefined ? [] : ofHeader(authorization)),
    ];
    return [...this.#patterns, ...own].reduce((rest, pattern) => rest.replace(pattern, hidden), text);
  }
}

function ofCredentials({ username, password }: Credentials): RegExp[] {
  const pair = `${username}:${password}`;
  return [inBase64(pair), pattern(pair), ...ofPassword(password)];
}

function ofPassword(password: string): RegExp[] {
  if (password === '') return [];
  if (password.length >= shortest) return [pattern(password), inBase64(password)];
  return [new RegExp(`(?<=password\\W{1,12})${spelt(password)}(?!\\w)`, 'giu')];
}

/** Of `Basic dXNlcg==` that which comes last, and what it holds. */
function ofHeader(authorization: string): RegExp[] {
  const token = authorization.split(' ').at(-1) ?? '';
  if (token.length < shortest) return [];
  const [, username, password] = /^([^:]*):(.*)$/s.exec(decoded(token)) ?? [];
  const held = username === undefined || password === undefined ? [] : ofCredentials({ username, password });
  return [pattern(token), beginningAs([token]), ...held];
}

const pattern = (secret: string): RegExp => new RegExp(spelt(secret), 'giu');

/** At each of the three places at which it may stand in what was encoded: base64 takes three bytes at a time. */
function inBase64(secret: string): RegExp {
  const [own = '', ...shifted] = [0, 1, 2].map((n) => unpadded('\0'.repeat(n) + secret).slice(n && n + 1));
  return beginningAs([own, ...shifted.filter(({ length }) => length > enough)]);
}

/** What begins as one of these, with all that can belong to it. */
function beginningAs(tokens: readonly string[]): RegExp {
  const heads = tokens.map((token) => Array.from(token.slice(0, enough), anySign).join(''));
  return new RegExp(`(?:${heads.join('|')})(?:[\\w.~-]|${['+', '/', '='].map(sign).join('|')})*`, 'giu');
}

/** In base64 for URLs two signs are others. */
const anySign = (char: string): string =>
  char === '+' ? `(?:${sign(char)}|-)` : char === '/' ? `(?:${sign(char)}|_)` : sign(char);

/** Each sign as any of the usual encodings writes it. */
const spelt = (secret: string): string => (secret.match(/\\+|./gsu) ?? []).map(sign).join('');

function sign(char: string): string {
  // Each backslash doubles whenever JSON is put into JSON; one count for a run of them, or all ways to share it are tried.
  if (char.startsWith('\\')) {
    const { length } = char;
    return `(?:\\\\{${length},${4 * length}}|(?:%(?:25){0,2}5c|&(?:amp;)?#(?:92|x5c);){${length}})`;
  }
  const bytes = Array.from(new TextEncoder().encode(char), (byte) => `%(?:25){0,2}${hex(byte, 2)}`).join('');
  const units = Array.from({ length: char.length }, (_, i) => `\\\\{1,4}u${hex(char.charCodeAt(i), 4)}`).join(
    '',
  );
  const code = char.codePointAt(0) ?? 0;
  const names = entities[char] ?? '';
  const entity = `&(?:amp;){0,2}(?:#0{0,4}${code}|#x0{0,4}${code.toString(16)}${names});`;
  const plain = `\\\\{0,4}(?:${literal(char)}${char === ' ' ? '|\\+' : ''}${escapes[char] ?? ''})`;
  return `(?:${plain}|${bytes}|${units}|${entity})`;
}

const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, '0');
const literal = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|/]/u, '\\$&');
/** Short forms of JSON. */
const escapes: Readonly<Record<string, string>> = {
  '\n': '|n',
  '\r': '|r',
  '\t': '|t',
  '\b': '|b',
  '\f': '|f',
};
const entities: Readonly<Record<string, string>> = {
  '&': '|amp',
  '<': '|lt',
  '>': '|gt',
  '"': '|quot',
  "'": '|apos',
};

/** Without what only fills it up. */
const unpadded = (text: string): string => base64(text).replace(/=+$/, '');

function decoded(token: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(token), (char) => char.charCodeAt(0)));
  } catch {
    return '';
  }
}
