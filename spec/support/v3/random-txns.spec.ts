import { countFindings, writeFindings, type Write } from './random-txns.js';
import type { Change } from './store-history.js';

const write = (value: string, outcome: Write['outcome'], revision?: number): Write => ({
  value,
  puts: ['a', 'count/1'],
  deletes: [],
  outcome,
  start: 0,
  end: 1,
  ...(revision === undefined ? {} : { revision }),
});
const puts = (value: string, revision: number, version: number): Change[] =>
  ['a', 'count/1'].map((key) => ({ type: 'put', key, value, revision, version }));

const history = [...puts('1', 5, 1), ...puts('2', 6, 2)];

test('what was acknowledged, unknown or refused is found right where the store agrees', () => {
  const writes = [write('1', 'ok', 5), write('2', 'unknown'), write('3', 'unknown'), write('4', 'failed')];
  expect(writeFindings(writes, history)).toEqual([]);
  expect(countFindings(writes, history, 'count/')).toEqual([]);
});

test.each<[string, Write, Change[], string]>([
  ['is not there', write('3', 'ok', 7), [], 'a=3 was acknowledged at 7, where it is not'],
  ['is elsewhere', write('3', 'ok', 7), puts('3', 8, 3), 'a=3 was acknowledged at 7, where it is not'],
  [
    'was done twice',
    write('3', 'unknown'),
    [...puts('3', 7, 3), ...puts('3', 8, 4)],
    '3 was applied at 7 and 8',
  ],
  ['was done, though refused', write('3', 'failed'), puts('3', 7, 3), '3 failed, and was applied at 7'],
])('a write that %s is found', (_, planted, changes, finding) => {
  expect(writeFindings([planted], [...history, ...changes])).toContain(finding);
});

test('a count is found that is below what was acknowledged, or above that and what is unknown', () => {
  const count = (...writes: Write[]) => countFindings(writes, history, 'count/');
  expect(count(write('1', 'ok', 5))).toEqual(['count/1 was written 2 times: 1 were acknowledged, 0 unknown']);
  expect(count(write('1', 'ok', 5), write('2', 'ok', 6), write('3', 'ok', 7))).toHaveLength(1);
});
