import type { Clock } from '../../../lib/testing/store/clock.js';
import { Store } from '../../../lib/testing/store/store.js';
import type { Condition, Written } from '../../../lib/testing/store/store.js';
import { StoreError } from '../../../lib/testing/store/store-error.js';

const second = 1_000_000_000n;

class TestClock implements Clock {
  time = BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n;

  now(): bigint {
    return this.time;
  }

  in(seconds: number): bigint {
    return this.time + BigInt(seconds) * second;
  }
}

let clock: TestClock;
let store: Store;
beforeEach(() => {
  clock = new TestClock();
  store = new Store({ clock, namespaces: ['/0', '/1'] });
});

const anything: Condition = { prevValue: '', prevIndex: 0n };
const keysBelow = (path: string): string[] =>
  (store.get(path, true, true).node.nodes ?? []).map(({ key }) => key);

function refusal(call: () => unknown): Pick<StoreError, 'errorCode' | 'reason' | 'index'> {
  try {
    call();
  } catch (error) {
    if (error instanceof StoreError) {
      const { errorCode, reason, index } = error;
      return { errorCode, reason, index };
    }
    throw error;
  }
  throw new Error('it was not refused');
}

describe('files', () => {
  test('set makes a file and the directories above it, all with one index', () => {
    const event = store.set('/1/a/b', { value: 'v' });
    expect(event).toEqual({
      action: 'set',
      node: { key: '/1/a/b', value: 'v', modifiedIndex: 1, createdIndex: 1 },
      index: 1,
    });
    expect(store.get('/1/a').node).toMatchObject({ dir: true, modifiedIndex: 1, createdIndex: 1 });
  });

  test('set starts a file anew, update and compareAndSwap keep when it was created', () => {
    store.set('/1/k', { value: '1' });
    store.update('/1/k', { value: '2' });
    store.compareAndSwap('/1/k', { ...anything, prevIndex: 2n }, { value: '3' });
    expect(store.get('/1/k').node).toMatchObject({ value: '3', createdIndex: 1, modifiedIndex: 3 });
    expect(store.set('/1/k', { value: '4' })).toMatchObject({
      node: { createdIndex: 4, modifiedIndex: 4 },
      prevNode: { value: '3', createdIndex: 1 },
    });
  });

  test('a key in order is named after its index, with 20 digits', () => {
    expect(store.create('/1/q', { value: 'v' }, true).node.key).toBe('/1/q/00000000000000000001');
    expect(store.create('/1/q', { dir: true }, true).node).toMatchObject({
      key: '/1/q/00000000000000000002',
      dir: true,
    });
  });

  test('a refused call changes nothing', () => {
    store.set('/1/file', { value: 'v' });
    store.set('/1/dir', { dir: true });
    store.set('/1/dir/k', { value: 'v' });
    const before = JSON.stringify(store.get('/', true, true));
    const value: Written = { value: 'x' };
    expect([
      refusal(() => store.get('/1/none/below')),
      refusal(() => store.get('/1/file/below')),
      refusal(() => store.set('/1/dir', value)),
      refusal(() => store.set('/1/file/below', value)),
      refusal(() => store.set('/1', value)),
      refusal(() => store.set('/1/none', { ...value, refresh: true })),
      refusal(() => store.create('/1/file', value)),
      refusal(() => store.create('/1/file', value, true)),
      refusal(() => store.update('/1/dir', value)),
      refusal(() => store.update('/1/none', value)),
      refusal(() => store.compareAndSwap('/1/dir', anything, value)),
      refusal(() => store.compareAndSwap('/1/file', { prevValue: 'y', prevIndex: 9n }, value)),
      refusal(() => store.compareAndDelete('/1/file', { prevValue: 'v', prevIndex: 9n })),
      refusal(() => store.delete('/1/dir', {})),
      refusal(() => store.delete('/1/dir', { dir: true })),
      refusal(() => store.delete('/1', { recursive: true })),
    ]).toEqual([
      { errorCode: 100, reason: '/1/none', index: 3 },
      { errorCode: 104, reason: '/1/file', index: 3 },
      { errorCode: 102, reason: '/1/dir', index: 3 },
      { errorCode: 104, reason: '/1/file', index: 3 },
      { errorCode: 107, reason: '/', index: 3 },
      { errorCode: 100, reason: '/1/none', index: 3 },
      { errorCode: 105, reason: '/1/file', index: 3 },
      { errorCode: 104, reason: '/1/file', index: 3 },
      { errorCode: 102, reason: '/1/dir', index: 3 },
      { errorCode: 100, reason: '/1/none', index: 3 },
      { errorCode: 102, reason: '/1/dir', index: 3 },
      { errorCode: 101, reason: '[y != v] [9 != 1]', index: 3 },
      { errorCode: 101, reason: '[9 != 1]', index: 3 },
      { errorCode: 102, reason: '/1/dir', index: 3 },
      { errorCode: 108, reason: '/1/dir', index: 3 },
      { errorCode: 107, reason: '/', index: 3 },
    ]);
    expect(JSON.stringify(store.get('/', true, true))).toBe(before);
  });
});

describe('directories', () => {
  test('hidden entries are left out of a listing, and read by their name', () => {
    store.set('/1/d/_h', { value: '1' });
    store.set('/1/d/_hd/k', { value: '2' });
    store.set('/1/d/k', { value: '3' });
    expect(keysBelow('/1/d')).toEqual(['/1/d/k']);
    expect(keysBelow('/1/d/_hd')).toEqual(['/1/d/_hd/k']);
    expect(store.get('/1/d/_h').node.value).toBe('1');
  });

  test('a sorted listing is in the order of bytes', () => {
    for (const name of ['b', '\u{1f600}', 'a', '\uffee', 'ü']) store.set(`/1/d/${name}`, { value: '' });
    expect(keysBelow('/1/d')).toEqual(['a', 'b', 'ü', '\uffee', '\u{1f600}'].map((name) => `/1/d/${name}`));
  });

  test('a directory replaces a file, and keeps its modifiedIndex when it is updated', () => {
    store.set('/1/d', { value: 'v' });
    expect(store.set('/1/d', { dir: true }).prevNode).toMatchObject({ value: 'v' });
    expect(store.update('/1/d', {}).node.modifiedIndex).toBe(3);
    expect(store.get('/1/d').node.modifiedIndex).toBe(2);
  });

  test('delete takes all below with it', () => {
    store.set('/1/d/e/k', { value: 'v', expireTime: clock.in(1) });
    expect(store.delete('/1/d', { recursive: true })).toMatchObject({
      node: { key: '/1/d', dir: true, modifiedIndex: 2, createdIndex: 1 },
      prevNode: { key: '/1/d', dir: true },
    });
    expect(refusal(() => store.get('/1/d/e/k')).reason).toBe('/1/d');
    expect(store.expires).toBe(false);
  });
});

describe('expiry', () => {
  test('a TTL is told in seconds rounded up, its end with up to nine decimals', () => {
    clock.time += 123_456_700n;
    store.set('/1/k', { value: '', expireTime: clock.in(30) });
    clock.time += second / 2n;
    expect(store.get('/1/k').node).toMatchObject({ expiration: '2026-01-01T00:00:30.1234567Z', ttl: 30 });
    clock.time += second;
    expect(store.get('/1/k').node.ttl).toBe(29);
  });

  test('what expires does so in the order of time, whatever the order it was set in', () => {
    for (const [name, ttl] of Object.entries({ c: 3, a: 1, d: 4, b: 2, later: 9 }))
      store.set(`/1/${name}`, { value: '', expireTime: clock.in(ttl) });
    store.update('/1/c', { expireTime: clock.in(1) + 1n });
    store.update('/1/d', {});
    const watcher = store.watch('/1', { recursive: true, stream: true, since: 0 });
    store.expire(clock.in(5));
    const gone = [1, 2, 3].map(() => watcher.take()?.node.key);
    expect(gone).toEqual(['/1/a', '/1/c', '/1/b']);
    expect(watcher.take()).toBeUndefined();
    expect(keysBelow('/1')).toEqual(['/1/d', '/1/later']);
    expect(store.counts.expireCount).toBe(3);
  });

  test('refresh keeps the value and tells no watcher, live or late', () => {
    store.set('/1/k', { value: 'v', expireTime: clock.in(1) });
    const live = store.watch('/1/k', { recursive: false, stream: false, since: 0 });
    expect(store.update('/1/k', { refresh: true, expireTime: clock.in(9) }).node).toMatchObject({
      value: 'v',
      ttl: 9,
    });
    expect(live.take()).toBeUndefined();
    expect(store.watch('/1/k', { recursive: false, stream: false, since: 2 }).take()).toBeUndefined();
    expect(store.index).toBe(2);
  });

  test('a time long gone means no TTL', () => {
    store.set('/1/k', { value: '', expireTime: 5n });
    expect(store.get('/1/k').node.ttl).toBeUndefined();
    expect(store.expires).toBe(false);
  });
});

describe('watches', () => {
  const watch = (path: string, { recursive = false, stream = true, since = 0 } = {}) =>
    store.watch(path, { recursive, stream, since });
  const taken = (watcher: ReturnType<typeof watch>): string[] => {
    const events: string[] = [];
    for (let event = watcher.take(); event; event = watcher.take())
      events.push(`${event.action} ${event.node.key}`);
    return events;
  };

  test('one that is not recursive hears of its key alone, one that is of all below but what is hidden', () => {
    const one = watch('/1/d');
    const all = watch('/1/d', { recursive: true });
    const hidden = watch('/1/d/_h');
    store.set('/1/d/k', { value: '' });
    store.set('/1/d/_h', { value: '' });
    store.set('/1/d/_hd/k', { value: '' });
    store.set('/1/e', { value: '' });
    expect(taken(one)).toEqual([]);
    expect(taken(all)).toEqual(['set /1/d/k']);
    expect(taken(hidden)).toEqual(['set /1/d/_h']);
  });

  test('a long poll leaves after its first event, a stream stays', () => {
    const poll = watch('/1/k', { stream: false });
    const stream = watch('/1/k');
    expect(store.counts.watchers).toBe(2);
    store.set('/1/k', { value: '' });
    store.set('/1/k', { value: '' });
    expect([taken(poll).length, taken(stream).length, store.counts.watchers]).toEqual([1, 2, 1]);
    stream.remove();
    stream.remove();
    expect(store.counts.watchers).toBe(0);
  });

  test('who watches what is deleted hears of it twice, who watches below it once', () => {
    store.set('/1/d/k', { value: '' });
    const [dir, key, above] = [watch('/1/d'), watch('/1/d/k'), watch('/1', { recursive: true })];
    store.delete('/1/d', { recursive: true });
    expect([taken(dir), taken(key), taken(above)]).toEqual([
      ['delete /1/d', 'delete /1/d'],
      ['delete /1/d'],
      ['delete /1/d'],
    ]);
  });

  test('one that begins in history gets one event of it and then, as a stream, nothing more', () => {
    store.set('/1/k', { value: '1' });
    store.set('/1/k', { value: '2' });
    const late = watch('/1/k', { since: 1 });
    store.set('/1/k', { value: '3' });
    expect(late.startIndex).toBe(2);
    expect(taken(late)).toEqual(['set /1/k']);
    expect(store.counts.watchers).toBe(0);
  });

  test('history is less exact: hidden keys match, and so does a deleted directory with a shorter name', () => {
    store.set('/1/_h', { value: '' });
    store.set('/1/pre', { dir: true });
    store.delete('/1/pre', { recursive: true });
    expect(taken(watch('/1', { recursive: true, since: 1 }))).toEqual(['set /1/_h']);
    expect(taken(watch('/1/prefix', { since: 1 }))).toEqual(['delete /1/pre']);
  });

  test('a future index passes over what comes before it', () => {
    const later = watch('/1/k', { since: 3 });
    for (const value of ['1', '2', '3']) store.set('/1/k', { value });
    expect(later.take()?.index).toBe(3);
  });

  test('the last 1,000 events are remembered, of all keys together', () => {
    for (let i = 0; i < 2_500; i++) store.set(`/1/k${i % 7}`, { value: '' });
    expect(refusal(() => watch('/1/k0', { since: 1_500 }))).toEqual({
      errorCode: 401,
      reason: 'the requested history has been cleared [1501/1500]',
      index: 2_500,
    });
    expect(watch('/1', { recursive: true, since: 1_501 }).take()?.index).toBe(1_501);
    store.clearHistory();
    expect(refusal(() => watch('/1/k0', { since: 2_500 })).errorCode).toBe(401);
    expect(watch('/1/k0', { since: 2_501 }).take()).toBeUndefined();
  });

  test('one that takes nothing holds 100 events and is then dropped in silence', () => {
    const slow = watch('/1/k');
    for (let i = 0; i < 150; i++) store.set('/1/k', { value: '' });
    expect(store.counts.watchers).toBe(0);
    expect(taken(slow)).toHaveLength(100);
  });
});

test('successes and failures are counted by kind', () => {
  store.set('/1/k', { value: '1' });
  store.create('/1/c', { value: '1' });
  store.update('/1/k', { value: '2' });
  store.compareAndSwap('/1/k', { ...anything, prevValue: '2' }, { value: '3' });
  store.compareAndDelete('/1/k', { ...anything, prevValue: '3' });
  store.delete('/1/c', {});
  for (const call of [
    () => store.get('/1/k'),
    () => store.set('/1', {}),
    () => store.create('/1', {}),
    () => store.update('/1/k', {}),
    () => store.compareAndSwap('/1/k', anything, {}),
    () => store.compareAndDelete('/1/k', anything),
    () => store.delete('/1/k', {}),
  ])
    refusal(call);
  expect(
    new Set(
      Object.entries(store.counts)
        .filter(([name]) => name !== 'getsSuccess')
        .map(([, n]) => n),
    ),
  ).toEqual(new Set([1, 0]));
  expect(store.counts).toMatchObject({
    expireCount: 0,
    watchers: 0,
    setsSuccess: 1,
    deleteFail: 1,
    getsFail: 1,
  });
});
