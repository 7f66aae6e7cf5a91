import type { Change } from './validators.js';
import type { WriteCall } from './write-history.js';
import { SentWrites } from '../proxies/write-tap.js';
import {
  acknowledgedInLog,
  appliedOnce,
  notOverwritten,
  refusedHonestly,
  sentOnce,
  unknownForAReason,
  unsurprising,
} from './write-validators.js';

let clock = 0;
const call = (value: string, more: Partial<WriteCall> = {}): WriteCall => ({
  operation: 'set',
  key: '/k',
  value,
  client: 0,
  start: (clock += 1),
  end: (clock += 1),
  outcome: 'ok',
  ...more,
});
const acknowledged = (value: string, index: number, more: Partial<WriteCall> = {}) =>
  call(value, { acknowledged: { key: '/k', index }, ...more });
const unknown = (value: string, ...errors: string[]) =>
  call(value, {
    outcome: 'unknown',
    attempts: errors.map((error) => ({ endpoint: 'http://a', error, at: new Date(), durationMs: 1 })),
  });
const change = (index: number, value: string, more: Partial<Change> = {}): Change => ({
  key: '/k',
  index,
  value,
  action: 'set',
  ...more,
});
const heard = (...values: string[]) => {
  const sent = new SentWrites();
  for (const value of values)
    sent.hear('http://a', Buffer.from(`PUT /v2/keys/k HTTP/1.1\r\n\r\nvalue=${value}&prevExist=false`));
  return sent;
};

test('an acknowledged write is in the log, with its key and value, at its index', () => {
  const calls = [acknowledged('a', 5)];
  expect(acknowledgedInLog(calls, [change(5, 'a')])).toEqual([]);
  for (const log of [[], [change(6, 'a')], [change(5, 'b')], [change(5, 'a', { key: '/l' })]])
    expect(acknowledgedInLog(calls, log)).toHaveLength(1);
});

test('a unique value is applied once; a deletion does not count, nor a value that many write', () => {
  const calls = [acknowledged('a', 5), call('free'), call('free')];
  const log = [
    change(5, 'a'),
    change(6, 'a', { action: 'compareAndDelete' }),
    change(7, 'free'),
    change(8, 'free'),
  ];
  expect(appliedOnce(calls, log)).toEqual([]);
  expect(appliedOnce(calls, [...log, change(9, 'a')])).toEqual([expect.stringContaining('5 and 9')]);
});

test.each(['mismatch', 'failed'] as const)('what ended as %s was not applied', (outcome) => {
  const calls = [call('a', { operation: 'compareAndSwap', outcome })];
  expect(refusedHonestly(calls, [change(5, 'b')])).toEqual([]);
  expect(refusedHonestly(calls, [change(5, 'a')])).toHaveLength(1);
});

test('what has an unknown outcome may have been applied', () => {
  expect(refusedHonestly([unknown('a', 'ECONNRESET')], [change(5, 'a')])).toEqual([]);
});

test('an outcome is unknown only where a try left', () => {
  const judge = (sent: SentWrites, ...errors: string[]) => unknownForAReason([unknown('a', ...errors)], sent);
  expect(judge(heard('a'), 'ECONNREFUSED', 'timed out after 500 ms')).toEqual([]);
  expect(judge(heard(), 'ECONNRESET')).toEqual([]);
  expect(judge(heard('a'), 'ECONNREFUSED', 'ECONNREFUSED')).toHaveLength(1);
  expect(judge(heard('a'))).toHaveLength(1);
  expect(judge(heard('b'), 'timed out after 500 ms')).toHaveLength(1);
});

test('no value is sent twice', () => {
  expect(sentOnce([call('a'), call('b')], heard('a', 'b'))).toEqual([]);
  expect(sentOnce([call('a'), call('b')], heard('a', 'b', 'a'))).toEqual([
    expect.stringContaining('2 times'),
  ]);
});

test('a newer acknowledged value is not overwritten by an older write of the same client', () => {
  const older = unknown('old', 'timed out');
  const newer = acknowledged('new', 5);
  const came = [change(5, 'new'), change(6, 'old')];
  expect(notOverwritten([older, newer], [change(4, 'old'), change(5, 'new')], false)).toEqual([]);
  expect(notOverwritten([older, newer], came, false)).toHaveLength(1);
  expect(notOverwritten([older, newer], came, true)).toEqual([]);
  expect(notOverwritten([{ ...older, outcome: 'ok' }, newer], came, true)).toHaveLength(1);
  expect(notOverwritten([{ ...older, client: 1 }, newer], came, false)).toEqual([]);
  expect(notOverwritten([{ ...older, end: newer.end }, newer], came, false)).toEqual([]);
});

test('a call that ends in a strange error is told', () => {
  expect(unsurprising([call('a'), call('b', { outcome: 'failed', surprise: 'TypeError: oh' })])).toEqual([
    expect.stringContaining('TypeError: oh'),
  ]);
});
