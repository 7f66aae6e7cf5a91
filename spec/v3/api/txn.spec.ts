import { firstValueFrom, type Observable } from 'rxjs';
import { isInvalidOption } from '../../../lib/errors.js';
import { compare, type Comparison } from '../../../lib/v3/api/compare.js';
import { KvCalls } from '../../../lib/v3/api/kv-calls.js';
import { op, type Operation, type Transaction } from '../../../lib/v3/api/op.js';
import { TxnApi } from '../../../lib/v3/api/txn.js';
import { v3Client, type V3UnderTest } from '../../support/etcd/v3-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import type { ScriptedAction } from '../../support/scripted/scripted-action.js';
import { startScriptedServer, type ScriptedServer } from '../../support/scripted/scripted-server.js';
import { header } from '../wire/answers.js';

let server: ScriptedServer;
let client: V3UnderTest;
let api: TxnApi;
/** What transactions are answered with, one after the other. */
let answers: ScriptedAction[];
/** The transactions that came. */
let messages: unknown[];

beforeEach(async () => {
  [answers, messages] = [[], []];
  server = await firstValueFrom(
    startScriptedServer(({ path, body }) => {
      const { cluster_id, member_id: ID } = header;
      switch (path) {
        case '/v3/maintenance/status':
          return {
            status: 200,
            body: { header: { ...header, revision: '1' }, version: '3.5.33', leader: ID },
          };
        case '/v3/cluster/member/list':
          return {
            status: 200,
            body: { header: { cluster_id, member_id: ID }, members: [{ ID, clientURLs: [server.url] }] },
          };
      }
      messages.push(JSON.parse(body));
      return answers.shift() ?? { status: 400, body: { code: 3, message: 'not scripted' } };
    }),
  );
  client = v3Client({ endpoints: server.url, retry: { initialDelay: 1 }, deadline: 5_000 });
  api = new TxnApi(new KvCalls(client));
});
afterEach(async () => {
  client.core.close();
  await firstValueFrom(server.close$());
});

const once = <T>(call$: Observable<T>): Promise<T> => firstValueFrom(call$);
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const [a, b] = [base64('a'), base64('b')];
const at = (revision: number, fields: object = {}): ScriptedAction => ({
  status: 200,
  body: { header: { ...header, revision: String(revision) }, ...fields },
});

describe('what is sent', () => {
  const sent = async (transaction: Transaction, options?: Parameters<TxnApi['txn$']>[1]) => {
    answers = [at(7)];
    await once(api.txn$({ ...transaction }, options)).catch(() => undefined);
    return messages[0];
  };

  test('is one message, each part in the field that goes with it', async () => {
    const message = await sent({
      if: [
        compare.value('a').equals(''),
        compare.value({ prefix: 'a' }).notEquals(Uint8Array.of(0xff)),
        compare.version('a').lessThan(Number.MAX_SAFE_INTEGER),
        compare.createRevision({ from: 'a' }).greaterThan(0),
        compare.modRevision({ all: true }).greaterThan(5),
        compare.lease('a').equals('7fffffffffffffff'),
        compare.lease('a').notEquals('0'),
        compare.exists('a'),
        compare.absent('a'),
      ],
      then: [
        op.put('a', '', { lease: '-8000000000000000', prevKv: true }),
        op.put('b', undefined, { ignoreValue: true, ignoreLease: true }),
        op.get('a'),
        op.range(
          { prefix: 'a' },
          { limit: 1, keysOnly: true, sort: { by: 'modRevision', order: 'descending' } },
        ),
      ],
      else: [op.delete({ from: 'a', to: 'b' }, { prevKv: true }), op.txn({ then: [op.get('b')] })],
    });
    expect(message).toEqual({
      compare: [
        { target: 'VALUE', result: 'EQUAL', key: a, value: '' },
        { target: 'VALUE', result: 'NOT_EQUAL', key: a, range_end: b, value: '/w==' },
        { target: 'VERSION', result: 'LESS', key: a, version: '9007199254740991' },
        { target: 'CREATE', result: 'GREATER', key: a, range_end: 'AA==', create_revision: '0' },
        { target: 'MOD', result: 'GREATER', key: 'AA==', range_end: 'AA==', mod_revision: '5' },
        { target: 'LEASE', result: 'EQUAL', key: a, lease: '9223372036854775807' },
        { target: 'LEASE', result: 'NOT_EQUAL', key: a, lease: '0' },
        { target: 'VERSION', result: 'GREATER', key: a, version: '0' },
        { target: 'CREATE', result: 'EQUAL', key: a, create_revision: '0' },
      ],
      success: [
        { request_put: { key: a, value: '', lease: '-9223372036854775808', prev_kv: true } },
        { request_put: { key: b, ignore_value: true, ignore_lease: true } },
        { request_range: { key: a, serializable: false } },
        {
          request_range: {
            key: a,
            range_end: b,
            limit: '1',
            keys_only: true,
            sort_target: 'MOD',
            sort_order: 'DESCEND',
            serializable: false,
          },
        },
      ],
      failure: [
        { request_delete_range: { key: a, range_end: b, prev_kv: true } },
        {
          request_txn: {
            compare: [],
            success: [{ request_range: { key: b, serializable: false } }],
            failure: [],
          },
        },
      ],
    });
  });

  test('reads something where it compares alone: else any member answers from what it has', async () => {
    const compared = { key: a, target: 'VALUE', result: 'EQUAL', value: '' };
    const transaction = { if: [compare.value('a').equals('')] };
    expect(await sent(transaction)).toEqual({
      compare: [compared],
      success: [{ request_range: { key: a, count_only: true } }],
      failure: [],
    });
    messages = [];
    expect(await sent(transaction, { serializable: true })).toEqual({
      compare: [compared],
      success: [],
      failure: [],
    });
  });

  test('reads the guard as well where it may have to be settled', async () => {
    const transaction = {
      if: [compare.version('a').greaterThan(0), compare.modRevision('a').equals(5)],
      then: [op.delete('a')],
      else: [op.get('b')],
    };
    expect(await sent(transaction, { retry: { writes: 'idempotent' } })).toMatchObject({
      failure: [{ request_range: { key: a } }, { request_range: { key: b } }],
    });
  });

  test('is sent once for each subscription, and not before', async () => {
    const call$ = api.txn$({ then: [op.put('a', 'b')] });
    expect(messages).toEqual([]);
    for (const expected of [1, 2]) {
      answers = [at(7, { succeeded: true, responses: [{ response_put: {} }] })];
      await once(call$);
      expect(messages).toHaveLength(expected);
    }
  });
});

describe('what is refused before anything is sent, by where it stands', () => {
  const put = op.put('a', 'b');
  test.each<[string, unknown, string, object?]>([
    ['no transaction', undefined, 'transaction: expected an object'],
    ["etcd's name", { success: [] }, 'success: expected one of the options if, then, else'],
    ['no list', { then: put }, 'then: expected a list'],
    [
      'a hole',
      { then: Object.assign(Array<Operation>(3), { 0: put, 2: put }) },
      'then[1]: expected an operation, as op.put(key, value)',
    ],
    ['an unknown operation', { else: [{ type: 'patch' }] }, 'else[0]: expected an operation'],
    ['a comparison in its place', { then: [compare.exists('a')] }, 'then[0]: expected an operation'],
    [
      'half a comparison',
      { if: [compare.version('a')] },
      'if[0]: expected a comparison, as compare.version(key).equals(1)',
    ],
    [
      'a comparison by nothing',
      { if: [{ ...compare.exists('a'), target: undefined }] },
      "if[0].target: expected 'value' or",
    ],
    [
      'an unknown comparison',
      { if: [{ ...compare.exists('a'), result: '=' }] },
      "if[0].result: expected 'equals' or",
    ],
    ['an empty key', { then: [put, op.put('', '')] }, 'then[1].key: expected a key, which is not empty'],
    ['an empty key that is read', { else: [op.get('')] }, 'else[0].key: expected a key'],
    ['an empty key that is compared', { if: [compare.absent('')] }, 'if[0].range: expected a key'],
    ['an empty prefix', { if: [compare.exists({ prefix: '' })] }, 'if[0].range.prefix: expected a prefix'],
    [
      'a range that is empty',
      { then: [op.delete({ from: 'b', to: 'a' })] },
      'then[0].range.to: expected a key above `from`',
    ],
    ['no value', { then: [op.put('a', undefined)] }, 'then[0].value: expected a string or a Uint8Array'],
    [
      'a value that is kept',
      { then: [op.put('a', 'secret', { ignoreValue: true })] },
      'then[0].value: expected no value beside ignoreValue',
    ],
    [
      'a lease that is kept',
      { then: [op.put('a', '', { ignoreLease: true, lease: '1' })] },
      'then[0].lease: expected no lease beside ignoreLease',
    ],
    [
      'a lease that is none',
      { then: [op.put('a', '', { lease: 'x' })] },
      'then[0].lease: expected the id of a lease',
    ],
    [
      'a lease to compare with that is none',
      { if: [compare.lease('a').equals('x')] },
      "if[0].lease: expected the id of a lease, in hexadecimal digits, or '0'",
    ],
    [
      'a version below 0',
      { if: [compare.version('a').equals(-1)] },
      'if[0].version: expected an integer of 0 or more',
    ],
    [
      'a revision that no number holds',
      { if: [compare.modRevision('a').equals(2 ** 53)] },
      'if[0].modRevision: expected',
    ],
    [
      'a value to compare with that is none',
      { if: [compare.value('a').equals(7 as never)] },
      'if[0].value: expected a string or a Uint8Array, got a value not shown',
    ],
    [
      'a revision below 1',
      { then: [op.get('a', { revision: 0 })] },
      'then[0].revision: expected a revision: an integer of 1',
    ],
    [
      'an option of the whole',
      { then: [op.get('a', { serializable: true } as object)] },
      'then[0].serializable: expected none here: it is an option of txn$',
    ],
    [
      'an option of others',
      { then: [op.delete('a', { limit: 1 } as object)] },
      'then[0].limit: expected one of the options prevKv',
    ],
    [
      'an order that is none',
      { then: [op.range('a', { sort: { by: 'x' as never } })] },
      "then[0].sort.by: expected 'key' or",
    ],
    [
      'a place within',
      { then: [put, op.txn({ else: [op.txn({ if: [compare.exists('')] })] })] },
      'then[1].else[0].if[0].range: expected a key',
    ],
    [
      'an option within',
      { then: [{ ...op.txn({}), or: [] }] },
      'then[0].or: expected one of the options if, then, else',
    ],
    [
      'the past beside a write',
      { then: [op.txn({ else: [op.range('a', { revision: 3 })] })], else: [put] },
      'then[0].else[0].revision: expected none in a transaction that may write',
    ],
    [
      'a write by what one member has',
      { else: [put] },
      'serializable: expected false',
      { serializable: true },
    ],
    ['a misspelt option', {}, 'seriallizable: expected one of the options', { seriallizable: true }],
  ])('%s', async (_, transaction, words, options = {}) => {
    const error = await rejectionOf(api.txn$(transaction as never, options));
    expect(isInvalidOption(error)).toBe(true);
    expect((error as Error).message).toContain(words);
    expect((error as Error).message).not.toContain('secret');
    expect(messages).toEqual([]);
  });
});

test('transactions stand within one another, but not without end', async () => {
  const nested = (depth: number): Operation =>
    depth === 0 ? op.get('a') : op.txn({ then: [nested(depth - 1)] });
  const error = await rejectionOf(api.txn$({ then: [nested(300)] }));
  expect(isInvalidOption(error)).toBe(true);
  expect((error as Error).message).toContain('at most 200 transactions within one another');
  expect(messages).toEqual([]);
});

describe('what is read', () => {
  const responses = (value: string) => [
    {
      response_range: {
        header: {},
        kvs: [{ key: a, value: base64(value), mod_revision: '3', create_revision: '3', version: '1' }],
        count: '1',
      },
    },
  ];
  const get = { then: [op.get('a')] } as const;

  test('is never older than what was seen: another member is asked, linearizable', async () => {
    answers = [
      at(9),
      at(8, { succeeded: true, responses: responses('old') }),
      at(9, { succeeded: true, responses: responses('new') }),
    ];
    await once(api.txn$({ if: [compare.exists('elsewhere')] }));
    const read = await once(api.txn$(get, { serializable: true }));
    expect(read).toMatchObject({ responses: [{ kv: { value: 'new' } }], info: { revision: 9 } });
    expect(messages.slice(1)).toMatchObject(
      [true, false].map((serializable) => ({ success: [{ request_range: { serializable } }] })),
    );
  });

  test('is asked again where no answer came', async () => {
    answers = [{ reset: true }, at(9, { succeeded: true, responses: responses('x') })];
    expect((await once(api.txn$(get))).responses).toHaveLength(1);
  });

  test.each<[string, Comparison[], object]>([
    ['none', [], { succeeded: true }],
    ['that of another operation', [], { succeeded: true, responses: [{ response_put: {} }] }],
    [
      'none within',
      [],
      { succeeded: true, responses: [...responses('x'), { response_txn: { succeeded: true } }] },
    ],
  ])('without an answer to each operation, but %s, is none', async (_, compared, answer) => {
    answers = [at(9, answer)];
    const call$ = api.txn$({ if: compared, then: [op.get('a'), op.txn({ then: [op.get('b')] })] });
    expect(await rejectionOf(call$)).toMatchObject({
      code: 'UNEXPECTED_RESPONSE',
      message: 'txn a: unexpected answer: an operation has no answer',
    });
  });
});

test.each<[string, Transaction, string]>([
  ['nothing', {}, 'txn'],
  ['one key', { if: [compare.exists('a')], then: [op.put('a', 'b')] }, 'txn a'],
  [
    'several',
    { then: [op.txn({ then: [op.get('c')] }), op.put('a', 'b')], else: [op.delete({ prefix: 'b' })] },
    'txn a and 1 more',
  ],
])('messages name a transaction of %s by its keys', async (_, transaction, name) => {
  expect(await rejectionOf(api.txn$({ ...transaction }))).toMatchObject({
    message: expect.stringMatching(new RegExp(`^${name}: not scripted`)) as string,
  });
});
