import { progress, type Batch } from '../../../lib/watch/leg-item.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';

const here = 'http://a';
const elsewhere = 'http://b';
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

  test('a claim made with the start is kept', () => {
    const cursor = new Cursor();
    cursor.claims.claim(here, 50, 0);
    cursor.moveTo(progress(42));
    cursor.witness(here, 5_000);
    expect(cursor.next).toBe(51);
  });

  test('goes past each event: nothing is seen twice', () => {
    const cursor = new Cursor(10);
    expect([9, 10, 11].map((i) => cursor.isNew(i))).toEqual([false, true, true]);
    cursor.moveTo(arrival(15));
    expect(cursor.next).toBe(16);
    expect([10, 15, 16].map((i) => cursor.isNew(i))).toEqual([false, false, true]);
  });

  test('a proven claim is belied by an event that comes late: it is still to be seen', () => {
    const cursor = new Cursor(10);
    cursor.claims.claim(here, 50, 0);
    cursor.witness(here, 5_000);
    expect([cursor.next, cursor.isNew(30)]).toEqual([51, true]);
    cursor.moveTo(arrival(30));
    expect(cursor.next).toBe(31);
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
    cursor.claims.told(here, 999, 0);
    cursor.moveTo(state(1_500));
    expect(cursor.claims.toldBefore(here, 1_000)).toBe(999);
    cursor.moveTo(state(5, 1));
    expect(cursor.claims.toldBefore(here, 1_000)).toBeUndefined();
  });

  test('only another id is that of another cluster', () => {
    const cursor = new Cursor(1_000);
    expect(cursor.isOfAnother('a')).toBe(false);
    cursor.clusterId = 'a';
    expect([undefined, 'a', 'b'].map((id) => cursor.isOfAnother(id))).toEqual([false, false, true]);
  });
});

describe('silence is no proof', () => {
  /** A cursor at 10 with a claim up to 50, made at 1000 ms by a poll on `here`. */
  const claimed = () => {
    const cursor = new Cursor(10);
    cursor.claims.claim(here, 50, 1_000);
    return cursor;
  };

  test.each<[string, (c: Cursor) => void, number]>([
    ['a claim alone moves nothing', () => undefined, 10],
    ['a witness 1 s later proves it', (c) => c.witness(here, 2_000), 51],
    ['and any after that', (c) => c.witness(here, 60_000), 51],
    ['one before does not', (c) => c.witness(here, 1_999), 10],
    ['nor one of the moment of the claim', (c) => c.witness(here, 1_000), 10],
    ['nor one from before it', (c) => c.witness(here, 0), 10],
    ['nor another member', (c) => c.witness(elsewhere, 5_000), 10],
    [
      'an early witness does not spoil a later one',
      (c) => {
        c.witness(here, 1_500);
        c.witness(elsewhere, 2_500);
        c.witness(here, 2_000);
      },
      51,
    ],
    [
      'after any doubt the old place is asked again',
      (c) => {
        c.doubt();
        c.witness(here, 5_000);
      },
      10,
    ],
    [
      'a doubt does not undo what was proven',
      (c) => {
        c.witness(here, 2_000);
        c.doubt();
      },
      51,
    ],
    [
      'an event takes the place of the claim',
      (c) => {
        c.moveTo(arrival(30));
        c.witness(here, 5_000);
      },
      31,
    ],
    [
      'a later claim has a second of its own, and does not void the earlier one',
      (c) => {
        c.claims.claim(here, 80, 1_900);
        c.witness(here, 2_500);
      },
      51,
    ],
    [
      'and is proven in its turn',
      (c) => {
        c.claims.claim(here, 80, 1_900);
        c.witness(here, 2_500);
        c.witness(here, 2_900);
      },
      81,
    ],
    [
      'one witness proves both',
      (c) => {
        c.claims.claim(here, 80, 1_900);
        c.witness(here, 2_900);
      },
      81,
    ],
    [
      'claims made more often than witnesses come do not keep the place back',
      (c) => {
        for (let n = 0; n < 3; n++) c.claims.claim(here, 60 + n, 1_100 + n * 100);
        c.witness(here, 2_000);
      },
      51,
    ],
    [
      'no more than a few are kept, the latest',
      (c) => {
        for (let n = 0; n < 10; n++) c.claims.claim(here, 60 + n, 1_100 + n * 100);
        c.witness(here, 2_600);
      },
      10,
    ],
    [
      'a doubt voids them all',
      (c) => {
        c.claims.claim(here, 80, 1_900);
        c.doubt();
        c.witness(here, 5_000);
      },
      10,
    ],
    [
      'an event takes the place of them all',
      (c) => {
        c.claims.claim(here, 80, 1_900);
        c.moveTo(arrival(30));
        c.witness(here, 5_000);
      },
      31,
    ],
    [
      'a claim on another member leaves nothing of those before',
      (c) => {
        c.claims.claim(elsewhere, 80, 1_900);
        c.witness(here, 5_000);
      },
      10,
    ],
    [
      'a claim on another member needs a witness there',
      (c) => {
        c.claims.claim(elsewhere, 80, 1_000);
        c.witness(here, 5_000);
      },
      10,
    ],
    [
      'a claim is proven once',
      (c) => {
        c.witness(here, 2_000);
        c.next = 60;
        c.witness(here, 3_000);
      },
      60,
    ],
  ])('%s', (_, steps, next) => {
    const cursor = claimed();
    steps(cursor);
    expect(cursor.next).toBe(next);
  });

  test.each([9, 5, 0])(
    'a claim below the place (%i), of a member that lags, does not move it back',
    (index) => {
      const cursor = new Cursor(10);
      cursor.claims.claim(here, index, 0);
      cursor.witness(here, 5_000);
      expect(cursor.next).toBe(10);
    },
  );

  test('a claim of exactly the place moves it by one', () => {
    const cursor = new Cursor(10);
    cursor.claims.claim(here, 10, 0);
    cursor.witness(here, 5_000);
    expect(cursor.next).toBe(11);
  });

  test('a witness without a claim, or before the start is fixed, does nothing', () => {
    const cursor = new Cursor();
    cursor.witness(here, 5_000);
    cursor.claims.claim(here, 50, 0);
    cursor.witness(here, 5_000);
    expect(cursor.next).toBeUndefined();
  });
});
