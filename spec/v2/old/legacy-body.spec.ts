import { modernBody } from '../../../lib/v2/old/legacy-body.js';

test.each<[string, object, object]>([
  [
    '0.2: a set is as it is, without prevNode',
    { action: 'set', node: { key: '/a', value: '2', modifiedIndex: 3, createdIndex: 3 } },
    { action: 'set', node: { key: '/a', value: '2', modifiedIndex: 3, createdIndex: 3 } },
  ],
  ...['get', 'set', 'create', 'update', 'compareAndSwap'].map((action): [string, object, object] => [
    `0.2: ${action} leaves out an empty value`,
    { action, node: { key: '/e', modifiedIndex: 5, createdIndex: 5 } },
    { action, node: { key: '/e', value: '', modifiedIndex: 5, createdIndex: 5 } },
  ]),
  ...['delete', 'expire', 'compareAndDelete'].map((action): [string, object, object] => [
    `0.2: what is gone by ${action} has no value`,
    { action, node: { key: '/e', modifiedIndex: 5, createdIndex: 5 } },
    { action, node: { key: '/e', modifiedIndex: 5, createdIndex: 5 } },
  ]),
  [
    '0.2: a directory has no value, and what lies in it has one',
    {
      action: 'get',
      node: {
        key: '/d',
        dir: true,
        nodes: [{ key: '/d/e' }, { key: '/d/s', dir: true, nodes: [{ key: '/d/s/x' }] }],
      },
    },
    {
      action: 'get',
      node: {
        key: '/d',
        dir: true,
        nodes: [
          { key: '/d/e', value: '' },
          { key: '/d/s', dir: true, nodes: [{ key: '/d/s/x', value: '' }] },
        ],
      },
    },
  ],
  [
    '0.4: what was there before has its value, empty too',
    { action: 'delete', node: { key: '/e', modifiedIndex: 6 }, prevNode: { key: '/e', modifiedIndex: 5 } },
    {
      action: 'delete',
      node: { key: '/e', modifiedIndex: 6 },
      prevNode: { key: '/e', value: '', modifiedIndex: 5 },
    },
  ],
  [
    '0.4: a directory that was there before has none',
    { action: 'delete', node: { key: '/d', dir: true }, prevNode: { key: '/d', dir: true } },
    { action: 'delete', node: { key: '/d', dir: true }, prevNode: { key: '/d', dir: true } },
  ],
  [
    'a TTL stays',
    { action: 'set', node: { key: '/a', value: '1', ttl: 5, expiration: '2024-05-06T07:08:09Z' } },
    { action: 'set', node: { key: '/a', value: '1', ttl: 5, expiration: '2024-05-06T07:08:09Z' } },
  ],
  [
    '0.2.0-rc1: the fields of the node stand in the answer',
    { action: 'set', key: '/a', prevValue: '1', value: '2', modifiedIndex: 3, ttl: 9 },
    {
      action: 'set',
      node: { key: '/a', value: '2', modifiedIndex: 3, ttl: 9 },
      prevNode: { key: '/a', value: '1' },
    },
  ],
  [
    '0.2.0-rc1: an empty value was there before',
    { action: 'set', key: '/a', prevValue: '', value: '2' },
    { action: 'set', node: { key: '/a', value: '2' }, prevNode: { key: '/a', value: '' } },
  ],
  [
    '0.2.0-rc1: a delete tells the value that was there',
    { action: 'delete', key: '/a', prevValue: '2', modifiedIndex: 4 },
    { action: 'delete', node: { key: '/a', modifiedIndex: 4 }, prevNode: { key: '/a', value: '2' } },
  ],
  [
    '0.2.0-rc1: children are kvs at every depth, and a directory has an empty value',
    {
      action: 'get',
      key: '/d',
      dir: true,
      value: '',
      kvs: [
        { key: '/d/a', value: '1', modifiedIndex: 2 },
        { key: '/d/s', dir: true, value: '', kvs: [{ key: '/d/s/x', value: '2' }] },
      ],
    },
    {
      action: 'get',
      node: {
        key: '/d',
        dir: true,
        nodes: [
          { key: '/d/a', value: '1', modifiedIndex: 2 },
          { key: '/d/s', dir: true, nodes: [{ key: '/d/s/x', value: '2' }] },
        ],
      },
    },
  ],
  [
    'what has a wrong shape stays, for the decoder to find',
    { action: 'get', node: { key: '/d', dir: true, nodes: [null, 7, { key: '/d/a', value: 7 }] } },
    { action: 'get', node: { key: '/d', dir: true, nodes: [null, 7, { key: '/d/a', value: 7 }] } },
  ],
  ...[null, 7, 'x', []].map((node): [string, object, object] => [
    `a node that is ${JSON.stringify(node)} stays`,
    { action: 'set', node, prevNode: node },
    { action: 'set', node, prevNode: node },
  ]),
  [
    'a list of children that is none stays',
    { action: 'get', node: { key: '/d', dir: true, nodes: null } },
    { action: 'get', node: { key: '/d', dir: true, nodes: null } },
  ],
  ['an answer without a node stays without one', { action: 'set' }, { action: 'set' }],
])('%s', (_, old, modern) => {
  const before = JSON.stringify(old);
  expect(modernBody(old as Record<string, unknown>)).toEqual(modern);
  expect(JSON.stringify(old)).toBe(before);
});

test('fields that are absent are not there as undefined', () => {
  const body = modernBody({ action: 'delete', node: { key: '/a' } });
  expect(Object.keys(body)).toEqual(['action', 'node']);
  expect(Object.keys(body['node'] as object)).toEqual(['key']);
});
