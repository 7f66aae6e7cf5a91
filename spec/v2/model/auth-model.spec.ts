import {
  listedRoleOf,
  listedUserOf,
  listOf,
  roleOf,
  userOf,
  userRolesOf,
} from '../../../lib/v2/model/auth-model.js';

const role = (name: string, read: string[] = [], write: string[] = []) => ({
  role: name,
  permissions: { kv: { read, write } },
});

test.each<[string, unknown, object]>([
  [
    'in full',
    { role: 'r', permissions: { kv: { read: ['/a/*'], write: ['/a/b'] } } },
    role('r', ['/a/*'], ['/a/b']),
  ],
  ['lists that are null', { role: 'r', permissions: { kv: { read: null, write: null } } }, role('r')],
  ['lists that are absent', { role: 'r', permissions: { kv: {} } }, role('r')],
  ['no kv', { role: 'r', permissions: {} }, role('r')],
  ['no permissions', { role: 'r' }, role('r')],
  ['fields that etcd adds', { role: 'r', grant: null, revoke: null }, role('r')],
  [
    'fields of other types',
    { role: 7, permissions: { kv: { read: '/a', write: [7, '/b'] } } },
    role('', [], ['/b']),
  ],
  ['nothing', undefined, role('')],
  ['null', null, role('')],
])('roleOf: %s', (_, json, expected) => {
  expect(roleOf(json)).toEqual(expected);
});

test.each<[string, unknown, object]>([
  [
    'roles in full',
    { user: 'u', roles: [{ role: 'r', permissions: { kv: { read: ['*'], write: null } } }] },
    { user: 'u', roles: [role('r', ['*'])] },
  ],
  ['names of roles', { user: 'u', roles: ['r', 's'] }, { user: 'u', roles: [{ role: 'r' }, { role: 's' }] }],
  ['roles that are null', { user: 'u', roles: null }, { user: 'u', roles: [] }],
  ['no roles', { user: 'u' }, { user: 'u', roles: [] }],
  ['nothing', null, { user: '', roles: [] }],
])('userOf: %s', (_, json, expected) => {
  expect(userOf(json)).toEqual(expected);
});

test.each<[string, unknown, object]>([
  ['with roles', { user: 'u', roles: ['r', 's'] }, { user: 'u', roles: ['r', 's'] }],
  ['roles that are null', { user: 'u', roles: null }, { user: 'u', roles: [] }],
  ['no roles', { user: 'u' }, { user: 'u', roles: [] }],
  ['nothing', undefined, { user: '', roles: [] }],
])('userRolesOf: %s', (_, json, expected) => {
  expect(userRolesOf(json)).toEqual(expected);
});

test('lists before etcd 2.3 hold names alone: what they do not tell is absent, not empty', () => {
  expect(listedRoleOf('r')).toEqual({ role: 'r' });
  expect(listedUserOf('u')).toEqual({ user: 'u' });
  expect(listedRoleOf({ role: 'r' })).toEqual(role('r'));
  expect(listedUserOf({ user: 'u', roles: ['r'] })).toEqual({ user: 'u', roles: [{ role: 'r' }] });
});

test('what else an answer holds about a user is not handed on', () => {
  const json = { user: 'u', password: 'hush', roles: [{ role: 'r', password: 'hush' }] };
  expect(JSON.stringify([userOf(json), userRolesOf(json)])).not.toContain('hush');
});

test.each<[unknown, unknown[]]>([
  [
    [1, null],
    [1, null],
  ],
  [[], []],
  [null, []],
  [undefined, []],
  [{}, []],
])('listOf(%j)', (value, list) => {
  expect(listOf(value)).toEqual(list);
});
