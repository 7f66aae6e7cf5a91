import * as fc from 'fast-check';

/*
 * What a user could hand to the client, by accident or by malice. Each arbitrary leans towards what something on the
 * way to etcd and back (a URL, a form, JSON, Go's path.Clean, an object's prototype) could take for its own.
 */

/** Text with a meaning to somebody. */
const loaded = [
  ...['%', '%2F', '%2f..', '%00', '%zz', '%25', ';', '+', '&', '=', '?', '#', ':', '@', '*', '\\', '"', "'"],
  ...['<', '>', '<b>&amp;</b>', '|', '^', '`', '{', '}', '[', ']', '$', '!', '(', ')', ',', '~', '-', ' '],
  ...[
    '\0',
    '\n',
    '\r\n',
    '\t',
    '\x01',
    '\x1b[2J',
    '\x7f',
    '\x80',
    '\x85',
    '\xa0',
    '\xff',
    '\u2028',
    '\u2029',
  ],
  ...[
    '\ufeff',
    '\ufffd',
    '\ufffe',
    '\uffff',
    '\u200d',
    '\u202e',
    'é',
    'e\u0301',
    'ſ',
    'ß',
    'İ',
    '東',
    '🦊',
    '\u{10ffff}',
  ],
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '_hidden',
    '_',
    '_rxetcd',
    '_security',
  ],
  ...[
    '.',
    '..',
    '...',
    '.a',
    'null',
    'undefined',
    'true',
    '0',
    '-0',
    'NaN',
    'v2',
    'keys',
    'a',
    'A',
    'a b',
    'value',
  ],
];

/** Whether UTF-8 carries the text unchanged: no half of a surrogate pair stands alone. */
export const isUnicode = (text: string): boolean => Buffer.from(text, 'utf8').toString('utf8') === text;

/** UTF-16 at its worst: lone surrogates among it. */
export const brokenText: fc.Arbitrary<string> = fc
  .tuple(fc.string({ maxLength: 4 }), fc.integer({ min: 0xd800, max: 0xdfff }), fc.string({ maxLength: 4 }))
  .map(([before, unit, after]) => before + String.fromCharCode(unit) + after)
  .filter((text) => !isUnicode(text));

/** Well-formed text of every plane, short. */
export const text: fc.Arbitrary<string> = fc
  .oneof(
    { weight: 3, arbitrary: fc.constantFrom(...loaded) },
    {
      weight: 3,
      arbitrary: fc.array(fc.constantFrom(...loaded), { maxLength: 4 }).map((parts) => parts.join('')),
    },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
    { weight: 2, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 12 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
  )
  .filter(isUnicode);

/** What may stand between two slashes. */
export const segment: fc.Arbitrary<string> = text
  .map((part) => part.replaceAll('/', ''))
  .filter((part) => part !== '' && part !== '.' && part !== '..');

/** A name that can be read in a failure. */
export const visibleSegment: fc.Arbitrary<string> = segment.filter((part) => !part.startsWith('_'));

/** One to four segments, without a slash at either end. */
export const path: fc.Arbitrary<string> = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'));

/** Keys of any kind as text: good ones, those with too many slashes or with dots, broken and very long ones. */
export const anyKey: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(slashes(), path, slashes()).map((parts) => parts.join('')) },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.oneof(text, fc.constantFrom('', '.', '..')), { maxLength: 4 })
      .map((p) => p.join('/')),
  },
  { weight: 1, arbitrary: brokenText },
  {
    weight: 1,
    arbitrary: fc.tuple(segment, fc.integer({ min: 4_200, max: 9_000 })).map(([s, n]) => `/${s.repeat(n)}`),
  },
);

function slashes(): fc.Arbitrary<string> {
  return fc.constantFrom('', '/', '/', '//');
}

class Dressed {
  value = '/k';
  toString(): string {
    return this.value;
  }
}

/** Whatever JavaScript has besides strings. */
export const notText: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    true,
    false,
    0,
    -0,
    1,
    -1,
    1.5,
    NaN,
    Infinity,
    -Infinity,
    2 ** 53,
    1e21,
  ),
  fc
    .constantFrom<() => unknown>(
      () => ({}),
      () => [],
      () => ['/k'],
      () => new Array<unknown>(2),
      () => Object.create(null) as unknown,
      () => new Dressed(),
      () => new String('/k'),
      () => new Date(0),
      () => /k/,
      () => new Map([['a', 1]]),
      () => new URL('http://a'),
      () => Buffer.from('/k'),
      () => () => '/k',
      () => Symbol('/k'),
      () => Promise.resolve('/k'),
      () => ({
        toString: () => {
          throw new Error('no text');
        },
        toJSON: () => {
          throw new Error('no JSON');
        },
      }),
      () => JSON.parse('{"__proto__":{"a":1},"constructor":2}') as unknown,
    )
    .map((make) => make()),
  fc.double(),
  fc.bigInt(),
  fc.array(fc.string({ maxLength: 3 }), { maxLength: 3 }),
  fc.dictionary(fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 }), { maxKeys: 3 }),
);

/** Anything at all. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(notText, text, brokenText);

/** Anything that `fits` refuses, undefined aside: as an option that is left out. */
export const misfit = (fits: (v: unknown) => boolean): fc.Arbitrary<unknown> =>
  anything.filter((v) => v !== undefined && !fits(v));

/** Values from nothing up to some KiB. */
export const value: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: text },
  { weight: 1, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.json({ maxDepth: 2 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 500, maxLength: 3_000 }).filter(isUnicode) },
);

/** A value of 1 to 3 MiB: every character repeated, so that failures can still be shown. */
export const bigValue: fc.Arbitrary<{ unit: string; times: number }> = fc
  .tuple(segment, fc.integer({ min: 1, max: 3 }))
  .map(([unit, mib]) => ({ unit, times: Math.ceil((mib * 1024 * 1024) / Buffer.byteLength(unit)) }));

/** What an option takes, and what it does not. */
export interface Kind {
  readonly fits: (v: unknown) => boolean;
  readonly good: fc.Arbitrary<unknown>;
}

const isWhole = (v: unknown, least: number, most: number): boolean =>
  typeof v === 'number' && Number.isInteger(v) && v >= least && v <= most;

/** The kinds of options. Limits are kept long, lest a good call ends by its own limit. */
export const kinds = {
  flag: { fits: (v) => typeof v === 'boolean', good: fc.boolean() },
  time: {
    fits: (v) => typeof v === 'number' && v > 0 && v <= 2 ** 31 - 1,
    good: fc.oneof(fc.integer({ min: 5_000, max: 2 ** 31 - 1 }), fc.constantFrom(5_000.5, 2 ** 31 - 1)),
  },
  count: {
    fits: (v) => v === Infinity || isWhole(v, 0, Number.MAX_SAFE_INTEGER),
    good: fc.oneof(fc.constantFrom(0, -0, Infinity, Number.MAX_SAFE_INTEGER), fc.nat()),
  },
  index: {
    fits: (v) => isWhole(v, 1, Number.MAX_SAFE_INTEGER),
    good: fc.oneof(fc.constantFrom(1, Number.MAX_SAFE_INTEGER), fc.integer({ min: 1 })),
  },
  ttl: { fits: (v) => isWhole(v, 0, 6_000_000_000), good: fc.integer({ min: 10, max: 1_000_000_000 }) },
  text: { fits: (v) => typeof v === 'string' && isUnicode(v), good: text },
  comparable: {
    fits: (v) => typeof v === 'string' && v !== '' && isUnicode(v),
    good: text.filter((v) => v !== ''),
  },
  predicate: { fits: (v) => typeof v === 'function', good: fc.constant(() => true) },
} satisfies Record<string, Kind>;

export const oneOf = (...values: string[]): Kind => ({
  fits: (v) => values.includes(v as string),
  good: fc.constantFrom(...values),
});

/** An options object, and whether the client is to take it. */
export interface Options {
  readonly options: unknown;
  readonly good: boolean;
}

/**
 * Options of these kinds: some left out, some undefined, now and then one that does not fit, one that nobody knows, or
 * no object at all.
 */
export function optionsOf(known: Record<string, Kind | Record<string, Kind>>): fc.Arbitrary<Options> {
  const entries = Object.entries(known).map(([name, kind]) => entryOf(name, kind));
  const unknown = fc
    .tuple(text, anything)
    .filter(([name]) => !Object.hasOwn(known, name))
    .map(([name, v]): Entry => ({ name, v, good: false }));
  const rare = fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: unknown });
  const object = fc.tuple(rare, fc.boolean(), ...entries).map(([stranger, bare, ...given]): Options => {
    const all = [...given, stranger].filter((entry) => entry !== undefined);
    const options = Object.create(bare ? null : Object.prototype) as object;
    for (const { name, v } of all)
      Object.defineProperty(options, name, {
        value: v,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    return { options, good: all.every(({ good }) => good) };
  });
  const noObject = fc
    .oneof(fc.constantFrom<unknown>(null, 5, 'text', true), notText)
    .filter((v) => v !== undefined && Object.prototype.toString.call(v) !== '[object Object]')
    .map((options): Options => ({ options, good: false }));
  return fc.oneof({ weight: 12, arbitrary: object }, { weight: 1, arbitrary: noObject });
}

interface Entry {
  readonly name: string;
  readonly v: unknown;
  readonly good: boolean;
}

function entryOf(name: string, kind: Kind | Record<string, Kind>): fc.Arbitrary<Entry | undefined> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constant({ name, v: undefined, good: true }) },
    isKind(kind)
      ? { weight: 4, arbitrary: kind.good.map((v) => ({ name, v, good: true })) }
      : { weight: 4, arbitrary: optionsOf(kind).map(({ options, good }) => ({ name, v: options, good })) },
    ...(isKind(kind)
      ? [{ weight: 1, arbitrary: misfit((v) => kind.fits(v)).map((v) => ({ name, v, good: false })) }]
      : []),
  );
}

const isKind = (kind: Kind | Record<string, Kind>): kind is Kind => 'fits' in kind;

/** What every call takes. */
export const callKinds = {
  timeout: kinds.time,
  deadline: kinds.time,
  retry: {
    max: kinds.count,
    initialDelay: kinds.time,
    maxDelay: kinds.time,
    writes: oneOf('unsent', 'idempotent'),
  },
} satisfies Record<string, Kind | Record<string, Kind>>;
