import { memberOf, membersOf, stringsOf } from '../../../lib/v2/wire/member-json.js';

const nobody = { id: '', name: '', clientURLs: [], peerURLs: [] };

test.each<[string, Record<string, unknown>, object]>([
  [
    'a member that has started',
    { id: 'a1', name: 'n0', clientURLs: ['http://n0:2379'], peerURLs: ['http://n0:2380', 'http://m0:2380'] },
    { id: 'a1', name: 'n0', clientURLs: ['http://n0:2379'], peerURLs: ['http://n0:2380', 'http://m0:2380'] },
  ],
  [
    'one that has not',
    { id: 'a1', name: '', peerURLs: ['http://n0:2380'], clientURLs: [] },
    { ...nobody, id: 'a1', peerURLs: ['http://n0:2380'] },
  ],
  ['lists that are null', { id: 'a1', peerURLs: null, clientURLs: null }, { ...nobody, id: 'a1' }],
  [
    'fields of other types',
    { id: 7, name: {}, clientURLs: 'http://n0', peerURLs: [7, 'http://p'] },
    { ...nobody, peerURLs: ['http://p'] },
  ],
  ['fields of a later release', { id: 'a1', isLearner: true }, { ...nobody, id: 'a1' }],
  ['nothing', {}, nobody],
])('memberOf: %s', (_, json, member) => {
  expect(memberOf(json)).toEqual(member);
});

test.each<[string, Record<string, unknown>, string[]]>([
  ['two', { members: [{ id: 'a1' }, { id: 'b2' }] }, ['a1', 'b2']],
  ['none', { members: [] }, []],
  ['null', { members: null }, []],
  ['no list', { members: { id: 'a1' } }, []],
  ['absent', {}, []],
  ['with gaps', { members: [null, 7, [], {}, { id: '' }, { id: 'a1' }] }, ['a1']],
])('membersOf: %s', (_, json, ids) => {
  expect(membersOf(json).map((m) => m.id)).toEqual(ids);
});

test.each<[unknown, string[]]>([
  [
    ['a', 'b'],
    ['a', 'b'],
  ],
  [
    ['a', 7, null, ''],
    ['a', ''],
  ],
  [[], []],
  [null, []],
  [undefined, []],
  ['a', []],
  [{ 0: 'a', length: 1 }, []],
])('stringsOf(%j)', (value, strings) => {
  expect(stringsOf(value)).toEqual(strings);
});
