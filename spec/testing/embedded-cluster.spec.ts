import { firstValueFrom } from 'rxjs';
import { inspect } from 'node:util';
import { eventually } from '../support/jest/eventually.js';
import {
  allName,
  embeddedClusterUnderTest,
  get,
  namedBy,
  put,
  statusOf,
  termOf,
} from './support/embedded-cluster-under-test.js';
import { exchange } from './support/raw-exchange.js';

const on = embeddedClusterUnderTest();
const lost = 'etcdserver: request timed out';

test('what one member takes all members tell, with the same indexes', async () => {
  expect((await put(on.followers[0]!, 'k')).status).toBe(201);
  const answers = await Promise.all(on.cluster.members.map((member) => get(member, '/v2/keys/k')));
  expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
  const { members } = JSON.parse((await get(on.leader, '/v2/members')).body) as {
    members: { clientURLs: string[] }[];
  };
  expect(members.flatMap(({ clientURLs }) => clientURLs).sort()).toEqual([...on.cluster.endpoints].sort());
  expect(await statusOf(on.leader, '/v2/stats/leader')).toBe(200);
  expect(await statusOf(on.followers[0]!, '/v2/stats/leader')).toBe(403);
});

test('a killed leader is refused, named for a while still, and another one is elected', async () => {
  const old = on.leader;
  const survivors = on.followers;
  const poll = await on.watch(survivors[0]!, '/v2/keys/k?wait=true');
  const onOld = await on.watch(old, '/v2/keys/k?wait=true');
  await firstValueFrom(old.kill$());
  expect(await namedBy(survivors[0]!)).toBe(old.name);
  await expect(get(old, '/version')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await eventually(() => expect(onOld.ended).toBe(true));
  const next = await on.newLeader(old);
  await allName(survivors, next.name);
  expect((await put(next, 'k')).headers.join()).toContain('X-Raft-Term,3');
  await eventually(() => expect(poll.body).toContain('"value":"v"'));

  await firstValueFrom(old.restart$());
  expect(await statusOf(old, '/v2/keys/k')).toBe(200);
  expect(await namedBy(old)).toBe(next.name);
});

test('a write that is sent to a leader that is gone is lost, though another one is there before it fails', async () => {
  await firstValueFrom(on.leader.kill$());
  const [survivor] = on.cluster.members.filter(({ state }) => state === 'running');
  const { status, body } = await put(survivor!, 'k');
  expect(status).toBe(500);
  expect(JSON.parse(body)).toEqual({
    errorCode: 300,
    message: 'Raft Internal Error',
    cause: `${lost}, possibly due to previous leader failure`,
    index: 0,
  });
  expect((await put(survivor!, 'k')).status).toBe(201);
});

test('without a majority reads are answered, writes and quorum reads fail in time', async () => {
  const [last] = on.followers;
  await put(last!, 'k');
  for (const member of on.cluster.members) if (member !== last) await firstValueFrom(member.kill$());
  await allName([last!], 'During election');
  expect(await statusOf(last!, '/v2/keys/k')).toBe(200);
  expect((await put(last!, 'k')).body).toContain(`"cause":"${lost}"`);
  expect(await statusOf(last!, '/v2/keys/k?quorum=true')).toBe(500);
  expect(await statusOf(last!, '/health')).toBe(503);

  const waiting = put(last!, 'k');
  for (const member of on.cluster.members) if (member !== last) await firstValueFrom(member.restart$());
  expect((await waiting).status).toBe(200);
});

test('a member that starts without a majority takes connections and says nothing until there is one', async () => {
  const [first, second, third] = on.cluster.members;
  for (const member of on.cluster.members) await firstValueFrom(member.kill$());
  await firstValueFrom(first!.restart$());
  let answered = false;
  const version = get(first!, '/version').finally(() => (answered = true));
  await eventually(() => expect(first!.state).toBe('running'));
  expect(answered).toBe(false);
  await firstValueFrom(second!.restart$());
  expect((await version).status).toBe(200);
  await firstValueFrom(third!.restart$());
});

test('a frozen leader says nothing; what it was asked it does when it goes on', async () => {
  const old = on.leader;
  const stream = await on.watch(old, '/v2/keys/k?wait=true&stream=true');
  old.freeze();
  const write = put(old, 'late');
  const next = await on.newLeader(old);
  await put(next, 'k');
  expect(stream.body).toBe('');
  expect(await statusOf(next, '/v2/keys/late')).toBe(404);
  old.resume();
  expect((await write).status).toBe(201);
  await eventually(() => expect(stream.body).toContain('"key":"/k"'));
  expect(await namedBy(old)).toBe(next.name);
});

test('a partitioned member answers with what it knew, and learns the rest when it is healed', async () => {
  const [alone] = on.followers;
  await put(on.leader, 'k');
  const stream = await on.watch(alone!, '/v2/keys/?wait=true&stream=true&recursive=true');
  alone!.partition();
  for (const key of ['a', 'b']) await put(on.leader, key);
  expect(await statusOf(alone!, '/v2/keys/a')).toBe(404);
  await allName([alone!], 'During election');
  expect((await put(alone!, 'k')).status).toBe(500);
  expect(stream.body).toBe('');
  alone!.heal();
  await eventually(async () => expect(await statusOf(alone!, '/v2/keys/a')).toBe(200));
  await eventually(() => expect(stream.body.match(/"key":"[^"]*"/g)).toEqual(['"key":"/a"', '"key":"/b"']));
});

test('a partitioned leader is replaced, and follows the new one when it comes back in a lower term', async () => {
  const old = on.leader;
  await put(old, 'k');
  old.partition();
  expect(await namedBy(old)).toBe(old.name);
  const next = await on.newLeader(old);
  await put(next, 'meanwhile');
  // The old one stands for election by now: it must not have got as far as the others, however slow the machine is.
  for (let i = 0; i < 100; i++) on.cluster.elect(next);
  const term = await termOf(next);
  old.heal();
  expect(on.leader).toBe(next);
  await allName(on.cluster.members, next.name);
  expect(await statusOf(old, '/v2/keys/meanwhile')).toBe(200);
  expect(await termOf(old)).toBe(term);
  expect(await statusOf(old, '/v2/stats/leader')).toBe(403);
});

test('a member that stood for election while it was cut off brings its term, and the leader steps down', async () => {
  const [alone, other] = on.followers;
  const old = on.leader;
  const term = await termOf(old);
  alone!.partition();
  await allName([alone!], 'During election');
  await put(old, 'meanwhile');
  expect(await termOf(old)).toBe(term);
  alone!.heal();
  // There is none until the three have voted; what is written meanwhile waits.
  expect(on.cluster.leader).toBeUndefined();
  expect(await namedBy(other!)).toBe('During election');
  expect((await put(other!, 'k')).status).toBe(201);
  await allName(on.cluster.members, on.leader.name);
  expect(await termOf(alone!)).toBeGreaterThan(term + 1);
  expect(await statusOf(alone!, '/v2/keys/meanwhile')).toBe(200);
});

test('users are made by a majority or not at all', async () => {
  const [alone] = on.followers;
  const request = { method: 'PUT', target: '/v2/auth/users/a', body: '{"user":"a","password":"p"}' };
  alone!.partition();
  expect((await exchange(alone!.url, request)).status).toBe(500);
  expect(await statusOf(on.leader, '/v2/auth/users/a')).toBe(404);
  expect((await exchange(on.leader.url, request)).status).toBe(201);
  expect(await statusOf(on.leader, '/v2/auth/users/a')).toBe(200);
});

test('a leader that was frozen in a lower term steps down', async () => {
  const old = on.leader;
  old.freeze();
  const next = await on.newLeader(old);
  await allName(
    on.followers.filter(({ state }) => state === 'running'),
    next.name,
  );
  const term = await termOf(next);
  old.resume();
  expect(on.leader).toBe(next);
  expect(await namedBy(old)).toBe(next.name);
  expect(await termOf(old)).toBe(term);
});

test('survivors without a majority stand for election in vain, and the next leader has a higher term', async () => {
  const [last] = on.followers;
  const others = on.cluster.members.filter((member) => member !== last);
  const term = await termOf(last!);
  for (const member of others) await firstValueFrom(member.kill$());
  await allName([last!], 'During election');
  await firstValueFrom(others[0]!.restart$());
  await eventually(() => expect(on.cluster.leader).toBeDefined());
  expect(await termOf(last!)).toBeGreaterThan(term + 1);
});

test('who runs already can be restarted', async () => {
  const [member] = on.followers;
  const { url } = member!;
  await firstValueFrom(member!.restart$());
  expect(member!.url).toBe(url);
  expect(await statusOf(member!, '/version')).toBe(200);
});

test('what a member cannot do now it says', () => {
  const [member] = on.followers;
  expect(() => member!.heal()).toThrow('is running');
  member!.freeze();
  expect(() => member!.partition()).toThrow(`${member!.name} is frozen`);
  expect(() => on.cluster.elect(member)).toThrow('no majority');
});

test('one line shows a cluster and each member', () => {
  const { leader } = on;
  const [follower] = on.followers;
  expect(String(leader)).toBe(`EmbeddedMember ${leader.name} (leader, running) ${leader.url}`);
  follower!.freeze();
  expect(inspect(follower)).toBe(`EmbeddedMember ${follower!.name} (frozen) ${follower!.url}`);
  expect(inspect(on.cluster)).toBe(`EmbeddedCluster: ${on.cluster.members.map(String).join(', ')}`);
});

test('a leader can be chosen', async () => {
  const [next] = on.followers;
  on.cluster.elect(next);
  expect(on.leader).toBe(next);
  await allName([...on.cluster.members], next!.name);
});
