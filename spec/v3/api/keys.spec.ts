import { firstValueFrom, toArray, type Observable } from 'rxjs';
import { isAuthenticationError, isOutcomeUnknown, isStaleRead, type EtcdError } from '../../../lib/errors.js';
import { CompareFailedError, isCompareFailed, isFutureRevision } from '../../../lib/v3/errors.js';
import { ConditionalApi } from '../../../lib/v3/api/conditional.js';
import { KeysApi } from '../../../lib/v3/api/keys.js';
import { KvCalls } from '../../../lib/v3/api/kv-calls.js';
import { v3Client, type V3UnderTest } from '../../support/etcd/v3-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import type { ScriptedAction } from '../../support/scripted/scripted-action.js';
import { startScriptedServer, type ScriptedServer } from '../../support/scripted/scripted-server.js';
import { header } from '../wire/answers.js';

let server: ScriptedServer;
let client: V3UnderTest;
let keys: KeysApi;
let writes: ConditionalApi;
/** What the calls are answered with, one after the other. */
let answers: ScriptedAction[];
/** The calls, without the probes. */
let calls: [path: string, message: Record<string, unknown>][];

beforeEach(async () => {
  [answers, calls] = [[], []];
  server = await firstValueFrom(
    startScriptedServer((request) => {
      const { cluster_id, member_id: ID } = header;
      switch (request.path) {
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
      calls.push([request.path, JSON.parse(request.body) as Record<string, unknown>]);
      return answers.shift() ?? { status: 400, body: { code: 3, message: 'nothing was scripted' } };
    }),
  );
  client = v3Client({ endpoints: server.url, retry: { initialDelay: 1 }, deadline: 5_000 });
  keys = new KeysApi(new KvCalls(client));
  writes = new ConditionalApi(new KvCalls(client));
});
afterEach(async () => {
  client.core.close();
  await firstValueFrom(server.close$());
});

const once = <T>(call$: Observable<T>): Promise<T> => firstValueFrom(call$);
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const at = (revision: number, fields: object = {}): ScriptedAction => ({
  status: 200,
  body: { header: { ...header, revision: String(revision) }, ...fields },
});
const refusal = (message: string, code = 11, status = 400): ScriptedAction => ({
  status,
  body: { code, message: `etcdserver: ${message}` },
});
const kv = (value: string, revision = 5) => ({
  key: base64('a'),
  value: base64(value),
  create_revision: '3',
  mod_revision: String(revision),
  version: '2',
});
const messages = () => calls.map(([, message]) => message);

describe('what is sent', () => {
  const key = base64('a');
  const asked = async (call$: Observable<unknown>) => {
    answers = [at(7, { count: '1' })];
    await once(call$);
    return calls.at(-1);
  };

  test.each<[string, () => Observable<unknown>, string, object]>([
    ['a read', () => keys.get$('a'), 'range', { key, serializable: false }],
    ['whether it is there', () => keys.exists$('a'), 'range', { key, count_only: true, serializable: false }],
    [
      'a read of the past, by any member',
      () => keys.get$('a', { revision: Number.MAX_SAFE_INTEGER, serializable: true }),
      'range',
      { key, revision: '9007199254740991', serializable: true },
    ],
    [
      'a range, narrowed',
      () =>
        keys.range$(
          { prefix: 'a' },
          {
            sort: { by: 'createRevision', order: 'descending' },
            limit: 5_000,
            keysOnly: true,
            minModRevision: 1,
            maxModRevision: 2,
            minCreateRevision: 3,
            maxCreateRevision: 4,
          },
        ),
      'range',
      {
        key,
        range_end: base64('b'),
        limit: '5000',
        sort_target: 'CREATE',
        sort_order: 'DESCEND',
        serializable: false,
        keys_only: true,
        min_mod_revision: '1',
        max_mod_revision: '2',
        min_create_revision: '3',
        max_create_revision: '4',
      },
    ],
    [
      'a range in the order that it has: no order',
      () => keys.range$({ prefix: 'a' }, { sort: { by: 'key' } }),
      'range',
      { key, range_end: base64('b'), limit: '1000', serializable: false },
    ],
    ['an empty value', () => keys.put$('a', ''), 'put', { key, value: '' }],
    [
      'a deletion',
      () => keys.delete$({ all: true }, { prevKv: true }),
      'deleterange',
      { key: 'AA==', range_end: 'AA==', prev_kv: true },
    ],
  ])('%s', async (_, call$, path, message) => {
    expect(await asked(call$())).toEqual([`/v3/kv/${path}`, message]);
  });

  test('nothing, before it is subscribed, and once for each subscription', async () => {
    const call$ = keys.get$('a');
    expect(calls).toEqual([]);
    for (const expected of [1, 2]) {
      answers = [at(7)];
      await once(call$);
      expect(calls).toHaveLength(expected);
    }
  });
});

test('a revision that no number can hold is an error, never rounded', async () => {
  answers = [at(7, { kvs: [{ ...kv('x'), mod_revision: '9007199254740993' }] })];
  const error = await rejectionOf(keys.get$('a', { retry: { max: 0 } }));
  expect(error).toMatchObject({ code: 'UNEXPECTED_RESPONSE' });
});

describe('an answer older than what was seen', () => {
  beforeEach(async () => {
    answers = [at(9)];
    await once(keys.get$('elsewhere'));
    calls.length = 0;
  });

  test('of any member: the leader is asked', async () => {
    answers = [at(8, { kvs: [kv('old')] }), at(9, { kvs: [kv('new')] })];
    expect((await once(keys.get$('a', { serializable: true }))).kv?.value).toBe('new');
    expect(messages().map(({ serializable }) => serializable)).toEqual([true, false]);
  });

  test('of the leader as well: another one, whose word counts', async () => {
    answers = [at(8), at(8), at(10, { kvs: [kv('new')] })];
    expect((await once(keys.get$('a', { serializable: true }))).kv?.value).toBe('new');
    expect([client.seen.value, client.seen.epoch]).toEqual([10, 0]);
  });

  test('of all: the store was put back, and its revisions begin anew', async () => {
    answers = [at(8, { kvs: [kv('old')] }), at(8, { kvs: [kv('old')] })];
    expect((await once(keys.get$('a'))).kv?.value).toBe('old');
    expect([client.seen.value, client.seen.epoch]).toEqual([8, 1]);
    answers = [at(8, { count: '4' })];
    expect(await once(keys.count$('a'))).toBe(4);
    expect(calls).toHaveLength(3);
  });

  test('of another cluster is no older one', async () => {
    answers = [{ status: 200, body: { header: { ...header, cluster_id: '5', revision: '2' } } }];
    expect((await once(keys.get$('a'))).info.revision).toBe(2);
  });

  test('where nobody can tell whether there is a newer one: a stale read', async () => {
    const down = refusal('no leader', 14, 503);
    answers = [at(8), ...Array.from({ length: 100 }, () => down)];
    const call$ = keys.get$('a', { serializable: true, retry: { max: 1 } });
    const error = await rejectionOf(call$);
    expect(isStaleRead(error)).toBe(true);
    expect(error).toMatchObject({ seen: 9, index: 8 });
  });

  test('a refusal of who was asked then is the last word', async () => {
    answers = [at(8), refusal('user name is empty', 3)];
    expect(isAuthenticationError(await rejectionOf(keys.get$('a', { serializable: true })))).toBe(true);
  });

  test('of what stood at a revision is as good as any', async () => {
    answers = [at(8)];
    await once(keys.get$('a', { revision: 8, serializable: true }));
    expect(calls).toHaveLength(1);
  });

  test('a member that has not reached a revision that was seen: the leader is asked', async () => {
    const future = refusal('mvcc: required revision is a future revision');
    answers = [future, at(9, { kvs: [kv('x')] })];
    expect((await once(keys.get$('a', { revision: 9, serializable: true }))).kv?.value).toBe('x');
    answers = [future];
    expect(isFutureRevision(await rejectionOf(keys.get$('a', { revision: 10, serializable: true })))).toBe(
      true,
    );
    expect(calls).toHaveLength(3);
  });
});

test('pages of two clusters are an error', async () => {
  const page = { kvs: [kv('x')], more: true, count: '2' };
  answers = [at(7, page), { status: 200, body: { header: { ...header, cluster_id: '5' }, ...page } }];
  expect(await rejectionOf(keys.pages$({ prefix: 'a' }, { size: 1 }).pipe(toArray()))).toMatchObject({
    code: 'UNEXPECTED_RESPONSE',
    message: 'pages a*: unexpected answer: its pages come from two clusters',
  });
});

describe('conditional writes', () => {
  const found = (value: string, revision?: number): ScriptedAction =>
    at(9, { responses: [{ response_range: { kvs: [kv(value, revision)] } }] });
  const unanswered: ScriptedAction = { reset: true };
  const own = { retry: { writes: 'idempotent' } } as const;
  const transactions = () => calls.filter(([path]) => path === '/v3/kv/txn').map(([, message]) => message);

  test('are one transaction, which reads the key if it does not write it', async () => {
    answers = [found('theirs')];
    const error = await rejectionOf(writes.create$('a', 'b', { lease: '7' }));
    expect(calls).toEqual([
      [
        '/v3/kv/txn',
        {
          compare: [{ result: 'EQUAL', target: 'CREATE', key: base64('a'), create_revision: '0' }],
          success: [{ request_put: { key: base64('a'), value: base64('b'), lease: '7' } }],
          failure: [{ request_range: { key: base64('a') } }],
        },
      ],
    ]);
    expect(error).toBeInstanceOf(CompareFailedError);
    expect(isCompareFailed(error)).toBe(true);
    expect(error).toMatchObject({
      code: 'COMPARE_FAILED',
      name: 'CompareFailedError',
      kv: { value: 'theirs' },
    });
    expect((error as EtcdError).message).toBe(
      'create a: the comparison failed: the key has modRevision 5, version 2',
    );
  });

  test('repeat the same transaction until it is answered', async () => {
    answers = [unanswered, unanswered, at(9, { succeeded: true, responses: [{ response_put: {} }] })];
    const { info } = await once(writes.compareAndSwap$('a', 'b', { modRevision: 5, ...own }));
    expect(info.revision).toBe(9);
    const [first, ...more] = transactions();
    expect(more).toEqual([first, first]);
  });

  test.each<[string, ScriptedAction[]]>([
    ['it is refused', [unanswered, refusal('permission denied', 7, 403)]],
    ['it is never answered', Array.from({ length: 10 }, () => unanswered)],
    [
      'the past cannot be read',
      [unanswered, found('x', 8), refusal('mvcc: required revision has been compacted')],
    ],
  ])('stay unknown where %s', async (_, scripted) => {
    answers = scripted;
    const call$ = writes.compareAndSwap$('a', 'b', {
      modRevision: 5,
      retry: { writes: 'idempotent', max: 2 },
    });
    expect(isOutcomeUnknown(await rejectionOf(call$))).toBe(true);
  });

  test('stay unknown once the deadline is over', async () => {
    answers = Array.from({ length: 500 }, () => unanswered);
    const call$ = writes.modify$('a', () => 'b', { deadline: 300 });
    answers.unshift(at(7, { kvs: [kv('a')] }));
    expect(isOutcomeUnknown(await rejectionOf(call$))).toBe(true);
  });

  test('the past is not looked through for ever', async () => {
    answers = [
      unanswered,
      at(90, { responses: [{ response_range: { kvs: [{ ...kv('x', 90), version: '99' }] } }] }),
      at(90, { kvs: [kv('before')] }),
      ...Array.from({ length: 99 }, (_, i) =>
        at(90, { kvs: [{ ...kv('x', 89 - i), version: String(98 - i) }] }),
      ),
    ];
    const call$ = writes.compareAndSwap$('a', 'b', { modRevision: 5, ...own });
    expect(isOutcomeUnknown(await rejectionOf(call$))).toBe(true);
    expect(calls).toHaveLength(2 + 1 + 16);
  });

  test('what another lease holds is not ours', async () => {
    const theirs = { ...kv('b', 8), version: '3', lease: '8' };
    answers = [
      unanswered,
      at(9, { responses: [{ response_range: { kvs: [theirs] } }] }),
      at(9, { kvs: [kv('a')] }),
    ];
    const call$ = writes.compareAndSwap$('a', 'b', { modRevision: 5, lease: '7', ...own });
    expect(isCompareFailed(await rejectionOf(call$))).toBe(true);
    answers = [
      unanswered,
      at(9, { responses: [{ response_range: { kvs: [{ ...theirs, lease: '7' }] } }] }),
      at(9, { kvs: [kv('a')] }),
    ];
    expect(isOutcomeUnknown(await rejectionOf(call$))).toBe(true);
  });
});
