import { firstValueFrom, from } from 'rxjs';
import {
  isAllNodesDown,
  isAuthenticationError,
  isOutcomeUnknown,
  type EtcdError,
} from '../../../lib/errors.js';
import { isNotSupportedByLearner } from '../../../lib/v3/errors.js';
import { v3Client, type V3UnderTest } from '../../support/etcd/v3-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import type { ScriptedAction } from '../../support/scripted/scripted-action.js';
import {
  startScriptedServer,
  type ScriptedRequest,
  type ScriptedServer,
} from '../../support/scripted/scripted-server.js';
import { errorBodies, header } from '../wire/answers.js';

const key = Uint8Array.of(97);
const good: ScriptedAction = { status: 200, body: { header } };

let server: ScriptedServer;
let client: V3UnderTest;
/** What the calls are answered with, one after the other; then with a success. */
let answers: ScriptedAction[];
/** The calls, without the probes. */
let calls: ScriptedRequest[];

beforeEach(async () => {
  [answers, calls] = [[], []];
  server = await firstValueFrom(
    startScriptedServer((request) => {
      const { cluster_id, member_id: ID } = header;
      switch (request.path) {
        case '/v3/maintenance/status':
          return { status: 200, body: { header, version: '3.5.33', leader: ID } };
        case '/v3/cluster/member/list':
          return {
            status: 200,
            body: { header: { cluster_id, member_id: ID }, members: [{ ID, clientURLs: [server.url] }] },
          };
      }
      calls.push(request);
      return answers.shift() ?? good;
    }),
  );
  client = v3Client({ endpoints: server.url, retry: { initialDelay: 1 }, deadline: 5_000 });
});
afterEach(async () => {
  client.core.close();
  await firstValueFrom(server.close$());
});

const put = () => client.ask('KV', 'Put', { key, value: key });
const get = (serializable = false) => client.ask('KV', 'Range', { key, serializable });
const refusalOf = async (call: Promise<unknown>) => (await rejectionOf(from(call))) as EtcdError;
const paths = (): string[] => calls.map(({ path }) => path);

describe.each(Object.entries(errorBodies))('errors in the form of %s', (_, bodyOf) => {
  const answer = (status: number, code: number, message: string): ScriptedAction => ({
    status,
    body: bodyOf(code, message) as object,
  });
  const timedOut = answer(503, 14, 'etcdserver: request timed out');
  const learner = answer(503, 14, 'etcdserver: rpc not supported for learner');

  test('a write that may have been executed is not sent again', async () => {
    answers = [timedOut];
    const error = await refusalOf(put());
    expect(isOutcomeUnknown(error)).toBe(true);
    expect(error.message).toContain('503 etcdserver: request timed out');
    expect(paths()).toEqual(['/v3/kv/put']);
  });

  test.each([false, true])('a read is (serializable: %p)', async (serializable) => {
    answers = [timedOut, answer(503, 14, 'transport is closing')];
    expect((await get(serializable)).info?.memberId).toBe('a');
    expect(calls).toHaveLength(3);
  });

  test('a write that a learner refused is sent again: it was not executed', async () => {
    answers = [learner, learner];
    expect((await put()).info?.revision).toBe(7);
    expect(calls).toHaveLength(3);
  });

  test('a refusal is the last word', async () => {
    answers = [answer(400, 3, 'etcdserver: user name is empty')];
    const error = await refusalOf(put());
    expect(isAuthenticationError(error)).toBe(true);
    expect(error.message).toContain('(no credentials were given: option auth)');
    expect(calls).toHaveLength(1);
  });
});

test('where only learners answer, that is told in the end', async () => {
  answers = Array.from({ length: 200 }, () => ({
    status: 400,
    body: { code: 9, message: 'etcdserver: rpc not supported for learner' },
  }));
  client.core.close();
  client = v3Client({ endpoints: server.url, retry: { initialDelay: 1, max: 2 } });
  expect(isNotSupportedByLearner(await refusalOf(put()))).toBe(true);
  expect(calls).toHaveLength(3);
});

test('a cluster without a leader is told by reads', async () => {
  answers = Array.from({ length: 5 }, () => ({
    status: 503,
    body: { code: 14, message: 'etcdserver: leader changed' },
  }));
  client.core.close();
  client = v3Client({ endpoints: server.url, retry: { initialDelay: 1, max: 2 } });
  const error = await refusalOf(get());
  expect(isAllNodesDown(error)).toBe(true);
  expect(error).toMatchObject({ reason: 'no-quorum' });
});

test('a page that says yes to everything has written nothing for sure, and read nothing', async () => {
  answers = [
    { status: 200, body: '<html>' },
    { status: 200, body: '{}' },
  ];
  expect(isOutcomeUnknown(await refusalOf(put()))).toBe(true);
  expect(isOutcomeUnknown(await refusalOf(put()))).toBe(true);
});

test('the token goes with each call, as it is at the time, and with none that asks for one', async () => {
  client.secret = 'one.1';
  await put();
  client.secret = 'two.2';
  await get();
  await client.ask('Auth', 'Authenticate', { name: 'root', password: 'hunter22' });
  expect(calls.map(({ headers }) => headers.authorization)).toEqual(['one.1', 'two.2', undefined]);
  expect(calls.map(({ method, headers }) => [method, headers['content-type']])).toEqual(
    calls.map(() => ['POST', 'application/json']),
  );
});

test('neither token nor password is told, not even of what echoes them', async () => {
  client.secret = 'QhcCzfumaLrVJVzm.1';
  answers = Array.from({ length: 2 }, () => ({
    status: 400,
    body: { code: 3, message: 'you sent QhcCzfumaLrVJVzm.1 and hunter22' },
  }));
  const errors = [
    await refusalOf(get()),
    await refusalOf(client.ask('Auth', 'UserAdd', { name: 'root', password: 'hunter22' })),
  ];
  expect(errors.map(({ message }) => message.split('\n')[0])).toEqual([
    'KV.Range: you sent *** and hunter22 [3]',
    'Auth.UserAdd: you sent *** and *** [3]',
  ]);
  expect(errors.map(({ attempts }) => attempts[0]?.body?.includes('***'))).toEqual([true, undefined]);
});

test('from each answer the client learns the revision and the raft term', async () => {
  answers = [{ status: 200, body: { header: { ...header, revision: '12', raft_term: '5' } } }, good];
  await put();
  expect([client.seen.value, client.cluster.state$.value.raftTerm]).toEqual([12, 5]);
  const { info } = await get();
  expect(info).toEqual({
    clusterId: 'cdf818194e3a8c32',
    memberId: 'a',
    revision: 7,
    raftTerm: 2,
    endpoint: server.url,
  });
  expect(client.seen.value).toBe(12);
});
