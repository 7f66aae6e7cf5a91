import type { EmbeddedMember } from 'rxetcd/testing';
import { firstValueFrom } from 'rxjs';
import { Agent } from 'node:http';
import { eventually } from '../support/jest/eventually.js';
import {
  embeddedClusterUnderTest,
  get,
  namedBy,
  put,
  statusOf,
} from './support/embedded-cluster-under-test.js';
import { exchange } from './support/raw-exchange.js';
import { afterEachTest } from '../support/jest/clean-up.js';

const afterwards = afterEachTest();

const on = embeddedClusterUnderTest();
const version = '/version';

test('refuse: connections are refused and open ones reset, while the member goes on leading', async () => {
  const { leader } = on;
  const [follower] = on.followers;
  const poll = await on.watch(leader, '/v2/keys/k?wait=true');
  await firstValueFrom(leader.refuse$());
  await eventually(() => expect(poll.ended).toBe(true));
  await expect(get(leader, version)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect([leader.state, on.leader]).toEqual(['running', leader]);
  expect((await put(follower!, 'k')).status).toBe(201);
  expect(await namedBy(follower!)).toBe(leader.name);

  const { url } = leader;
  await firstValueFrom(leader.accept$());
  expect(leader.url).toBe(url);
  expect(await statusOf(leader, '/v2/keys/k')).toBe(200);
  // Nothing more to end.
  await firstValueFrom(leader.accept$());
});

test('refuse: a dead member cannot be told to accept; who is restarted does', async () => {
  const [member] = on.followers;
  await firstValueFrom(member!.refuse$());
  await firstValueFrom(member!.kill$());
  await expect(firstValueFrom(member!.accept$())).rejects.toThrow('is dead');
  await firstValueFrom(member!.restart$());
  expect(await statusOf(member!, version)).toBe(200);
});

test('reset: the next requests, as many as told, and nothing is done for them', async () => {
  const [member] = on.followers;
  member!.faults.reset(2);
  for (let i = 0; i < 2; i++) await expect(put(member!, 'k')).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(await statusOf(member!, '/v2/keys/k')).toBe(404);
  member!.faults.reset();
  member!.faults.clear();
  expect(await statusOf(member!, version)).toBe(200);
});

test('answer once: each is given once, in order, and nothing else is done', async () => {
  const [member] = on.followers;
  member!.faults.answerOnce({ status: 418, body: 'tea', headers: { 'Content-Type': 'text/plain' } });
  member!.faults.answerOnce({ status: 500 });
  const tea = await put(member!, 'k');
  expect(tea).toMatchObject({ status: 418, body: 'tea' });
  expect(tea.headers.join()).toContain('Content-Type,text/plain');
  expect((await put(member!, 'k')).headers.join()).toContain('Content-Type,application/json');
  expect(await statusOf(member!, '/v2/keys/k')).toBe(404);
  member!.faults.answerOnce({ status: 418 });
  member!.faults.clear();
  expect(await statusOf(member!, version)).toBe(200);
});

test('delay: answers are held back, though what they tell of is done; only of this member', async () => {
  const [slow, other] = on.followers;
  slow!.faults.delay(300);
  const sent = performance.now();
  const write = put(slow!, 'k');
  await eventually(async () => expect(await statusOf(other!, '/v2/keys/k')).toBe(200));
  expect((await write).status).toBe(201);
  // Timers count in whole milliseconds.
  expect(performance.now() - sent).toBeGreaterThanOrEqual(299);
  slow!.faults.delay(0);
  expect(await statusOf(slow!, version)).toBe(200);
});

test('clear history: of one member or of all, a watch from the past is told so, one from now is not', async () => {
  const [cleared, other] = on.followers;
  const codeOf = async (member: EmbeddedMember) => {
    const { body } = await get(member, '/v2/keys/k?wait=true&waitIndex=1');
    return (JSON.parse(body) as { errorCode?: number }).errorCode;
  };
  await put(on.leader, 'k');
  cleared!.clearHistory();
  expect([await codeOf(cleared!), await codeOf(other!)]).toEqual([401, undefined]);
  on.cluster.clearHistory();
  expect(await codeOf(other!)).toBe(401);
  const poll = await on.watch(other!, '/v2/keys/k?wait=true');
  await put(on.leader, 'k');
  await eventually(() => expect(poll.body).toContain('"action":"set"'));
});

test('requests: what came, in order, with its body; the last 1,000', async () => {
  const [member] = on.followers;
  const before = Date.now();
  await exchange(member!.url, {
    method: 'PUT',
    target: '/v2/keys/k?prevExist=false',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-mine': '1' },
    body: 'value=ü',
  });
  member!.faults.reset();
  await get(member!, version).catch(() => undefined);
  const [first, second, ...more] = member!.requests;
  expect(more).toEqual([]);
  expect(first).toMatchObject({ method: 'PUT', url: '/v2/keys/k?prevExist=false', body: 'value=ü' });
  expect(first?.headers).toMatchObject({ 'x-mine': '1' });
  expect(first?.at).toBeGreaterThanOrEqual(before);
  expect(second).toMatchObject({ method: 'GET', url: version, body: '' });

  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  afterwards(() => agent.destroy());
  for (let i = 0; i < 1_001; i++)
    await exchange(member!.url, { method: 'GET', target: `/v2/keys/${i}` }, agent);
  expect([member!.requests.length, member!.requests[0]?.url]).toEqual([1_000, '/v2/keys/1']);
  expect(on.leader.requests).toEqual([]);
  member!.clearRequests();
  expect(member!.requests).toEqual([]);
});
