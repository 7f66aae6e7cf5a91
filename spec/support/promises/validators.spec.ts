import type { ChangeEvent, EtcdNode, ResyncEvent, SyncEvent, WatchEvent } from 'rxetcd';
import {
  durable,
  filtered,
  needed,
  ordered,
  reliable,
  resumable,
  unique,
  type Change,
  type Scope,
} from './validators.js';

const info = { endpoint: 'http://127.0.0.1:1', status: 200 };
const set = (index: number, key: string, value = String(index)): Change => ({
  index,
  key,
  value,
  action: 'set',
});
const gone = (index: number, key: string, dir = false): Change => ({ index, key, action: 'delete', dir });
const told = ({ index, key, value, action = 'set', dir }: Change): ChangeEvent => ({
  action: action as ChangeEvent['action'],
  index,
  node: { key, ...(value === undefined ? {} : { value }), ...(dir === true ? { dir } : {}) },
  info,
});
const resync = (from: number, to: number, node: EtcdNode, index = to): ResyncEvent => ({
  action: 'resync',
  node,
  index,
  lost: { reason: 'cleared', from, to },
  info,
});
const sync = (index: number, node: EtcdNode): SyncEvent => ({ action: 'sync', node, index, info });

const scope: Scope = { key: '/a', recursive: true, after: 4 };
const changes = [set(3, '/a/x', 'old'), set(5, '/a/x'), set(6, '/a/y'), set(7, '/a/z'), gone(8, '/a/x')];
const events: WatchEvent[] = changes.slice(1).map(told);

describe('ordered, unique', () => {
  test('accept rising indexes', () => {
    expect([...ordered(events), ...unique(events)]).toEqual([]);
  });

  test('find a step back and a repetition', () => {
    const [first, second] = events as [WatchEvent, WatchEvent];
    expect(ordered([second, first])).toEqual(['event 5 after 6']);
    expect(ordered([first, first])).toEqual(['event 5 after 5']);
    expect(unique([first, second, first])).toEqual(['index 5 twice']);
  });
});

describe('reliable', () => {
  test('accepts all changes since the start', () => {
    expect(reliable(events, changes, scope)).toEqual([]);
    expect(reliable(events, changes.slice(1))).toEqual([]);
  });

  test('finds what is missing, invented, garbled or before the start', () => {
    expect(reliable(events.slice(1), changes, scope)).toEqual(['missing: 5 set /a/x=5']);
    expect(reliable([...events, told(set(9, '/a/x'))], changes, scope)).toEqual(['invented: 9 set /a/x=9']);
    const wrong = [told(set(5, '/a/x', 'wrong')), ...events.slice(1)];
    expect(reliable(wrong, changes, scope)).toEqual(['garbled: 5 set /a/x=wrong for 5 set /a/x=5']);
    const updated = [told({ ...set(5, '/a/x'), action: 'update' }), ...events.slice(1)];
    expect(reliable(updated, changes, scope)).toEqual(['garbled: 5 update /a/x=5 for 5 set /a/x=5']);
    expect(reliable([told(changes[0]!), ...events], changes, scope)).toEqual(['invented: 3 set /a/x=old']);
  });

  const state = {
    key: '/a',
    dir: true,
    nodes: [
      { key: '/a/x', value: '5' },
      { key: '/a/y', value: '6' },
    ],
  };

  test('accepts one resync with the state at its index, where a scope says what that is', () => {
    const some = [resync(5, 6, state), ...events.slice(2)];
    expect(reliable(some, changes, scope)).toEqual([]);
    expect(reliable(some, changes.slice(3))).toEqual(['resync at 6']);
  });

  test('finds a resync that leaves a gap, covers what was told, or comes twice', () => {
    expect(reliable([resync(6, 6, state), ...events.slice(2)], changes, scope)).toEqual([
      'missing: 5 set /a/x=5',
    ]);
    expect(
      reliable([...events.slice(0, 1), resync(5, 6, state), ...events.slice(2)], changes, scope),
    ).toEqual(['told and lost: 5 set /a/x=5']);
    expect(reliable([resync(5, 6, state), resync(6, 6, state), ...events.slice(2)], changes, scope)).toEqual([
      'lost 2 times: 6 set /a/y=6',
    ]);
  });

  test('finds a state that is not the one at its index, or a range beyond it', () => {
    const early = { ...state, nodes: state.nodes.slice(0, 1) };
    const finding = 'the state at 6 is [/a/x=5] in place of [/a/x=5 /a/y=6]';
    expect(reliable([resync(5, 6, early), ...events.slice(2)], changes, scope)).toEqual([finding]);
    expect(reliable([sync(6, early), ...events.slice(2)], changes, { ...scope, after: 6 })).toEqual([
      finding,
    ]);
    expect(reliable([resync(5, 7, state, 6), ...events.slice(3)], changes, scope)).toEqual([
      'lost beyond its state at 6',
    ]);
  });

  test('takes a younger state only where headers cannot be read', () => {
    const young = { ...state, nodes: [...state.nodes, { key: '/a/z', value: '7' }] };
    const some = [resync(5, 6, young), ...events.slice(2)];
    expect(reliable(some, changes, scope)).toHaveLength(1);
    expect(reliable(some, changes, { ...scope, blind: true })).toEqual([]);
  });

  test('knows a state by what came above the last that is to be seen', () => {
    const young = { ...state, nodes: [...state.nodes, { key: '/a/z', value: '7' }] };
    const some = [resync(5, 6, young)];
    expect(reliable(some, changes, { ...scope, upTo: 6, blind: true })).toEqual([]);
    expect(reliable(some, changes, { ...scope, upTo: 6 })).toHaveLength(1);
    expect(reliable(some, changes.slice(0, 3), { ...scope, blind: true })).toHaveLength(1);
    expect(reliable([], changes, { ...scope, upTo: 6 })).toHaveLength(2);
  });

  test('leaves the delete of an ancestor open while the key is not there', () => {
    const child: Scope = { key: '/a/b/c', recursive: false, after: 0 };
    const absent = [set(5, '/a/x'), gone(6, '/a', true)];
    expect(reliable([], absent, child)).toEqual([]);
    expect(reliable([told(absent[1]!)], absent, child)).toEqual([]);
    const present = [set(5, '/a/b/c'), gone(6, '/a', true)];
    expect(reliable([told(present[0]!)], present, child)).toEqual(['missing: 6 delete /a']);
  });
});

describe('resumable', () => {
  test('accepts exactly the rest', () => {
    expect(resumable(events, 6, events.slice(2))).toEqual([]);
  });

  test('finds one too few, too many, and another one', () => {
    expect(resumable(events, 6, events.slice(3))).toEqual([
      'resumed after 6: 8 delete /a/x in place of 7 set /a/z=7',
      'resumed after 6: undefined in place of 8 delete /a/x',
    ]);
    expect(resumable(events, 7, events.slice(2))).toHaveLength(2);
    expect(resumable(events, 7, [told(set(8, '/a/x'))])).toEqual([
      'resumed after 7: 8 set /a/x=8 in place of 8 delete /a/x',
    ]);
  });
});

describe('filtered', () => {
  test('accepts the key, what is below it, and its deleted ancestors', () => {
    const all = [set(5, '/t/a/x'), gone(6, '/t/a', true), set(7, '/t/a'), gone(8, '/t', true)];
    expect(filtered(all.map(told), all, { ...scope, key: '/t/a' })).toEqual([]);
  });

  test.each([
    ['a hidden key', set(5, '/a/_h/x')],
    ['a deeper hidden key', set(5, '/a/b/_h')],
    ['a neighbour with a like name', set(5, '/ab')],
    ['the delete of a directory with a like name', gone(5, '/', false)],
  ])('finds %s', (_, change) => {
    expect(filtered([told(change)], [change], scope)).toHaveLength(1);
  });

  test('finds the delete of /pre for /prefix, and what is below a single key', () => {
    const pre = gone(5, '/pre', true);
    expect(filtered([told(pre)], [pre], { ...scope, key: '/prefix' })).toEqual([
      'not of /prefix: 5 delete /pre',
    ]);
    expect(filtered(events, changes, { ...scope, recursive: false })).toHaveLength(4);
  });

  test('finds a hidden key in a state, but not one that is named', () => {
    const state = sync(5, { key: '/a', nodes: [{ key: '/a/_h', value: '1' }] });
    expect(filtered([state], [], scope)).toEqual(['not of /a: /a/_h in the state at 5']);
    expect(filtered([told(set(5, '/a/_h/x'))], [], { ...scope, key: '/a/_h' })).toEqual([]);
  });

  test('finds that a deleted ancestor is missing, unless a resync covers it', () => {
    const all = [set(3, '/t/a/x'), gone(6, '/t', true)];
    const below = { ...scope, key: '/t/a' };
    expect(filtered([], all, below)).toEqual(['a deleted ancestor is missing: 6 delete /t']);
    expect(filtered([resync(5, 6, { key: '/t/a' })], all, below)).toEqual([]);
  });
});

describe('needed, durable', () => {
  test('find a resync within the history, and a write that moved or is gone', () => {
    expect(needed([...events, resync(9, 2_000, { key: '/a' })])).toEqual([]);
    expect(needed([...events, resync(9, 20, { key: '/a' })])).toEqual(['a needless resync at 20, lost 9-20']);
    expect(durable([set(5, '/a/x')], changes)).toEqual(['acknowledged /a/x at 5, stored at 8']);
    expect(durable([set(6, '/a/y')], changes)).toEqual([]);
  });
});
