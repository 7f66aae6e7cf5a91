import type { ChangeEvent, KeyValue, ResyncEvent, SyncEvent, WatchEvent } from 'rxetcd/v3';
import type { Change } from './store-history.js';
import {
  atomic,
  filtered,
  needed,
  ordered,
  reliable,
  resumable,
  unique,
  watchFindings,
  type Scope,
} from './watch-validators.js';

const put = (revision: number, key: string, value = String(revision), version = 1): Change => ({
  revision,
  type: 'put',
  key,
  value,
  version,
});
const gone = (revision: number, key: string): Change => ({
  revision,
  type: 'delete',
  key,
  value: '',
  version: 0,
});
const kv = (key: string, value: string, version = 1) => ({ key, value, version }) as KeyValue;
const told = ({ revision, type, key, value, version }: Change, last = true): ChangeEvent =>
  type === 'put'
    ? { type, kv: kv(key, value, version), revision, last }
    : { type, key, keyBytes: Buffer.from(key), revision, last };
const sync = (revision: number, ...kvs: KeyValue[]): SyncEvent => ({ type: 'sync', revision, kvs });
const compacted = (from: number, to: number, kvs: KeyValue[], revision = to): ResyncEvent => ({
  type: 'resync',
  kvs,
  revision,
  reason: 'compacted',
  lost: { reason: 'compacted', from, to },
});
const restored = (from: number, revision: number, ...kvs: KeyValue[]): ResyncEvent => ({
  type: 'resync',
  kvs,
  revision,
  reason: 'restored',
  lost: { reason: 'restored', from },
});

const scope: Scope = { range: { prefix: 'a/' }, after: 4 };
const store = [
  put(3, 'a/x', 'old'),
  put(5, 'a/x', '5', 2),
  put(6, 'a/y'),
  put(6, 'a/z'),
  put(6, 'b/z'),
  gone(8, 'a/x'),
];
const right: readonly WatchEvent[] = [
  told(store[1]!),
  told(store[2]!, false),
  told(store[3]!),
  told(store[5]!),
];
const state = [kv('a/x', '5', 2), kv('a/y', '6'), kv('a/z', '6')];

/** What is told with one part of it replaced. */
const planted = (at: number, count: number, ...events: WatchEvent[]): WatchEvent[] =>
  right.toSpliced(at, count, ...events);

test('what was told whole is found right, with states and words of progress between', () => {
  expect(watchFindings(right, [store], scope)).toEqual([]);
  expect(
    watchFindings([sync(5, kv('a/x', '5')), ...right.slice(1)], [store], { ...scope, after: 5 }),
  ).toEqual([]);
  expect(watchFindings(planted(3, 0, { type: 'live', revision: 7 }), [store], scope)).toEqual([]);
  expect(watchFindings([compacted(5, 6, state), right[3]!], [store], scope, 7)).toEqual([]);
});

describe('ordered finds', () => {
  test.each<[string, WatchEvent[], string]>([
    ['a step back', planted(0, 1, right[3]!), 'put a/y=6@6 after delete a/x@8'],
    [
      'what comes behind a word that all was told',
      planted(1, 0, { type: 'live', revision: 6 }),
      'put a/y=6@6 after live@6',
    ],
    ['what a state holds already', [sync(5), right[0]!], 'put a/x=5@5 after sync@5'],
    [
      'progress that falls',
      planted(4, 0, { type: 'progress', revision: 7 }),
      'progress@7 after delete a/x@8',
    ],
  ])('%s', (_, events, finding) => {
    expect(ordered(events)).toEqual([finding]);
  });

  test('nothing in a store that was put back', () => {
    expect(ordered([...right, restored(9, 3, kv('a/x', 'old')), told(put(4, 'a/x'))])).toEqual([]);
  });
});

test('unique finds a change that comes twice, though not where the store is another one', () => {
  expect(unique(planted(1, 0, right[0]!))).toEqual(['put a/x=5@5 twice']);
  expect(unique([right[0]!, restored(9, 4), right[0]!])).toEqual([]);
});

describe('atomic finds', () => {
  test.each<[string, WatchEvent[], string[]]>([
    ['a part of a revision', planted(1, 1), ['1 of 2 changes of 6 together']],
    [
      'a revision that something comes into',
      planted(2, 0, { type: 'progress', revision: 5 }),
      ['last: false of put a/y=6@6', '1 of 2 changes of 6 together', '1 of 2 changes of 6 together'],
    ],
    ['no last', planted(2, 1, told(store[3]!, false)), ['last: false of put a/z=6@6']],
    ['a last that is none', planted(1, 1, told(store[2]!)), ['last: true of put a/y=6@6']],
  ])('%s', (_, events, findings) => {
    expect(atomic(events, [store], scope)).toEqual(findings);
  });

  test('nothing where the rest is not for the watch', () => {
    const single: Scope = { range: 'a/y', after: 4 };
    expect(atomic([told(store[2]!)], [store], single)).toEqual([]);
  });
});

describe('reliable finds', () => {
  test.each<[string, WatchEvent[], string]>([
    ['what is missing', planted(0, 1), 'missing: put a/x=5@5'],
    ['what was never', planted(4, 0, told(put(9, 'a/x'))), 'invented: put a/x=9@9'],
    ['what was before its start', planted(0, 0, told(store[0]!)), 'invented: put a/x=old@3'],
    ['another value', planted(0, 1, told(put(5, 'a/x', 'no', 2))), 'garbled: put a/x=no@5 for put a/x=5@5'],
    ['another version', planted(0, 1, told(put(5, 'a/x', '5', 3))), 'garbled: put a/x=5@5 for put a/x=5@5'],
    ['another kind', planted(3, 1, told(put(8, 'a/x'))), 'garbled: put a/x=8@8 for delete a/x@8'],
    ['a lost range with a gap', [compacted(6, 6, state), right[3]!], 'missing: put a/x=5@5'],
    ['what was told and lost', planted(1, 2, compacted(5, 6, state)), 'told and lost: put a/x=5@5'],
    [
      'what was lost twice',
      [compacted(5, 6, state), compacted(6, 6, state), right[3]!],
      'lost 2 times: put a/y=6@6',
    ],
    [
      'another state',
      [compacted(5, 6, state.slice(1)), right[3]!],
      'the state at 6 is [a/y=6 a/z=6] in place of [a/x=5 a/y=6 a/z=6]',
    ],
    [
      'a lost range beyond its state',
      [compacted(5, 8, state, 6)],
      'lost beyond its state: resync compacted 5-8@6',
    ],
    [
      'another value before it',
      planted(0, 1, { ...told(store[1]!), prevKv: kv('a/x', 'older') }),
      'before put a/x=5@5 stood old, not older',
    ],
  ])('%s', (_, events, finding) => {
    expect(reliable(events, [store], scope)).toContain(finding);
  });

  test('what is missing of each store, but not what was written to the former behind its end', () => {
    const back = [store[0]!, put(4, 'a/x', '4', 2), put(6, 'a/x', '6', 3)];
    const events = [right[0]!, restored(6, 4, kv('a/x', '4', 2)), told(back[2]!)];
    expect(reliable(events, [store, back], scope)).toEqual([]);
    expect(reliable(events.slice(0, 2), [store, back], scope)).toEqual(['missing: put a/x=6@6']);
    expect(reliable(events.slice(1), [store, back], scope)).toEqual(['missing: put a/x=5@5']);
  });
});

test('resumable accepts exactly the rest', () => {
  expect(resumable(right, 5, right.slice(1))).toEqual([]);
  expect(resumable(right, 5, right.slice(2))).toHaveLength(3);
  expect(resumable(right, 6, right.slice(2))).toHaveLength(2);
});

test('filtered finds what is of another key or kind', () => {
  const other = told(store[4]!);
  expect(filtered([...right, other], scope)).toEqual(['not its own: put b/z=6@6']);
  expect(filtered([sync(6, kv('b/z', '6'))], scope)).toEqual(['not its own: b/z in sync@6']);
  expect(filtered(right, { ...scope, only: 'put' })).toEqual(['not its own: delete a/x@8']);
  expect(filtered(right.slice(0, 1), { range: 'a/', after: 0 })).toEqual(['not its own: put a/x=5@5']);
});

test('needed finds a resync for what was still there', () => {
  const events = [compacted(7, 9, state)];
  expect(needed(events, 6)).toEqual([]);
  expect(needed(events, 5)).toEqual(['needless: resync compacted 7-9@9']);
});
