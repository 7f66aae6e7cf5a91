import { Roles, type Role } from '../../../lib/testing/auth/roles.js';
import { WriteCount } from '../../../lib/testing/auth/records.js';

let roles: Roles;

beforeEach(() => (roles = new Roles(new WriteCount())));

const kv = (read: string[] | null, write: string[] | null = null) => ({ kv: { read, write } });
const role = (name: string, changes: Partial<Role> = {}): Role => ({
  role: name,
  permissions: kv(null),
  grant: undefined,
  revoke: undefined,
  ...changes,
});
const all = kv(['/*'], ['/*']);
const refused = (status: number, message: string) => expect.objectContaining({ status, message }) as Error;
const errorOf = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('it was done');
};

test('root is there, may do all, and stays as it is', () => {
  expect(roles.get('root')).toEqual(role('root', { permissions: all }));
  expect(roles.names()).toEqual(['root']);
  for (const act of [
    () => roles.create(role('root')),
    () => roles.update(role('root', { grant: kv(['/a']) })),
    () => roles.delete('root'),
  ])
    expect(errorOf(act)).toEqual(refused(403, 'auth: Cannot modify role root: is root role.'));
  expect(roles.may('root', 'write', '', true)).toBe(true);
});

test('a role is created once, listed, deleted', () => {
  const created = role('r', { permissions: kv(['/b', '/a']), grant: kv(null) });
  expect(roles.create(created)).toEqual(created);
  roles.create(role('z'));
  expect(roles.get('r')).toEqual(created);
  expect(roles.names()).toEqual(['r', 'root', 'z']);
  expect(errorOf(() => roles.create(role('r')))).toEqual(refused(409, 'auth: Role r already exists.'));
  roles.delete('r');
  expect(roles.find('r')).toBeUndefined();
  expect(errorOf(() => roles.delete('r'))).toEqual(refused(404, "auth: Role r doesn't exist."));
  expect(errorOf(() => roles.get('r'))).toEqual(refused(404, 'auth: Role r does not exist.'));
});

test('guest is made once, and left alone if it is there', () => {
  roles.ensureGuest();
  expect(roles.get('guest')).toEqual(role('guest', { permissions: all }));
  roles.update(role('guest', { revoke: all }));
  roles.ensureGuest();
  expect(roles.get('guest').permissions).toEqual(kv([], []));
});

test('permissions are granted, then revoked', () => {
  roles.create(role('r', { permissions: kv(['/a'], ['/a']) }));
  const changes = { grant: kv(['/b', '/0']), revoke: kv(['/a', '/b'], ['/none']) };
  const updated = role('r', { permissions: kv(['/0'], ['/a']) });
  expect(roles.update(role('r', changes))).toEqual(updated);
  expect(roles.get('r')).toEqual(updated);
});

test('a refused change changes nothing', () => {
  roles.create(role('r', { permissions: kv(['/a'], []) }));
  for (const [changes, status, message] of [
    [{ grant: kv(['/b', '/a']) }, 409, 'auth: Granting duplicate read permission /a'],
    [{ revoke: kv(['/none']) }, 400, 'auth: Role not updated. Use grant/revoke to update the role.'],
  ] as const)
    expect(errorOf(() => roles.update(role('r', changes)))).toEqual(refused(status, message));
  expect(errorOf(() => roles.update(role('none', { grant: all })))).toEqual(
    refused(404, 'auth: Role none does not exist.'),
  );
  expect(roles.get('r').permissions).toEqual(kv(['/a'], []));
  expect(roles.names()).toEqual(['r', 'root']);
});

test.each([
  ['a missing list', { permissions: kv(null, []) }],
  ['disorder', { permissions: kv(['/b', '/a'], []) }],
  ['what is left of the first body', { permissions: kv([], []), grant: kv(null) }],
])('to mend %s is a change', (_, initial) => {
  roles.create(role('r', initial));
  const nothing = role('r', { revoke: kv(['/none']) });
  expect(roles.update(nothing)).not.toEqual(role('r', initial));
  expect(errorOf(() => roles.update(nothing))).toMatchObject({ status: 400 });
});

test('a role may what its patterns cover', () => {
  roles.create(role('r', { permissions: kv(['/a', '/b/*'], ['/b/*']) }));
  expect(roles.may('r', 'read', '/a', false)).toBe(true);
  expect(roles.may('r', 'read', '/a', true)).toBe(false);
  expect(roles.may('r', 'write', '/a', false)).toBe(false);
  expect(roles.may('r', 'write', '/b/c', true)).toBe(true);
  expect(roles.may('none', 'read', '/a', false)).toBe(false);
});
