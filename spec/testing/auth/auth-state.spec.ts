import { AuthState } from '../../../lib/testing/auth/auth-state.js';

let state: AuthState;

beforeEach(() => (state = new AuthState()));

const createRoot = () =>
  state.users.create({ user: 'root', password: 'r', roles: null, grant: null, revoke: null });

test('it is turned on once there is root, which brings the guests', () => {
  expect(() => state.enable()).toThrow('auth: No root user available, please create one');
  expect(state.enabled).toBe(false);
  expect(state.writes.value).toBe(0);
  createRoot();
  state.enable();
  expect(state.enabled).toBe(true);
  expect(state.roles.names()).toEqual(['guest', 'root']);
  expect(state.writes.value).toBe(4 + 3);
  expect(() => state.enable()).toThrow('auth: already enabled');
  expect(state.writes.value).toBe(4 + 3);
});

test('it is turned off once, and forgets nobody', () => {
  expect(() => state.disable()).toThrow('auth: already disabled');
  createRoot();
  state.enable();
  state.disable();
  expect(state.enabled).toBe(false);
  expect(() => state.disable()).toThrow('auth: already disabled');
  expect([state.users.names(), state.roles.names()]).toEqual([['root'], ['guest', 'root']]);
});

test('root is deleted only while it is off', () => {
  createRoot();
  state.enable();
  expect(() => state.deleteUser('root')).toThrow('auth: Cannot delete root user while auth is enabled.');
  expect(() => state.deleteUser('a')).toThrow('auth: User a does not exist');
  state.disable();
  state.deleteUser('root');
  expect(state.users.names()).toEqual([]);
});
