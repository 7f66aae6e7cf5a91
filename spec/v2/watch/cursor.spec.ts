import { Cursor } from '../../../lib/v2/watch/cursor.js';

const here = 'http://a';
const elsewhere = 'http://b';

describe('the place', () => {
  test('is open until it is fixed, and fixed once', () => {
    const cursor = new Cursor();
    expect(cursor.next).toBeUndefined();
    expect([1, 1_000].map((i) => cursor.isNew(i))).toEqual([true, true]);
    cursor.start(41);
    expect(cursor.next).toBe(42);
    cursor.start(99);
    cursor.start(3);
    expect(cursor.next).toBe(42);
  });

  test('is fixed from the start by fromIndex: no headers move it', () => {
    const cursor = new Cursor(7);
    cursor.start(1_000);
    expect(cursor.next).toBe(7);
  });

  test('goes past each event: nothing is seen twice', () => {
    const cursor = new Cursor(10);
    expect([9, 10, 11].map((i) => cursor.isNew(i))).toEqual([false, true, true]);
    cursor.arriveAt(15);
    expect(cursor.next).toBe(16);
    expect([10, 15, 16].map((i) => cursor.isNew(i))).toEqual([false, false, true]);
  });

  test('a proven claim is belied by an event that comes late: it is still to be seen', () => {
    const cursor = new Cursor(10);
    cursor.claim(here, 50, 0);
    cursor.witness(here, 5_000);
    expect([cursor.next, cursor.isNew(30)]).toEqual([51, true]);
    cursor.arriveAt(30);
    expect(cursor.next).toBe(31);
  });

  test('goes back with a state of a store that begins anew, and what was lost is made up for', () => {
    const cursor = new Cursor(1_000);
    cursor.lost = 'rebuilt';
    cursor.arriveAt(5);
    expect([cursor.next, cursor.lost]).toEqual([6, undefined]);
  });

  test.each([
    ['cleared', 0],
    ['rebuilt', 1],
    ['another-cluster', 1],
  ] as const)('a state in place of what is lost (%s) begins %i epochs', (loss, epochs) => {
    const cursor = new Cursor(1_000);
    cursor.lost = loss;
    cursor.resyncAt(5, loss, undefined);
    expect([cursor.epoch, cursor.next, cursor.lost]).toEqual([epochs, 6, undefined]);
    expect([cursor.isNew(5), cursor.isNew(6)]).toEqual([false, true]);
    cursor.resyncAt(3, loss, undefined);
    expect(cursor.epoch).toBe(2 * epochs);
  });

  test('what was told of a former store says nothing of the new one', () => {
    const cursor = new Cursor(1_000);
    cursor.told(here, 999, 0);
    cursor.resyncAt(5, 'cleared', undefined);
    expect(cursor.toldBefore(here, 1_000)).toBe(999);
    cursor.resyncAt(5, 'rebuilt', undefined);
    expect(cursor.toldBefore(here, 1_000)).toBeUndefined();
  });

  test('only another id is that of another cluster', () => {
    const cursor = new Cursor(1_000);
    expect(cursor.isOfAnother('a')).toBe(false);
    cursor.clusterId = 'a';
    expect([undefined, 'a', 'b'].map((id) => cursor.isOfAnother(id))).toEqual([false, false, true]);
    cursor.resyncAt(5, 'another-cluster', 'b');
    expect([undefined, 'a', 'b'].map((id) => cursor.isOfAnother(id))).toEqual([false, true, false]);
    // A state without one leaves it as it was.
    cursor.resyncAt(5, 'cleared', undefined);
    expect(cursor.clusterId).toBe('b');
  });
});

describe('silence is no proof', () => {
  /** A cursor at 10 with a claim up to 50, made at 1000 ms by a poll on `here`. */
  const claimed = () => {
    const cursor = new Cursor(10);
    cursor.claim(here, 50, 1_000);
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
        c.arriveAt(30);
        c.witness(here, 5_000);
      },
      31,
    ],
    [
      'a later claim has a second of its own, and does not void the earlier one',
      (c) => {
        c.claim(here, 80, 1_900);
        c.witness(here, 2_500);
      },
      51,
    ],
    [
      'and is proven in its turn',
      (c) => {
        c.claim(here, 80, 1_900);
        c.witness(here, 2_500);
        c.witness(here, 2_900);
      },
      81,
    ],
    [
      'one witness proves both',
      (c) => {
        c.claim(here, 80, 1_900);
        c.witness(here, 2_900);
      },
      81,
    ],
    [
      'claims made more often than witnesses come do not keep the place back',
      (c) => {
        for (let n = 0; n < 3; n++) c.claim(here, 60 + n, 1_100 + n * 100);
        c.witness(here, 2_000);
      },
      51,
    ],
    [
      'no more than a few are kept, the latest',
      (c) => {
        for (let n = 0; n < 10; n++) c.claim(here, 60 + n, 1_100 + n * 100);
        c.witness(here, 2_600);
      },
      10,
    ],
    [
      'a doubt voids them all',
      (c) => {
        c.claim(here, 80, 1_900);
        c.doubt();
        c.witness(here, 5_000);
      },
      10,
    ],
    [
      'an event takes the place of them all',
      (c) => {
        c.claim(here, 80, 1_900);
        c.arriveAt(30);
        c.witness(here, 5_000);
      },
      31,
    ],
    [
      'a claim on another member leaves nothing of those before',
      (c) => {
        c.claim(elsewhere, 80, 1_900);
        c.witness(here, 5_000);
      },
      10,
    ],
    [
      'a claim on another member needs a witness there',
      (c) => {
        c.claim(elsewhere, 80, 1_000);
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
      cursor.claim(here, index, 0);
      cursor.witness(here, 5_000);
      expect(cursor.next).toBe(10);
    },
  );

  test('a claim of exactly the place moves it by one', () => {
    const cursor = new Cursor(10);
    cursor.claim(here, 10, 0);
    cursor.witness(here, 5_000);
    expect(cursor.next).toBe(11);
  });

  test('a witness without a claim, or before the start is fixed, does nothing', () => {
    const cursor = new Cursor();
    cursor.witness(here, 5_000);
    cursor.claim(here, 50, 0);
    cursor.witness(here, 5_000);
    expect(cursor.next).toBeUndefined();
  });
});
