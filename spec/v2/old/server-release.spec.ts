import { UnsupportedByServerError } from '../../../lib/errors.js';
import {
  demandFeatures,
  isLegacy,
  isSilentWatcher,
  mayOverlook,
  type Feature,
} from '../../../lib/v2/old/server-release.js';

test.each<[string | undefined, boolean, boolean]>([
  ['0.2.0-rc1', true, true],
  ['0.2.0', true, true],
  ['0.3.0-rc0', true, true],
  ['0.3.0', true, false],
  ['0.4.9', true, false],
  ['2.0.0', false, false],
  ['3.4.23', false, false],
  ['10.2.0', false, false],
  // Not known: taken for one of today.
  ['', false, false],
  ['unknown', false, false],
  [undefined, false, false],
])('%s: speaks in the old way %p, its watches are silent %p', (version, legacy, silent) => {
  expect([isLegacy(version), isSilentWatcher(version)]).toEqual([legacy, silent]);
});

describe('demandFeatures', () => {
  const refused = (version: string | undefined, needed: readonly Feature[]): string | undefined => {
    try {
      demandFeatures('op /a', version, needed);
      return undefined;
    } catch (error) {
      expect(error).toBeInstanceOf(UnsupportedByServerError);
      return (error as Error).message;
    }
  };

  test.each<[Feature, last: string, first: string, reason: string]>([
    ['compareAndDelete', '0.2.0', '0.3.0', 'it would delete without comparing'],
    ['refresh', '2.2.5', '2.3.0', 'it would wipe the value'],
    ['emptyValue', '0.2.0-rc1', '0.2.0', 'an empty value would make a directory'],
    ['root', '0.2.0-rc1', '0.2.0', 'a write to / would destroy the store'],
    ['createInOrder', '0.2.0-rc1', '0.2.0', 'it would turn a file into a directory'],
  ])('%s is refused up to etcd %s, and allowed from %s on', (feature, last, first, reason) => {
    expect(refused(last, [feature])).toBe(
      `op /a: etcd ${last} cannot do this (${reason}); etcd ${first} and later can`,
    );
    for (const version of [first, '2.3.8', '3.4.23', '3.5.16', '10.0.0'])
      expect([version, refused(version, [feature])]).toEqual([version, undefined]);
  });

  test.each([
    ['0.9.0', true],
    ['2.2.10', true],
    ['2.3', false],
    ['2.3.0-alpha.1', true],
    ['2.3.0+git', false],
    ['v2.2.5', true],
    ['2.10.0', false],
    // What is not known, or cannot be read, is taken for one of today.
    ['', false],
    ['not_decided', false],
    [undefined, false],
  ])('refresh at etcd %s: refused %p', (version, expected) => {
    expect(refused(version, ['refresh']) !== undefined).toBe(expected);
  });

  test('nothing needed is never refused; of several the first that is missing is named', () => {
    expect(refused('0.2.0-rc1', [])).toBeUndefined();
    expect(refused('0.2.0', ['root', 'refresh', 'compareAndDelete'])).toContain('wipe the value');
  });
});

test.each([
  [undefined, true],
  ['0.4.9', false],
  ['2.2.5', false],
  ['2.3.0', true],
  ['3.0.17', true],
  ['3.1.0', false],
  ['3.4.23', false],
])('the history of %s may overlook the key itself: %p', (version, expected) => {
  expect(mayOverlook(version)).toBe(expected);
});
