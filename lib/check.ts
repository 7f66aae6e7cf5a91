import { InvalidOptionError } from './errors.js';

/** Says what was expected when a value will not do, else nothing. */
export interface Check {
  (value: unknown): string | undefined;
  /** The value must not be shown. */
  secret?: boolean;
}

/** The same check, of a value that must not be shown. */
export const secret = (test: Check): Check => Object.assign((v: unknown) => test(v), { secret: true });

/** The largest delay that a JavaScript timer keeps, in milliseconds (about 24.8 days). */
export const maxTimer = 2_147_483_647;

/** Names of options, misspelt or unknown, whose values are not shown. */
export const secretName = /pass|phrase|pwd|^pw|^pin|secret|token|key|auth|cert|cred|login|user/i;

/** True for an object that holds named values: no array, no URL, no Date. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  Object.prototype.toString.call(value) === '[object Object]';

/** The checks that options and arguments share. */
export const check = {
  boolean: (v: unknown) => (typeof v === 'boolean' ? undefined : 'a boolean'),
  milliseconds: (v: unknown) =>
    typeof v === 'number' && v > 0 && v <= maxTimer
      ? undefined
      : `a number of milliseconds above 0 and at most ${maxTimer}`,
  count: (v: unknown) =>
    v === Infinity || (Number.isSafeInteger(v) && (v as number) >= 0)
      ? undefined
      : 'an integer of 0 or more, or Infinity',
  index: (v: unknown) =>
    Number.isSafeInteger(v) && (v as number) > 0 ? undefined : 'an index: an integer of 1 or more',
  /** Seconds; etcd counts nanoseconds since 1970 in 64 bits, to the year 2262, and silently sets no TTL beyond. */
  ttl: (v: unknown) =>
    Number.isSafeInteger(v) && (v as number) >= 0 && (v as number) <= 6_000_000_000
      ? undefined
      : 'a TTL: an integer of 0 to 6000000000 seconds',
  string: (v: unknown) =>
    typeof v !== 'string' ? 'a string' : isWellFormed(v) ? undefined : 'a string without lone surrogates',
  fn: (v: unknown) => (typeof v === 'function' ? undefined : 'a function'),
  oneOf:
    (...values: string[]): Check =>
    (v) =>
      values.includes(v as string) ? undefined : values.map((x) => `'${x}'`).join(' or '),
  object: (v: unknown) => (isRecord(v) ? undefined : 'an object'),
};

/** A string that UTF-8 can carry: no half of a surrogate pair stands alone. */
export function isWellFormed(text: string): boolean {
  return !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);
}

/** Throws {@link InvalidOptionError} unless the value passes. */
export function demand(name: string, value: unknown, test: Check): void {
  const expected = test(value);
  if (expected !== undefined)
    // Whoever passes one object instead of several arguments passes the password in it.
    throw new InvalidOptionError(name, value, expected, { secret: test.secret ?? holdsSomething(value) });
}

/** What is known of options: one list of names for each that shares them, never the two made one for each call. */
type Checks = Readonly<Record<string, Check>>;
const none: Checks = {};

/**
 * Checks an options object: each name must be known and each given value must pass.
 *
 * @param path where the options stand, as `retry.`; empty at the top
 * @param more checks besides
 */
export function checkOptions(path: string, options: unknown, checks: Checks, more: Checks = none): void {
  if (options === undefined) return;
  if (!isRecord(options))
    throw new InvalidOptionError(path === '' ? 'options' : path.slice(0, -1), options, 'an object', {
      secret: typeof options === 'object' && options !== null,
    });
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(checks, name) && !Object.hasOwn(more, name))
      throw unknownOption(path, name, options[name], { ...checks, ...more });
  }
  checkEach(path, options, checks);
  checkEach(path, options, more);
}

/** What is inherited is read as well, so it is checked as well. */
function checkEach(path: string, options: Record<string, unknown>, checks: Checks): void {
  for (const name in checks) {
    const value = options[name];
    const test = checks[name];
    if (value !== undefined && test !== undefined) demand(`${path}${name}`, value, test);
  }
}

function unknownOption(path: string, name: string, value: unknown, checks: Checks): InvalidOptionError {
  const known = Object.keys(checks).join(', ');
  return new InvalidOptionError(`${path}${name}`, value, `one of the options ${known}`, {
    // Nobody knows what it is: its name says enough, but for what can be no secret.
    secret: !isHarmless(value) || /^(auth|tls|changes)\./.test(path) || secretName.test(name),
  });
}

const isHarmless = (value: unknown): boolean =>
  value === undefined || value === null || typeof value === 'boolean' || typeof value === 'number';

const holdsSomething = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0;
