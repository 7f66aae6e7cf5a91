import { WriteCount } from '../../../lib/testing/auth/records.js';
import { Users, type UserChange } from '../../../lib/testing/auth/users.js';

let users: Users;

beforeEach(() => (users = new Users(new WriteCount())));

const change = (user: string, changes: Partial<UserChange> = {}): UserChange => ({
  user,
  password: '',
  roles: null,
  grant: null,
  revoke: null,
  ...changes,
});
const create = (user: string, roles: string[] | null = null) =>
  users.create(change(user, { password: 'first', roles }));
const errorOf = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('it was done');
};

test('a user is created once, listed, deleted', () => {
  expect(create('b').roles).toBeNull();
  expect(create('a', ['r', 'q', 'r']).roles).toEqual(['r', 'q', 'r']);
  expect(users.names()).toEqual(['a', 'b']);
  expect(users.get('b').password.matches('first')).toBe(true);
  expect(errorOf(() => create('a'))).toMatchObject({ status: 409, message: 'auth: User a already exists.' });
  users.delete('a');
  expect(users.find('a')).toBeUndefined();
  expect(errorOf(() => users.get('a'))).toMatchObject({
    status: 404,
    message: 'auth: User a does not exist.',
  });
  expect(errorOf(() => users.delete('a'))).toMatchObject({
    status: 404,
    message: 'auth: User a does not exist',
  });
});

test('none is created without a password, not even one that exists', () => {
  create('a');
  for (const name of ['a', 'b'])
    expect(errorOf(() => users.create(change(name)))).toMatchObject({
      status: 400,
      message: `auth: Cannot create user ${name} with an empty password`,
    });
  expect(users.names()).toEqual(['a']);
});

test('root has its role, whatever was revoked', () => {
  expect(create('root', ['z']).roles).toEqual(['z', 'root']);
  expect(users.update(change('root', { revoke: ['root', 'z'] })).roles).toEqual([]);
  expect(users.get('root').roles).toEqual(['root']);
});

test('the password changes alone, or with roles', () => {
  create('a', ['r']);
  users.update(change('a', { password: 'second' }));
  expect(users.get('a').roles).toEqual(['r']);
  expect(['first', 'second'].map((p) => users.get('a').password.matches(p))).toEqual([false, true]);
  users.update(change('a', { password: 'second', grant: ['q'] }));
  expect(users.get('a').roles).toEqual(['q', 'r']);
});

test('roles are granted, then revoked, whether they exist or not', () => {
  create('a', ['r', 'r']);
  expect(users.update(change('a', { grant: ['z', 'b'], revoke: ['r', 'z'] })).roles).toEqual(['b']);
  expect(users.get('a').password.matches('first')).toBe(true);
});

test.each([
  [{ grant: ['q', 'r'] }, 409, 'auth: Granting duplicate role r for user a'],
  [{ grant: ['q', 'q'] }, 409, 'auth: Granting duplicate role q for user a'],
  [{ grant: ['q'], revoke: ['none'] }, 409, 'auth: Revoking ungranted role none for user a'],
  [{ revoke: ['r', 'r'] }, 409, 'auth: Revoking ungranted role r for user a'],
  [{}, 400, 'auth: User not updated. Use grant/revoke/password to update the user.'],
  [
    { grant: ['q'], revoke: ['q'] },
    400,
    'auth: User not updated. Use grant/revoke/password to update the user.',
  ],
])('%j is refused and changes nothing', (changes, status, message) => {
  create('a', ['r']);
  expect(errorOf(() => users.update(change('a', changes)))).toMatchObject({ status, message });
  expect(users.get('a').roles).toEqual(['r']);
});

test('a missing list, or one out of order, is mended once', () => {
  create('a');
  create('b', ['z', 'c']);
  expect(users.update(change('a')).roles).toEqual([]);
  expect(users.update(change('b')).roles).toEqual(['c', 'z']);
  for (const name of ['a', 'b'])
    expect(errorOf(() => users.update(change(name)))).toMatchObject({ status: 400 });
});

test('one that is missing is not made by a change', () => {
  expect(errorOf(() => users.update(change('a', { password: 'p', grant: ['r'] })))).toMatchObject({
    status: 404,
  });
  expect(users.names()).toEqual([]);
});
