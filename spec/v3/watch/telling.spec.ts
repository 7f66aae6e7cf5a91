import { HistoryLost } from '../../../lib/watch/history-lost.js';
import { Telling } from '../../../lib/v3/watch/telling.js';
import { WatchPosition } from '../../../lib/v3/watch/watch-position.js';
import { noWatch, type WatchMessage } from '../../../lib/v3/watch/watch-stream.js';
import type { Change } from '../../../lib/v3/watch/changes.js';

const seen = { restarts: 0 };
let position: WatchPosition;

const change = (key: string, revision: number, value = 'v', version = 1): Change => ({
  type: 'PUT',
  kv: {
    key: Buffer.from(key),
    value: Buffer.from(value),
    create_revision: 1,
    mod_revision: revision,
    version,
    lease: undefined,
  },
  prev_kv: undefined,
});
const message = (events: readonly Change[], more: Partial<WatchMessage> = {}): WatchMessage => ({
  header: { cluster_id: 'c', member_id: 'm', revision: 0, raft_term: 2 },
  watch_id: 1,
  created: false,
  canceled: false,
  compact_revision: 0,
  cancel_reason: '',
  fragment: false,
  events,
  ...more,
});
const upTo = (revision: number, more: Partial<WatchMessage> = {}) =>
  message([], { header: { cluster_id: 'c', member_id: 'm', revision, raft_term: 2 }, ...more });

/** Reads messages as a watch does: `a@5 b@5|`, then the position. */
function read(telling: Telling, messages: readonly WatchMessage[], ordered = true): string[] {
  return messages.map((one) => {
    let told = '';
    for (const batch of telling.read(one, ordered)) {
      for (const event of batch.events)
        told += `${event.type === 'put' ? event.kv.key : '-'}@${event.revision} `;
      position.moveTo(batch);
      told += '|';
    }
    return `${told}${position.next}`;
  });
}

beforeEach(() => {
  position = new WatchPosition(undefined, seen);
  position.moveTo({ type: 'events', events: [], next: 5 });
});

test('each revision by itself, each once, and the position behind it', () => {
  const telling = new Telling(position, true);
  const told = read(telling, [
    message([change('a', 5), change('b', 5), change('a', 7)]),
    message([change('a', 7), change('b', 9)]),
  ]);
  expect(told).toEqual(['a@5 b@5 |a@7 |8', 'b@9 |10']);
});

test('a revision that goes on in the next message is told when it is whole', () => {
  const telling = new Telling(position, true);
  const told = read(telling, [
    message([change('a', 5), change('b', 6)], { fragment: true }),
    message([change('c', 6)], { fragment: true }),
    upTo(20),
    message([change('d', 6), change('e', 8)]),
  ]);
  expect(told).toEqual(['a@5 |6', '6', '6', 'b@6 c@6 d@6 |e@8 |9']);
});

test('progress moves it, never back; what was requested only where it is told in order', () => {
  const telling = new Telling(position, true);
  expect(read(telling, [upTo(9), upTo(3), upTo(11, { watch_id: noWatch })])).toEqual(['|10', '|10', '|12']);
  expect(read(telling, [upTo(20, { watch_id: noWatch }), upTo(20)], false)).toEqual(['12', '|21']);
});

describe('resumed behind a revision that was told', () => {
  beforeEach(() => {
    read(new Telling(position, true), [message([change('a', 5, 'old', 3), change('b', 5)])]);
  });

  test('that is asked for again, must come first, and is not told twice', () => {
    expect(position.asks).toBe(5);
    const telling = new Telling(position, true);
    expect(telling.isProven).toBe(false);
    const told = read(telling, [message([change('a', 5, 'old', 3), change('b', 5), change('a', 6)])]);
    expect([told, telling.isProven]).toEqual([['a@6 |7'], true]);
  });

  test.each([
    ['another value', message([change('a', 5, 'new', 3)])],
    ['another version', message([change('a', 5, 'old', 2)])],
    ['another key', message([change('b', 5, 'old', 3)])],
    ['a later revision', message([change('a', 6)])],
    ['nothing at all', upTo(9)],
  ])('%s: the store has another history', (_, first) => {
    const telling = new Telling(position, true);
    expect(() => read(telling, [first])).toThrow(
      new HistoryLost('restored', 'the store has another history'),
    );
  });

  test('progress that may be told ahead of it proves nothing', () => {
    const telling = new Telling(position, true);
    expect(read(telling, [upTo(9, { watch_id: noWatch })], false)).toEqual(['6']);
    expect(telling.isProven).toBe(false);
  });

  test('behind progress nothing is known of the revision before', () => {
    read(new Telling(position, false), [upTo(9)]);
    expect([position.asks, position.mark]).toEqual([9, undefined]);
    expect(
      read(new Telling(position, true), [message([change('a', 9)]), message([change('a', 10)])]),
    ).toEqual(['10', 'a@10 |11']);
  });

  test('nor behind a state that was read in place of what was lost', () => {
    position.lose('restored');
    position.moveTo({ type: 'events', events: [], next: 6, epoch: 1 });
    expect([position.mark, position.lost, position.epoch]).toEqual([undefined, undefined, 1]);
  });
});

test('a start that is given is asked for as it is: nothing was told before it', () => {
  expect([new WatchPosition(7, seen).asks, new WatchPosition(undefined, seen).asks]).toEqual([7, undefined]);
});
