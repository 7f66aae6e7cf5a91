import { BadRequestError, readRole, readUserChange } from '../../../lib/testing/http/auth-body.js';

const noPermissions = { kv: { read: null, write: null } };

test('the body of a user', () => {
  expect(readUserChange('{"user":"a"}', 'a')).toEqual({
    user: 'a',
    password: '',
    roles: null,
    grant: null,
    revoke: null,
  });
  const all = { user: 'a', password: 'p', roles: [], grant: ['g'], revoke: ['r'] };
  expect(readUserChange(JSON.stringify(all), 'a')).toEqual(all);
});

test('the body of a role', () => {
  expect(readRole('{"role":"r"}', 'r')).toEqual({
    role: 'r',
    permissions: noPermissions,
    grant: undefined,
    revoke: undefined,
  });
  expect(
    readRole('{"role":"r","permissions":{"kv":{"read":["/a"]}},"grant":{},"revoke":{"kv":null}}', 'r'),
  ).toEqual({
    role: 'r',
    permissions: { kv: { read: ['/a'], write: null } },
    grant: noPermissions,
    revoke: noPermissions,
  });
});

test.each(['', '{', '[]', '{"user":1,"role":1}', '{"grant":"r"}'])(
  '%j is not JSON that etcd reads',
  (body) => {
    for (const read of [readUserChange, readRole])
      expect(() => read(body, 'a')).toThrow(new BadRequestError('Invalid JSON in request body.'));
  },
);

test.each(['null', '{}', '{"user":"b","role":"b"}'])('%j names another', (body) => {
  expect(() => readUserChange(body, 'a')).toThrow(
    new BadRequestError('User JSON name does not match the name in the URL'),
  );
  expect(() => readRole(body, 'a')).toThrow(
    new BadRequestError('Role JSON name does not match the name in the URL'),
  );
});
