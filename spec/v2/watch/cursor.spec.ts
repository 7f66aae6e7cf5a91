import { progress, type Batch } from '../../../lib/watch/leg-item.js';
import { Watermark } from '../../../lib/v2/watermark.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';

const here = 'http://a';
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

  test('what was told of a former store says nothing of the new one', () => {
    const cursor = new Cursor(1_000);
    cursor.told = { endpoint: here, index: 999, at: 10 };
    cursor.moveTo(state(1_500));
    expect([cursor.toldBefore(here, 10), cursor.toldBefore(here, 9)]).toEqual([999, undefined]);
    expect(cursor.toldBefore('http://b', 10)).toBeUndefined();
    cursor.moveTo(state(5, 1));
    expect(cursor.toldBefore(here, 1_000)).toBeUndefined();
  });

  test('only another id is that of another cluster', () => {
    const cursor = new Cursor(1_000);
    expect(cursor.isOfAnother('a')).toBe(false);
    cursor.clusterId = 'a';
    expect([undefined, 'a', 'b'].map((id) => cursor.isOfAnother(id))).toEqual([false, false, true]);
  });
});

describe('what is passed on the word of silence', () => {
  const passed = (next: number): Batch<unknown> => ({ type: 'events', events: [], next, unproven: true });
  /** Two such stretches, one behind the other: [10, 50) and [50, 80). */
  function passedTwice(watermark?: Watermark) {
    const cursor = new Cursor(10, watermark);
    cursor.moveTo(passed(50));
    cursor.moveTo(passed(80));
    return cursor;
  }

  test('is doubted: its events are still new', () => {
    const cursor = passedTwice();
    expect([cursor.next, cursor.highest]).toEqual([80, 79]);
    expect([9, 10, 79, 80].map((index) => cursor.isDoubted(index))).toEqual([false, true, true, false]);
    expect([9, 10].map((index) => cursor.isNew(index))).toEqual([false, true]);
  });

  test('an event in it takes the position back: all above is asked for again', () => {
    const cursor = passedTwice();
    cursor.moveTo(arrival(60));
    expect([cursor.next, cursor.doubts]).toEqual([
      61,
      [
        { from: 10, to: 50 },
        { from: 50, to: 60 },
      ],
    ]);
  });

  test('an event above it leaves it doubted, and those in it too old', () => {
    const cursor = passedTwice();
    cursor.moveTo(arrival(100));
    expect([cursor.isNew(60), cursor.isDoubted(60), cursor.highest]).toEqual([false, true, 100]);
    // What is lost with it begins there.
    cursor.lose('cleared');
    expect([cursor.next, cursor.highest]).toEqual([10, 100]);
  });

  test.each<[number, number, { from: number; to: number }[]]>([
    [
      10,
      30,
      [
        { from: 30, to: 50 },
        { from: 50, to: 80 },
      ],
    ],
    [10, 50, [{ from: 50, to: 80 }]],
    [10, 90, []],
    [50, 90, [{ from: 10, to: 50 }]],
    [
      1,
      10,
      [
        { from: 10, to: 50 },
        { from: 50, to: 80 },
      ],
    ],
  ])('is settled from %i to %i by what a poll from there has found', (first, end, left) => {
    const cursor = passedTwice();
    cursor.settle(first, end);
    expect(cursor.doubts).toEqual(left);
  });

  test('a state settles it', () => {
    const cursor = passedTwice();
    cursor.moveTo(state(100));
    expect(cursor.doubts).toEqual([]);
  });

  test('a failure has it asked for again, as far as history reaches', () => {
    const watermark = new Watermark();
    const both = passedTwice(watermark);
    both.doubt();
    expect([both.next, both.doubts]).toEqual([10, []]);
    watermark.saw({ etcdIndex: 920 });
    const one = passedTwice(watermark);
    one.doubt();
    expect([one.next, one.doubts]).toEqual([50, [{ from: 10, to: 50 }]]);
    watermark.saw({ etcdIndex: 2_000 });
    const neither = passedTwice(watermark);
    neither.doubt();
    expect([neither.next, neither.doubts.length]).toEqual([80, 2]);
  });

  test('but not below what was told', () => {
    const cursor = passedTwice();
    cursor.moveTo(arrival(100));
    cursor.doubt();
    expect(cursor.next).toBe(101);
  });
});
