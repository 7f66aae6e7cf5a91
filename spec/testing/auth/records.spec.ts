import { Records, WriteCount } from '../../../lib/testing/auth/records.js';

let writes: WriteCount;
let records: Records<number>;

beforeEach(() => {
  writes = new WriteCount();
  records = new Records(writes);
});

test('are created once, updated and deleted if they are there', () => {
  expect([records.update('a', 1), records.delete('a'), records.get('a')]).toEqual([false, false, undefined]);
  expect([records.create('a', 2), records.create('a', 3), records.get('a')]).toEqual([true, false, 2]);
  expect([records.update('a', 4), records.get('a')]).toEqual([true, 4]);
  expect([records.delete('a'), records.get('a')]).toEqual([true, undefined]);
});

test('are listed in the order of their bytes, the hidden ones left out', () => {
  for (const name of ['b', '\u{1F98A}', '_a', 'a', '\uE000', 'a_', 'B']) records.create(name, 0);
  expect(records.names()).toEqual(['B', 'a', 'a_', 'b', '\uE000', '\u{1F98A}']);
  expect(records.get('_a')).toBe(0);
});

test('count the writes that etcd would have made, its own four first', () => {
  expect(writes.value).toBe(0);
  records.delete('a');
  expect(writes.value).toBe(4);
  records.update('a', 1);
  expect(writes.value).toBe(4);
  records.create('a', 1);
  records.create('a', 1);
  expect(writes.value).toBe(5);
  records.update('a', 1);
  new Records<string>(writes).create('a', 'of another kind');
  records.delete('a');
  expect(writes.value).toBe(8);
});
