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
  #found: readonly Secret[] | undefined;

  /** @param proxies what the proxies of the environment are given; asked once */
  constructor(auth: Credentials | undefined, proxies: () => readonly Credentials[] = () => []) {
    this.#auth = auth;
    this.#proxies = proxies;
  }

  /** The text without the credentials of the client and of one request. */
  mask(text: string, { authorization, secret }: OwnSecrets = {}): string {
    if (text === '') return text;
    this.#found ??= [...(this.#auth === undefined ? [] : [this.#auth]), ...this.#proxies()].flatMap(
      ofCredentials,
    );
    const own = [
      ...(secret === undefined ? [] : ofPassword(secret)),
      ...(authorization === undefined ? [] : ofHeader(authorization)),
    ];
    return [...this.#found, ...own].reduce((rest, each) => each.hideIn(rest), text);
  }
}

/** What is looked for. By hand, not by one regular expression: that of a long secret would take seconds to compile. */
class Secret {
  readonly #signs: readonly Spellings[];
  readonly #start: RegExp;
  readonly #endOf: (text: string, start: number, end: number) => number;

  /**
   * @param signs each as any of these
   * @param endOf where it ends that was found there; -1: it is none after all
   */
  constructor(
    signs: readonly string[],
    endOf: (text: string, start: number, end: number) => number = (_text, _start, end) => end,
  ) {
    this.#signs = signs.map(spellingsOf);
    const units = [...(this.#signs[0]?.keys() ?? [])].map((unit) => `\\u${hex(unit.charCodeAt(0), 4)}`);
    this.#start = new RegExp(`[${units.join('')}]`, 'g');
    this.#endOf = endOf;
  }

  hideIn(text: string): string {
    let told = '';
    let from = 0;
    this.#start.lastIndex = 0;
    while (this.#start.test(text)) {
      const start = this.#start.lastIndex - 1;
      const found = this.#find(text, start);
      const end = found < 0 ? -1 : this.#endOf(text, start, found);
      if (end < 0) continue;
      told += text.slice(from, start) + hidden;
      this.#start.lastIndex = from = end;
    }
    return from === 0 ? text : told + text.slice(from);
  }

  /** Where it ends that begins here; -1 if it does not. One spelling may begin as another: all are followed. */
  #find(text: string, start: number): number {
    let ends: readonly number[] = [start];
    for (const sign of this.#signs) {
      ends = endsOf(text, ends, sign);
      if (ends.length === 0) return -1;
    }
    return Math.max(...ends);
  }
}

function endsOf(text: string, starts: readonly number[], sign: Spellings): readonly number[] {
  const ends: number[] = [];
  for (const at of starts)
    for (const form of sign.get(text.charAt(at)) ?? []) {
      const end = at + form.length;
      if (text.startsWith(form, at) && !ends.includes(end)) ends.push(end);
    }
  return ends;
}

/** With all that can belong to it. */
function toTheLast(text: string, _start: number, found: number): number {
  let end = found;
  for (;;) {
    while (/[\w.~+/=-]/.test(text[end] ?? '')) end += 1;
    const [longer] = endsOf(text, [end], filling);
    if (longer === undefined) return end;
    end = longer;
  }
}

/** Only where it stands for itself, behind the word. */
const behindTheWord = (text: string, start: number, end: number): number =>
  /password\W{1,12}$/iu.test(text.slice(Math.max(0, start - 20), start)) &&
  !/^\w/u.test(text.slice(end, end + 1))
    ? end
    : -1;

function ofCredentials({ username, password }: Credentials): Secret[] {
  const pair = `${username}:${password}`;
  return [...inBase64(pair), asItIs(pair), ...ofPassword(password)];
}

function ofPassword(password: string): Secret[] {
  if (password === '') return [];
  if (password.length >= shortest) return [asItIs(password), ...inBase64(password)];
  return [new Secret(Array.from(password), behindTheWord)];
}

/** Of `Basic dXNlcg==` that which comes last, and what it holds. */
function ofHeader(authorization: string): Secret[] {
  const token = authorization.split(' ').at(-1) ?? '';
  if (token.length < shortest) return [];
  const [, username, password] = /^([^:]*):(.*)$/s.exec(decoded(token)) ?? [];
  const held = username === undefined || password === undefined ? [] : ofCredentials({ username, password });
  return [asItIs(token), beginningAs(token), ...held];
}

const asItIs = (secret: string): Secret => new Secret(Array.from(secret));

/** At each of the three places at which it may stand in what was encoded: base64 takes three bytes at a time. */
const inBase64 = (secret: string): Secret[] =>
  [0, 1, 2]
    .map((n) => unpadded('\0'.repeat(n) + secret).slice(n && n + 1))
    .filter(({ length }, n) => n === 0 || length > enough)
    .map(beginningAs);

/** In base64 for URLs two signs are others. */
const beginningAs = (token: string): Secret =>
  new Secret(
    Array.from(token.slice(0, enough), (sign) => (sign === '+' ? '+-' : sign === '/' ? '/_' : sign)),
    toTheLast,
  );

/** How a sign may be written, by what that begins with. */
type Spellings = ReadonlyMap<string, readonly string[]>;

/** Each of these signs as any of the usual encodings writes it. */
function spellingsOf(signs: string): Spellings {
  const known = spellings.get(signs);
  if (known !== undefined) return known;
  const found = new Map<string, string[]>();
  for (const form of Array.from(signs).flatMap(formsOf)) {
    const unit = form.charAt(0);
    const others = found.get(unit);
    if (others === undefined) found.set(unit, [form]);
    else others.push(form);
  }
  spellings.set(signs, found);
  return found;
}

const spellings = new Map<string, Spellings>();

function formsOf(char: string): string[] {
  const code = char.codePointAt(0) ?? 0;
  const units = Array.from({ length: char.length }, (_, i) => `u${hex(char.charCodeAt(i), 4)}`);
  const names = [`#${code}`, `#0${code}`, `#x${code.toString(16)}`, entities[char] ?? []].flat();
  const html = ['', 'amp;', 'amp;amp;'].flatMap((more) => names.map((name) => `&${more}${name};`));
  const letter = escapes[char] ?? [];
  const escaped = slashes.flatMap((before) => [
    units.map((unit) => before + unit).join(''),
    ...[/\w/.test(char) ? [] : [char, ...html], letter].flat().map((form) => before + form),
  ]);
  const forms = [char, ...html, ...escaped];
  const all = [
    ...forms,
    ...['', '25', '2525'].flatMap((more) => [bytesOf(char, more), ...forms.map((form) => inUrl(form, more))]),
  ];
  const upper = all.map((form) => form.replace(/[0-9a-f]{2,}/g, (digits) => digits.toUpperCase()));
  return [...new Set([...(char === ' ' ? ['+'] : []), ...all, ...upper])];
}

/** Each backslash doubles whenever JSON is put into JSON. */
const slashes = [1, 2, 3, 4].map((n) => '\\'.repeat(n));

/** @param more `25` for each time that it is put into another */
const inUrl = (form: string, more: string): string =>
  form.replace(/[^\w.~-]/gu, (sign) => bytesOf(sign, more));

const bytesOf = (sign: string, more: string): string =>
  Array.from(new TextEncoder().encode(sign), (byte) => `%${more}${hex(byte, 2)}`).join('');

const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, '0');
/** Short forms of JSON. */
const escapes: Readonly<Record<string, string>> = { '\n': 'n', '\r': 'r', '\t': 't', '\b': 'b', '\f': 'f' };
const entities: Readonly<Record<string, string>> = {
  '&': 'amp',
  '<': 'lt',
  '>': 'gt',
  '"': 'quot',
  "'": 'apos',
};
/** What fills a token up, or stands in it, beside letters. */
const filling = spellingsOf('+/=');

/** Without what only fills it up. */
const unpadded = (text: string): string => base64(text).replace(/=+$/, '');

function decoded(token: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(
      Uint8Array.from(atob(token), (char) => char.charCodeAt(0)),
    );
  } catch {
    return '';
  }
}
