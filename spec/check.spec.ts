import { check, checkOptions, demand, isRecord, isWellFormed } from '../lib/check.js';
import { InvalidOptionError } from '../lib/errors.js';

/** What a call threw; fails if it threw nothing. */
function thrownBy(call: () => unknown): InvalidOptionError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOptionError);
    return error as InvalidOptionError;
  }
  throw new Error('nothing was thrown');
}

const high = '\uD83D';
const low = '\uDE00';

describe('check', () => {
  const timerLimit = 2_147_483_647;
  test.each<[keyof typeof check, unknown[], unknown[]]>([
    ['boolean', [true, false], [0, 1, 'true', null, undefined, {}]],
    [
      'milliseconds',
      [1, 0.5, timerLimit],
      [0, -1, NaN, Infinity, -Infinity, timerLimit + 1, '1', null, undefined, 1n, [1], {}],
    ],
    ['count', [0, 1, Infinity], [-1, 0.5, NaN, -Infinity, 2 ** 53, '1', null, undefined]],
    ['index', [1, 2 ** 53 - 1], [0, -1, 0.5, NaN, Infinity, 2 ** 53, '1', null, undefined]],
    ['ttl', [0, 1, 6_000_000_000], [-1, 0.5, NaN, Infinity, 6_000_000_001, '1', null, undefined]],
    ['string', ['', 'a', `${high}${low}`], [1, null, undefined, {}, high, low, `a${low}${high}b`]],
    ['fn', [() => undefined, Date], ['f', {}, null, undefined]],
    ['object', [{}, Object.create(null)], [[], null, undefined, 'x', () => undefined]],
  ])('%s', (name, good, bad) => {
    const test_ = check[name] as (value: unknown) => string | undefined;
    for (const value of good) expect([value, test_(value)]).toEqual([value, undefined]);
    for (const value of bad) expect([value, test_(value)]).toEqual([value, expect.any(String)]);
  });

  test('oneOf says what there is to choose from', () => {
    const test_ = check.oneOf('a', 'b');
    expect([test_('a'), test_('b')]).toEqual([undefined, undefined]);
    for (const bad of ['c', '', undefined, null, ['a']]) expect(test_(bad)).toBe("'a' or 'b'");
  });
});

test.each([
  ['', true],
  ['plain', true],
  [`${high}${low}`, true],
  [`${high}${low}${high}${low}`, true],
  [high, false],
  [low, false],
  [`${low}${high}`, false],
  [`${high}${high}${low}`, false],
  [`${high}${low}${low}`, false],
  [`a${high}`, false],
])('isWellFormed(%j)', (text, expected) => {
  expect(isWellFormed(text)).toBe(expected);
  // What it is for: such text can be encoded.
  if (expected) expect(() => encodeURIComponent(text)).not.toThrow();
  else expect(() => encodeURIComponent(text)).toThrow(URIError);
});

test('isRecord', () => {
  expect([{}, { a: 1 }, Object.create(null)].map(isRecord)).toEqual([true, true, true]);
  expect([null, undefined, [], 'x', 1, () => 1].map(isRecord)).toEqual(Array(6).fill(false));
});

describe('demand', () => {
  test('lets a good value pass and names a bad one', () => {
    expect(() => demand('ttl', 5, check.ttl)).not.toThrow();
    const error = thrownBy(() => demand('ttl', -5, check.ttl));
    expect([error.option, error.value]).toEqual(['ttl', -5]);
    expect(error.message).toBe('ttl: expected a TTL: an integer of 0 to 6000000000 seconds, got -5');
  });

  test('never shows a secret', () => {
    const secret = Object.assign((v: unknown) => check.string(v), { secret: true });
    const error = thrownBy(() => demand('password', 42_421_337, secret));
    expect([error.option, error.value]).toEqual(['password', undefined]);
    expect(error.message).not.toContain('42421337');
  });
});

describe('checkOptions', () => {
  const checks = { flag: check.boolean, ttl: check.ttl };

  test.each([[undefined], [{}], [{ flag: true, ttl: 3 }], [{ flag: undefined }]])('takes %j', (options) => {
    expect(() => checkOptions('', options, checks)).not.toThrow();
  });

  test.each<[string, unknown, string, string]>([
    ['', { flag: 1 }, 'flag', 'expected a boolean, got 1'],
    ['retry.', { ttl: 'x' }, 'retry.ttl', 'got "x"'],
    ['', { other: 1 }, 'other', 'expected one of the options flag, ttl, got 1'],
    ['retry.', { other: undefined }, 'retry.other', 'got undefined'],
    ['', { toString: 1 }, 'toString', 'expected one of the options'],
    ['', { constructor: 1 }, 'constructor', 'expected one of the options'],
    ['', null, 'options', 'expected an object'],
    ['', 'text', 'options', 'expected an object, got "text"'],
    ['', [], 'options', 'expected an object'],
    ['retry.', 7, 'retry', 'expected an object, got 7'],
  ])('%j %j is refused', (path, options, option, text) => {
    const error = thrownBy(() => checkOptions(path, options, checks));
    expect(error.option).toBe(option);
    expect(error.message).toContain(text);
  });

  test.each([
    'passphrase',
    'apiToken',
    'clientKey',
    'authorization',
    'secretSauce',
    'certificate',
    'credentials',
  ])('the value of an unknown option named %s is not shown', (name) => {
    const error = thrownBy(() => checkOptions('', { [name]: 'hush-hush' }, checks));
    expect(error.option).toBe(name);
    expect(error.value).toBeUndefined();
    expect(error.message).not.toContain('hush-hush');
  });
});
