import { expectTypeOf } from 'expect-type';
import { enums, messages, type Answer, type Field, type Message } from '../../../lib/v3/wire/messages.js';
import {
  methodOf,
  services,
  type AnswerOf,
  type Method,
  type RequestOf,
} from '../../../lib/v3/wire/methods.js';

const scalars = ['bytes', 'string', 'bool', 'uint32', 'int64', 'uint64', 'id', 'lease'];
const all = Object.entries(messages as Record<string, Record<string, Field>>);
const methods = Object.values(services).flatMap((service) => Object.values<Method>(service.methods));

test('each field holds a scalar, an enum or a message that is in the table', () => {
  for (const [message, fields] of all)
    for (const [name, [, type]] of Object.entries(fields))
      expect([
        message,
        name,
        [...scalars, ...Object.keys(enums), ...Object.keys(messages)].includes(type),
      ]).toEqual([message, name, true]);
});

test('no two fields of a message have the same number', () => {
  for (const [message, fields] of all) {
    const numbers = Object.values(fields).map(([number]) => number);
    expect([message, numbers]).toEqual([message, [...new Set(numbers)]]);
    expect(Math.min(1, ...numbers)).toBe(1);
  }
});

test('each message is part of what some method asks or answers', () => {
  const reached = new Set<string>();
  const reach = (name: string): void => {
    const fields = (messages as Record<string, Record<string, Field>>)[name];
    if (fields === undefined || reached.has(name)) return;
    reached.add(name);
    for (const [, type] of Object.values(fields)) reach(type);
  };
  for (const { request, response } of methods) for (const name of [request, response]) reach(name);
  expect([...reached].sort()).toEqual(Object.keys(messages).sort());
});

test('gateway paths are unique, and stand below /v3; one method has none', () => {
  const paths = methods.flatMap(({ path }) => path ?? []);
  expect(new Set(paths).size).toBe(paths.length);
  expect(paths.every((path) => /^\/v3(\/[a-z-]+)+$/.test(path))).toBe(true);
  expect(methods.length - paths.length).toBe(1);
  expect(methodOf('Watch', 'Watch')).toEqual({
    path: '/v3/watch',
    request: 'WatchRequest',
    response: 'WatchResponse',
    stream: 'both',
  });
});

test('types follow from the table', () => {
  expectTypeOf<RequestOf<'KV', 'Range'>['limit']>().toEqualTypeOf<number | undefined>();
  expectTypeOf<RequestOf<'KV', 'Range'>['sort_order']>().toEqualTypeOf<
    'NONE' | 'ASCEND' | 'DESCEND' | undefined
  >();
  expectTypeOf<AnswerOf<'KV', 'Range'>['kvs']>().toEqualTypeOf<readonly Answer<'KeyValue'>[]>();
  expectTypeOf<Answer<'KeyValue'>['key']>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<Answer<'KeyValue'>['lease']>().toEqualTypeOf<string | undefined>();
  expectTypeOf<Answer<'ResponseOp'>['response_txn']>().toEqualTypeOf<Answer<'TxnResponse'> | undefined>();
  expectTypeOf<Message<'TxnRequest'>['success']>().toEqualTypeOf<
    readonly Message<'RequestOp'>[] | undefined
  >();
  expectTypeOf<Answer<'Event'>['type']>().toEqualTypeOf<'PUT' | 'DELETE'>();
  expectTypeOf<Answer<'WatchResponse'>['header']>().toEqualTypeOf<Answer<'ResponseHeader'> | undefined>();
  expectTypeOf<RequestOf<'Election', 'Observe'>>().toEqualTypeOf<Message<'LeaderRequest'>>();
});
