import * as fc from 'fast-check';
import { decodeJson, encodeJson, ShapeError } from '../../../lib/v3/wire/json-codec.js';
import {
  enums,
  messages,
  type EnumName,
  type Field,
  type Message,
  type MessageName,
} from '../../../lib/v3/wire/messages.js';
import { isInvalidOption } from 'rxetcd';
import { forAll } from '../../support/values/for-all.js';

const parsed = (text: string): unknown => JSON.parse(text);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What is thrown: its class and its words. */
function thrown(work: () => unknown): string {
  try {
    return `nothing: ${JSON.stringify(work())}`;
  } catch (error) {
    return String(error);
  }
}

describe('requests', () => {
  test('bytes are base64, 64-bit integers text, names those of etcd; what is not given is not sent', () => {
    const text = encodeJson('RangeRequest', {
      key: utf8('/a'),
      range_end: Uint8Array.of(0),
      limit: 10,
      revision: undefined,
      sort_order: 'DESCEND',
      serializable: false,
    });
    expect(parsed(text)).toEqual({
      key: 'L2E=',
      range_end: 'AA==',
      limit: '10',
      sort_order: 'DESCEND',
      serializable: false,
    });
    expect(encodeJson('StatusRequest', {})).toBe('{}');
  });

  test('a choice of 0 is sent: it says what is compared', () => {
    const text = encodeJson('TxnRequest', {
      compare: [{ target: 'CREATE', result: 'EQUAL', key: utf8('a'), create_revision: 0 }],
      success: [{ request_txn: { success: [{ request_put: { key: utf8('a') } }] } }],
    });
    expect(parsed(text)).toEqual({
      compare: [{ target: 'CREATE', result: 'EQUAL', key: 'YQ==', create_revision: '0' }],
      success: [{ request_txn: { success: [{ request_put: { key: 'YQ==' } }] } }],
    });
  });

  test.each([
    ['ffffffffffffffff', '18446744073709551615'],
    ['1', '1'],
    ['0', '0'],
    ['00000000000000ff', '255'],
    ['8E9E05C52164694D', '10276657743932975437'],
  ])('the member %s is %s', (ID, decimal) => {
    expect(parsed(encodeJson('MemberRemoveRequest', { ID }))).toEqual({ ID: decimal });
  });

  test.each([
    ['7fffffffffffffff', '9223372036854775807'],
    ['-000000000000005', '-5'],
    ['694d8e9e05c52164', '7587877756541935972'],
  ])('the lease %s is %s', (ID, decimal) => {
    expect(parsed(encodeJson('LeaseRevokeRequest', { ID }))).toEqual({ ID: decimal });
  });

  test.each<[string, MessageName, object]>([
    ['a name that etcd does not know', 'RangeRequest', { rangeEnd: utf8('b') }],
    ['text in place of bytes', 'RangeRequest', { key: 'a' }],
    ['half an integer', 'RangeRequest', { limit: 1.5 }],
    ['an integer above 2^53', 'RangeRequest', { revision: 2 ** 53 }],
    ['an integer as text', 'RangeRequest', { revision: '5' }],
    ['a value that an enum lacks', 'RangeRequest', { sort_order: 'descend' }],
    ['a truth as text', 'RangeRequest', { serializable: 'true' }],
    ['null', 'RangeRequest', { key: null }],
    ['half a surrogate pair', 'AuthenticateRequest', { name: 'a\ud800' }],
    ['no list', 'TxnRequest', { success: {} }],
    ['a list of something else', 'TxnRequest', { success: [1] }],
    ['two choices', 'RequestOp', { request_put: {}, request_range: {} }],
    ['a member that is no hexadecimal text', 'MemberRemoveRequest', { ID: '8g' }],
    ['a member below 0', 'MemberRemoveRequest', { ID: '-1' }],
    ['a member of 65 bits', 'MemberRemoveRequest', { ID: '10000000000000000' }],
    ['a lease of 64 bits', 'LeaseRevokeRequest', { ID: '8000000000000000' }],
    ['a lease as a number', 'LeaseRevokeRequest', { ID: 5 }],
  ])('%s is refused before anything is sent', (_, name, message) => {
    expect(thrown(() => encodeJson(name, message))).toMatch(/^InvalidOptionError: /);
  });

  test('what is refused is named, and no text of it shown', () => {
    const words = thrown(() =>
      encodeJson('TxnRequest', {
        success: [{ request_put: { value: 'hunter2' } }],
      } as unknown as Message<'TxnRequest'>),
    );
    expect(words).toBe(
      'InvalidOptionError: TxnRequest.success[0].request_put.value: expected a Uint8Array, got a value not shown',
    );
  });

  test('a message that holds itself is refused, not followed to the end of the stack', () => {
    const txn: { success: unknown[] } = { success: [] };
    txn.success.push({ request_txn: txn });
    expect(() => encodeJson('TxnRequest', txn as Message<'TxnRequest'>)).toThrow(/at most 500 levels/);
  });
});

describe('answers', () => {
  test("what is left out is etcd's default; an id of 0 names nothing", () => {
    expect(decodeJson('RangeResponse', {})).toEqual({ header: undefined, kvs: [], more: false, count: 0 });
    expect(decodeJson('KeyValue', { lease: '0' })).toEqual({
      key: new Uint8Array(),
      create_revision: 0,
      mod_revision: 0,
      version: 0,
      value: new Uint8Array(),
      lease: undefined,
    });
    expect(decodeJson('Event', { kv: null }).type).toBe('PUT');
    expect(decodeJson('ResponseOp', { response_put: {} })).toEqual({
      response_range: undefined,
      response_put: { header: undefined, prev_kv: undefined },
      response_delete_range: undefined,
      response_txn: undefined,
    });
  });

  test('ids are what etcdctl prints', () => {
    const header = decodeJson('ResponseHeader', {
      cluster_id: '7398859741069274112',
      member_id: '18446744073709551615',
      revision: '10',
      raft_term: '2',
    });
    expect(header).toEqual({
      cluster_id: '66ae07bbd15f6c00',
      member_id: 'ffffffffffffffff',
      revision: 10,
      raft_term: 2,
    });
    expect(decodeJson('LeaseStatus', { ID: '777' }).ID).toBe('0000000000000309');
    expect(decodeJson('LeaseStatus', { ID: '-5' }).ID).toBe('-000000000000005');
  });

  test('what is not known is ignored', () => {
    expect(decodeJson('CompactionResponse', { newest: [{}], header: { other: 1, revision: 7 } })).toEqual({
      header: { cluster_id: undefined, member_id: undefined, revision: 7, raft_term: 0 },
    });
  });

  test.each([
    ['9007199254740991', 2 ** 53 - 1],
    ['-9007199254740991', -(2 ** 53 - 1)],
    [7, 7],
    ['007', 7],
  ])('the revision %j is read', (revision, read) => {
    expect(decodeJson('ResponseHeader', { revision }).revision).toBe(read);
  });

  test.each<[MessageName, string, string]>([
    [
      'ResponseHeader',
      '{"revision":"9007199254740992"}',
      '.revision is above 2^53, which no number here can hold',
    ],
    [
      'ResponseHeader',
      '{"revision":"9223372036854775807"}',
      '.revision is above 2^53, which no number here can hold',
    ],
    // JSON.parse rounds it to 2^53.
    [
      'ResponseHeader',
      '{"revision":9007199254740993}',
      '.revision is above 2^53, which no number here can hold',
    ],
    [
      'ResponseHeader',
      '{"revision":"-9223372036854775808"}',
      '.revision is above 2^53, which no number here can hold',
    ],
    ['ResponseHeader', '{"revision":"1.5"}', '.revision is not an integer'],
    ['ResponseHeader', '{"revision":""}', '.revision is not an integer'],
    ['ResponseHeader', '{"revision":"1e3"}', '.revision is not an integer'],
    ['ResponseHeader', '{"revision":1e999}', '.revision is not an integer'],
    ['ResponseHeader', '{"raft_term":"-1"}', '.raft_term is not an integer of 0 or more'],
    [
      'ResponseHeader',
      '{"cluster_id":"18446744073709551616"}',
      '.cluster_id is not the id of a cluster or member',
    ],
    ['ResponseHeader', '{"cluster_id":"cafe"}', '.cluster_id is not the id of a cluster or member'],
    ['ResponseHeader', '{"cluster_id":9007199254740993}', '.cluster_id is not the id of a cluster or member'],
    ['LeaseStatus', '{"ID":"9223372036854775808"}', '.ID is not the id of a lease'],
    ['RangeResponse', '{"kvs":{}}', '.kvs is an object'],
    ['RangeResponse', '{"kvs":[{},null]}', '.kvs[1] is null'],
    ['RangeResponse', '{"kvs":[{},{"value":"a"}]}', '.kvs[1].value is not base64'],
    ['RangeResponse', '{"kvs":[{"key":5}]}', '.kvs[0].key is not base64'],
    ['RangeResponse', '{"more":"false"}', '.more is not a boolean'],
    ['RangeResponse', '{"header":[]}', '.header is a list'],
    ['StatusResponse', '{"version":3}', '.version is not text'],
    ['StatusResponse', '{"errors":["a",5]}', '.errors[1] is not text'],
    ['Event', '{"type":"MOVE"}', ".type is not 'PUT' or 'DELETE'"],
    ['Event', '{"type":2}', ".type is not 'PUT' or 'DELETE'"],
    ['Event', '5', ' is a number'],
    ['Event', 'null', ' is null'],
  ])('%s of %s: it%s', (name, json, flaw) => {
    const decode = () => decodeJson(name, parsed(json));
    expect(decode).toThrow(ShapeError);
    expect(decode).toThrow(flaw);
  });

  test('enums come by name or by number', () => {
    expect(decodeJson('Event', { type: 'DELETE' }).type).toBe('DELETE');
    expect(decodeJson('Event', { type: 1 }).type).toBe('DELETE');
  });

  test('no nesting takes it to the end of the stack', () => {
    const levels = 100_000;
    const json = `${'{"responses":[{"response_txn":'.repeat(levels)}{}${'}]}'.repeat(levels)}`;
    expect(thrown(() => decodeJson('TxnResponse', parsed(json)))).toMatch(
      /^ShapeError: .* has more than 500 levels$/,
    );
  });
});

const anyName = fc.constantFrom(...(Object.keys(messages) as MessageName[]));

/** Any value that a field of that type can have. */
function valueOf(type: string, depth: number): fc.Arbitrary<unknown> {
  if (Object.hasOwn(enums, type)) return fc.constantFrom(...enums[type as EnumName]);
  switch (type) {
    case 'bytes':
      return fc.uint8Array({ maxLength: 12 });
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: 8 });
    case 'bool':
      return fc.boolean();
    case 'int64':
      return fc.maxSafeInteger();
    case 'uint32':
    case 'uint64':
      return fc.maxSafeNat();
    case 'id':
      return fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map((id) => id.toString(16));
    case 'lease':
      return fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }).map((id) => id.toString(16).padStart(16, '0'));
    default:
      return messageOf(type as MessageName, depth - 1);
  }
}

/** Any message of that name, whole as it is read; of a choice one alone is there. */
function messageOf(name: MessageName, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.entries(messages[name] as Record<string, Field>);
  const choices = fields.filter(([, [, , label]]) => label === 'choice').map(([field]) => field);
  const isMessage = (type: string) => Object.hasOwn(messages, type);
  const model = fields.map(([field, [, type, label]]): [string, fc.Arbitrary<unknown>] => {
    if (isMessage(type) && depth <= 0) return [field, fc.constant(label === 'list' ? [] : undefined)];
    const value = valueOf(type, depth);
    if (label === 'list') return [field, fc.array(value, { maxLength: 3 })];
    return [
      field,
      isMessage(type) || type === 'id' || type === 'lease' ? fc.option(value, { nil: undefined }) : value,
    ];
  });
  return fc
    .tuple(fc.record(Object.fromEntries(model)), fc.constantFrom(undefined, ...choices))
    .map(([message, chosen]) => ({
      ...message,
      ...Object.fromEntries(choices.filter((field) => field !== chosen).map((field) => [field, undefined])),
    }));
}

test.each(Object.keys(messages) as MessageName[])('every %s that is written is read as it was', (name) =>
  forAll(60, messageOf(name, 3), async (message) => {
    expect(decodeJson(name, parsed(encodeJson(name, message)))).toEqual(message);
  }),
);

test('whatever JSON is read, the worst is a ShapeError', () =>
  forAll(500, fc.tuple(anyName, fc.jsonValue()), async ([name, json]) => {
    const fields = Object.keys(messages[name]);
    const bent = Object.fromEntries(fields.map((field) => [field, json]));
    for (const value of [json, bent])
      expect(thrown(() => decodeJson(name, value))).toMatch(/^(nothing|ShapeError): /);
  }));

test('whatever is to be sent, the worst is an InvalidOptionError', () =>
  forAll(500, fc.tuple(anyName, fc.anything()), async ([name, value]) => {
    const bent = Object.fromEntries(Object.keys(messages[name]).map((field) => [field, value]));
    try {
      encodeJson(name, bent);
    } catch (error) {
      expect([error, isInvalidOption(error)]).toEqual([error, true]);
    }
  }));
