import { TransportError } from '../../../lib/transport/transport-error.js';
import { progress } from '../../../lib/watch/leg-item.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import { indexOf } from '../../../lib/v2/watch/poll-part.js';
import { StandbyStreams } from '../../../lib/v2/watch/standby-streams.js';
import { FakeMember, range, watchOver } from '../../support/scripted/fake-member.js';

let member: FakeMember;
let cursor: Cursor;
let standby: StandbyStreams;

/** A watch at 5,000 that knows of so many keys with a TTL. */
function keep(mortal: number): void {
  cursor.keysWithTtl = mortal;
  member.storeIndexes$.subscribe(() => {
    standby.look();
  });
}
const open = () => member.streams.filter(({ gone }) => !gone).map(({ waitIndex }) => Number(waitIndex));
/** What is rescued: the cursor moves over each before the next is asked for. */
function rescued(): number[] {
  const taken: number[] = [];
  for (const part of standby.take()) {
    const index = indexOf(part);
    taken.push(index);
    if (cursor.isNew(index)) cursor.moveTo(progress(index + 1));
  }
  return taken;
}

beforeEach(() => {
  jest.useFakeTimers();
  member = new FakeMember();
  cursor = new Cursor(5_000);
  standby = new StandbyStreams(member.site({ position: cursor }));
});
afterEach(() => jest.useRealTimers());

describe('standby streams', () => {
  test.each<[number, number[]]>([
    [0, []],
    [1_100, []],
    [1_101, [5_100, 5_200]],
    [1_200, [5_100, 5_200]],
    [1_201, [5_100, 5_200, 5_300]],
    [1_500, [5_100, 5_200, 5_300, 5_400, 5_500]],
    [100_000, [5_100, 5_200, 5_300, 5_400, 5_500, 5_600, 5_700, 5_800, 5_900]],
  ])('for %i keys with a TTL: streams at %j', (mortal, expected) => {
    keep(mortal);
    member.tellIndex(0);
    expect(open()).toEqual(expected);
  });

  test('are set at the first event, and once only', () => {
    keep(1_101);
    expect(open()).toEqual([]);
    for (let n = 0; n < 3; n++) {
      standby.saw();
      expect(open()).toEqual([5_100, 5_200]);
      jest.advanceTimersByTime(1_000);
    }
    member.tellIndex(0);
    expect(member.streams).toHaveLength(2);
  });

  test('stay while the store moves little, and are set anew once it moved by more than a hundred', () => {
    keep(1_101);
    member.tellIndex(4_999);
    expect(open()).toEqual([5_100, 5_200]);
    jest.advanceTimersByTime(1_000);
    member.tellIndex(5_099);
    expect(member.streams).toHaveLength(2);
    jest.advanceTimersByTime(1_000);
    member.tellIndex(5_100);
    expect(open()).toEqual([5_100, 5_201, 5_301]);
    expect(member.streams).toHaveLength(4);
  });

  test('are set anew where the store began anew, below', () => {
    keep(1_301);
    member.tellIndex(4_999);
    expect(open()).toEqual([5_100, 5_200, 5_300, 5_400]);
    jest.advanceTimersByTime(1_000);
    cursor.moveTo({ ...progress(1_601), epoch: 1 });
    member.watermark.restart(member.watermark.mark, { etcdIndex: 1_600 });
    standby.look();
    expect(open()).toEqual([1_701, 1_801, 1_901, 2_001]);
  });

  test('not more often than four times a second, however fast it moves', () => {
    keep(1_101);
    for (let n = 0; n < 100; n++) {
      member.tellIndex(5_000 + n * 200);
      jest.advanceTimersByTime(10);
    }
    expect(member.streams.length).toBeLessThanOrEqual(2 * 5);
    expect(member.streams.length).toBeGreaterThan(2);
  });

  test('stay in the middle of a burst, and are set anew behind it', () => {
    keep(1_301);
    member.tellIndex(4_999);
    jest.advanceTimersByTime(10_000);
    for (let index = 5_000; index < 5_150; index++) {
      cursor.moveTo(progress(index + 1));
      standby.saw();
    }
    jest.advanceTimersByTime(200);
    expect(open()).toEqual([5_100, 5_200, 5_300, 5_400]);
    jest.advanceTimersByTime(100);
    expect(open()).toEqual([5_250, 5_350, 5_450, 5_550]);
  });

  test('one that holds something ahead of the cursor stays beside the new ones, and gets more', () => {
    keep(1_201);
    member.tellIndex(4_999);
    const [first] = member.streams;
    first?.head(4_999).lines(range(5_100, 5_120));
    cursor.moveTo(progress(5_099 + 1));
    for (const index of [5_400, 5_700]) {
      jest.advanceTimersByTime(1_000);
      member.tellIndex(index);
      expect(open()[0]).toBe(5_100);
    }
    first?.lines(range(5_121, 5_199));
    expect(rescued()).toEqual(range(5_100, 5_199));
    // Now it is of no more use, and the others are too old.
    jest.advanceTimersByTime(1_000);
    member.tellIndex(6_000);
    jest.advanceTimersByTime(1_000);
    cursor.moveTo(progress(6_200 + 1));
    member.tellIndex(6_200);
    expect(open()).toEqual([6_301, 6_401, 6_501]);
  });

  test('one that the store has just passed may be on its way: it stays for one round', () => {
    keep(1_201);
    member.tellIndex(4_999);
    jest.advanceTimersByTime(1_000);
    member.tellIndex(5_200);
    expect(open()).toEqual([5_100, 5_200, 5_301, 5_401, 5_501]);
    jest.advanceTimersByTime(1_000);
    member.tellIndex(5_350);
    expect(open()).toEqual([5_301, 5_451, 5_551, 5_651]);
  });

  test('are given up when so many keys are no more', () => {
    keep(1_301);
    member.tellIndex(4_999);
    expect(open()).toHaveLength(4);
    cursor.keysWithTtl = 900;
    jest.advanceTimersByTime(1_000);
    member.tellIndex(4_999);
    expect(open()).toEqual([]);
  });

  test('and so are those held beside them, once they are passed', () => {
    keep(1_201);
    member.tellIndex(4_999);
    member.streams[0]?.head(4_999).lines(range(5_100, 5_110));
    cursor.keysWithTtl = 900;
    jest.advanceTimersByTime(1_000);
    member.tellIndex(5_100);
    expect(open()).toEqual([5_100]);
    cursor.moveTo(progress(5_110 + 1));
    jest.advanceTimersByTime(1_000);
    member.tellIndex(5_110);
    expect(open()).toEqual([]);
  });

  test('end when it is closed', () => {
    keep(1_301);
    member.tellIndex(4_999);
    standby.saw();
    standby.close();
    expect([open(), jest.getTimerCount()]).toEqual([[], 0]);
  });

  test('one that fails or ends harms nobody', () => {
    keep(1_301);
    member.tellIndex(4_999);
    const [first, second, third] = member.streams;
    first?.fail(new TransportError('reset', 'x', true));
    second?.head(4_999).end();
    third?.head(4_999).lines([5_300]);
    expect(third?.gone).toBe(false);
    cursor.moveTo(progress(5_299 + 1));
    expect(rescued()).toEqual([5_300]);
  });
});

describe('whether more is to come', () => {
  const settled = () => watchOver(standby.settled$()).seen;

  test('nothing without standby streams', () => {
    expect(settled().items).toHaveLength(1);
  });

  test('until what was caught reaches to where history begins', () => {
    keep(1_101);
    member.tellIndex(4_999);
    const [first] = member.streams;
    first?.head(4_999).lines(range(5_100, 5_150));
    cursor.moveTo(progress(5_099 + 1));
    // etcd still has 5,181 and what came after.
    member.watermark.saw({ etcdIndex: 6_180 });
    const seen = settled();
    jest.advanceTimersByTime(900);
    first?.lines(range(5_151, 5_179));
    jest.advanceTimersByTime(900);
    expect(seen).toMatchObject({ items: [], done: false });
    first?.lines([5_180]);
    jest.advanceTimersByTime(10);
    expect(seen).toMatchObject({ items: [undefined], done: true });
    expect(jest.getTimerCount()).toBe(0);
  });

  test('but not for more than two seconds; until then nothing is set anew', () => {
    keep(1_101);
    member.tellIndex(4_999);
    const before = open();
    const seen = settled();
    for (let n = 0; n < 20; n++) {
      expect([seen.done, open()]).toEqual([false, before]);
      member.tellIndex(9_000 + n * 200);
      jest.advanceTimersByTime(100);
    }
    expect(seen.done).toBe(true);
    member.tellIndex(20_000);
    expect(open()).not.toEqual(before);
  });
});

describe('what they have caught', () => {
  beforeEach(() => {
    keep(1_301);
    member.tellIndex(4_999);
    for (const stream of member.streams) stream.head(4_999);
  });

  test('nothing at first', () => {
    expect(rescued()).toEqual([]);
  });

  test('is had from the cursor on, standby for standby', () => {
    member.streams[0]?.lines(range(5_100, 5_199));
    member.streams[1]?.lines(range(5_200, 5_299));
    member.streams[2]?.lines(range(5_300, 5_399));
    // The watch's own stream was silenced at 5,100.
    cursor.moveTo(progress(5_099 + 1));
    expect(rescued()).toEqual(range(5_100, 5_399));
  });

  test('but not across a gap', () => {
    member.streams[0]?.lines(range(5_100, 5_150));
    member.streams[1]?.lines(range(5_200, 5_299));
    cursor.moveTo(progress(5_099 + 1));
    expect(rescued()).toEqual(range(5_100, 5_150));
    expect(cursor.next).toBe(5_151);
  });

  test('nothing while the cursor is below the first', () => {
    member.streams[0]?.lines(range(5_100, 5_150));
    cursor.moveTo(progress(5_098 + 1));
    expect(rescued()).toEqual([]);
  });

  test('is no more than etcd keeps itself', () => {
    member.streams[2]?.lines(range(5_300, 6_499));
    cursor.moveTo(progress(5_299 + 1));
    expect(rescued()).toEqual(range(5_300, 6_299));
    expect(member.streams[2]?.gone).toBe(true);
  });
});
