import { progress, type Batch } from '../../../lib/watch/leg-item.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';

const arrival = (index: number): Batch<unknown> => ({ type: 'events', events: [{}], next: index + 1 });
/** A state in place of what is lost. */
const state = (index: number, epoch?: number): Batch<unknown> => ({
  ...arrival(index),
  state: { reason: 'rebuilt', from: 1 },
  ...(epoch === undefined ? {} : { epoch }),
});

describe('the place', () => {
  test('is open until it is fixed', () => {
    const cursor = new Cursor();
    expect(cursor.next).toBeUndefined();
    expect([1, 1_000].map((i) => cursor.isNew(i))).toEqual([true, true]);
    cursor.moveTo(progress(42));
    expect(cursor.next).toBe(42);
    expect([41, 42].map((i) => cursor.isNew(i))).toEqual([false, true]);
  });

  test('is fixed from the start by fromIndex', () => {
    expect(new Cursor(7).next).toBe(7);
  });

  test('goes past each event: nothing is seen twice', () => {
    const cursor = new Cursor(10);
    expect([9, 10, 11].map((i) => cursor.isNew(i))).toEqual([false, true, true]);
    cursor.moveTo(arrival(15));
    expect(cursor.next).toBe(16);
    expect([10, 15, 16].map((i) => cursor.isNew(i))).toEqual([false, false, true]);
  });

  test('goes back with a state of a store that begins anew, and what was lost is made up for', () => {
    const cursor = new Cursor(1_000);
    cursor.lose('rebuilt');
    cursor.moveTo(arrival(5));
    expect([cursor.next, cursor.lost]).toEqual([6, undefined]);
  });

  test('a state of another store begins an epoch, one of the same does not', () => {
    const cursor = new Cursor(1_000);
    cursor.lose('cleared');
    cursor.moveTo(state(2_000));
    expect([cursor.epoch, cursor.next, cursor.lost]).toEqual([0, 2_001, undefined]);
    cursor.lose('rebuilt');
    cursor.moveTo(state(5, 1));
    expect([cursor.epoch, cursor.next, cursor.lost]).toEqual([1, 6, undefined]);
    expect([cursor.isNew(5), cursor.isNew(6)]).toEqual([false, true]);
  });

  test('only another id is that of another cluster', () => {
    const cursor = new Cursor(1_000);
    expect(cursor.isOfAnother('a')).toBe(false);
    cursor.clusterId = 'a';
    expect([undefined, 'a', 'b'].map((id) => cursor.isOfAnother(id))).toEqual([false, false, true]);
  });
});

describe('what polls are silent about', () => {
  /** A cursor at 10 whose polls were silent up to 50. */
  const silent = () => {
    const cursor = new Cursor(10);
    cursor.silentTo = 50;
    return cursor;
  };

  test('proves nothing: the place stays', () => {
    const cursor = silent();
    expect([cursor.next, cursor.begins, cursor.isNew(10)]).toEqual([10, 10, true]);
  });

  test('can be passed', () => {
    const cursor = silent();
    cursor.pass();
    expect([cursor.next, cursor.begins]).toEqual([50, 10]);
    expect([9, 10, 49, 50].map((i) => cursor.isPassed(i))).toEqual([false, true, true, false]);
    expect([49, 50].map((i) => cursor.isNew(i))).toEqual([false, true]);
  });

  test('is passed in part, where only that is not brought by anything else', () => {
    const cursor = silent();
    cursor.pass(30);
    expect([cursor.next, cursor.silentTo]).toEqual([30, 50]);
    cursor.pass(30);
    expect(cursor.next).toBe(30);
  });

  test.each([0, 10])('%i: nothing is passed', (to) => {
    const cursor = silent();
    cursor.silentTo = to;
    cursor.pass();
    expect([cursor.next, cursor.isPassed(10)]).toEqual([10, false]);
  });

  test('there is nothing to pass before the start is fixed', () => {
    const cursor = new Cursor();
    cursor.silentTo = 50;
    cursor.pass();
    expect(cursor.next).toBeUndefined();
  });

  test('an event says what there is: that silence is over', () => {
    const cursor = silent();
    cursor.moveTo(arrival(20));
    cursor.pass();
    expect(cursor.next).toBe(21);
  });

  test('passed stretches one behind the other are one, until an event proves what is behind', () => {
    const cursor = silent();
    cursor.pass();
    cursor.silentTo = 90;
    cursor.pass();
    expect([cursor.next, cursor.begins]).toEqual([90, 10]);
    cursor.moveTo(arrival(95));
    expect([cursor.begins, cursor.isPassed(20)]).toEqual([96, false]);
  });

  test('where history has moved on nothing is lost as long as that may be passed', () => {
    const cursor = silent();
    cursor.lose('cleared');
    expect([cursor.lost, cursor.next, cursor.isOutOfHistory]).toEqual([undefined, 10, true]);
    cursor.pass();
    expect([cursor.next, cursor.isOutOfHistory]).toEqual([50, false]);
    cursor.lose('cleared');
    expect([cursor.lost, cursor.next, cursor.begins]).toEqual(['cleared', 50, 10]);
  });

  test('a store that began anew loses all', () => {
    const cursor = silent();
    cursor.lose('rebuilt');
    expect([cursor.lost, cursor.next]).toEqual(['rebuilt', 10]);
  });
});
