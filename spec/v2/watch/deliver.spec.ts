import { Cursor } from '../../../lib/v2/watch/cursor.js';
import { deliver } from '../../../lib/v2/watch/deliver.js';
import { FakeMember, here } from '../../support/scripted/fake-member.js';

const info = { endpoint: here, status: 200, etcdIndex: 9 };
let member: FakeMember;
let cursor: Cursor;

/** What is emitted of an event, to which the position then moves. */
function arrives(index: number, node: object = {}, more: object = {}, recursive = true) {
  const delivery = deliver(member.site({ position: cursor, recursive }), {
    body: { action: 'set', node: { key: '/a', modifiedIndex: index, ...node }, ...more },
    info,
  });
  if (delivery === 'old') return 'old';
  cursor.moveTo(delivery);
  return delivery.events[0];
}

beforeEach(() => {
  member = new FakeMember();
  cursor = new Cursor(10);
});

test('an event moves the cursor, and is told as etcd told it', () => {
  const prevNode = { key: '/a', value: 'old', modifiedIndex: 4 };
  expect(arrives(12, { value: 'new' }, { prevNode })).toEqual({
    action: 'set',
    node: { key: '/a', value: 'new', modifiedIndex: 12 },
    prevNode,
    index: 12,
    info,
  });
  expect([cursor.next, member.watermark.value]).toEqual([13, 12]);
});

test('no prevNode is none', () => {
  expect(arrives(12)).not.toHaveProperty('prevNode');
});

test.each([9, 10])('once: an event of index %i, delivered before, is old and moves nothing', (index) => {
  arrives(10);
  expect([arrives(index), cursor.next]).toEqual(['old', 11]);
});

test.each<[string, object, boolean]>([
  ['a hidden key', { key: '/a/_h' }, true],
  ['a neighbour', { key: '/ab' }, true],
  ['a key below, not recursive', { key: '/a/b' }, false],
])('%s is of no interest, yet moves the cursor', (_, node, recursive) => {
  expect([arrives(15, node, {}, recursive), cursor.next]).toEqual([undefined, 16]);
});

test('the root has a key, too', () => {
  const delivery = deliver(member.site({ position: cursor, target: { key: '/', recursive: true } }), {
    body: { action: 'set', node: { key: '/b', modifiedIndex: 12 } },
    info,
  });
  expect(delivery).toMatchObject({ events: [{ node: { key: '/b' } }], next: 13 });
});

test('an answer without a node has no index, so it is old', () => {
  const delivery = deliver(member.site({ position: cursor }), {
    body: { action: 'set' },
    info,
  });
  expect([delivery, cursor.next]).toEqual(['old', 10]);
});

test('keys with a TTL are counted as they come and go, whether of interest or not', () => {
  const mortal = { expiration: '2030-01-01T00:00:00Z' };
  arrives(11, mortal);
  arrives(12, { key: '/a/_hidden', ...mortal });
  expect(cursor.keysWithTtl).toBe(2);
  // Set again with a TTL: one key still.
  arrives(13, mortal, { prevNode: { key: '/a', ...mortal } });
  expect(cursor.keysWithTtl).toBe(2);
  arrives(14, {}, { action: 'expire', prevNode: { key: '/a', ...mortal } });
  expect(cursor.keysWithTtl).toBe(1);
  // What was seen before is not counted again.
  arrives(14, mortal);
  expect(cursor.keysWithTtl).toBe(1);
});
