import { inspect } from 'node:util';
import { EtcdClient, isInvalidOption } from 'rxetcd';
import type { Observable } from 'rxjs';
import { rejectionOf } from '../../support/jest/rejection.js';

const hush = 'hush-hush';
const no = (v: unknown): never => v as never;
const client = new EtcdClient();
afterAll(() => client.close());

test.each<[string, () => Observable<unknown>]>([
  ['updateUser$ with another name for it', () => client.auth.updateUser$('u', no({ pw: hush }))],
  ['updateUser$ with the password alone', () => client.auth.updateUser$('u', no(hush))],
  [
    'createUser$ with one object',
    () => client.auth.createUser$(no({ user: 'u', password: hush }), no(undefined)),
  ],
  ['createUser$ with an object behind the name', () => client.auth.createUser$('u', no({ password: hush }))],
  ['createUser$ with one argument too many', () => client.auth.createUser$('u', 'x', no(hush))],
  ['deleteUser$ with one argument too many', () => client.auth.deleteUser$('u', no(hush))],
  ['set$ with one object', () => client.set$(no({ key: '/k', value: hush }), no(undefined))],
  ['set$ with an unknown option', () => client.set$('/k', 'v', no({ prevVal: hush }))],
])('a mistaken call shows no secret: %s', async (_, call) => {
  const error = await rejectionOf(call());
  expect(isInvalidOption(error)).toBe(true);
  const { value, message } = error as { value: unknown; message: string };
  expect(
    [message, inspect(error), inspect(value, { depth: 5 }), JSON.stringify([error, value])].join(),
  ).not.toContain(hush);
});
