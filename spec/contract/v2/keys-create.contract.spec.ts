import { EtcdErrorCode, isKeyExists, isNotDirectory, type EtcdClient } from 'rxetcd';
import { firstValueFrom, forkJoin } from 'rxjs';
import { keysUnderTest } from '../../support/etcd/keys-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';

const keys = keysUnderTest();
const { get, set, gone } = keys;
let client: EtcdClient;
let key: string;

beforeEach(() => {
  ({ client, key } = keys);
});

describe('create$', () => {
  test('creates a key that does not exist, with ttl if asked', async () => {
    const { action, node, info } = await firstValueFrom(client.create$(key, 'v;&', { ttl: 50 }));
    expect(action).toBe('create');
    expect(node).toMatchObject({ key, value: 'v;&', ttl: 50 });
    expect(info.status).toBe(201);
  });

  test('leaves an existing key as it is', async () => {
    const { node } = await set(key, 'first');
    const error = await rejectionOf(client.create$(key, 'second'));
    expect(isKeyExists(error)).toBe(true);
    expect(error).toMatchObject({
      errorCode: EtcdErrorCode.KeyExists,
      reason: key,
      index: node.modifiedIndex,
      status: 412,
    });
    expect((await get()).node).toEqual(node);
  });

  test('of many at once exactly one succeeds', async () => {
    const answers = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) => firstValueFrom(client.create$(key, String(i)))),
    );
    const winners = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const losers = answers.flatMap((answer) =>
      answer.status === 'rejected' ? [answer.reason as unknown] : [],
    );
    expect(winners).toHaveLength(1);
    expect(losers.every(isKeyExists)).toBe(true);
    expect((await get()).node.value).toBe(winners[0]?.node.value);
  });
});

describe('createInOrder$', () => {
  test('makes ascending names below the directory', async () => {
    const answers = [];
    for (const value of ['a', 'b', 'c'])
      answers.push(await firstValueFrom(client.createInOrder$(key, value)));
    const names = answers.map(({ node }) => node.key);
    expect(answers[0]).toMatchObject({ action: 'create', node: { value: 'a' }, info: { status: 201 } });
    expect(names.every((name) => new RegExp(`^${key}/\\d{20}$`).test(name))).toBe(true);
    expect([...names].sort()).toEqual(names);
    const { node } = await firstValueFrom(client.get$(key, { sorted: true }));
    expect(node.nodes?.map(({ value }) => value)).toEqual(['a', 'b', 'c']);
  });

  test('many at once: each has its own name, in the order of their indexes', async () => {
    const answers = await firstValueFrom(
      forkJoin(Array.from({ length: 30 }, (_, i) => client.createInOrder$(key, String(i)))),
    );
    const byIndex = answers
      .map(({ node }) => node)
      .sort((a, b) => a.modifiedIndex! - b.modifiedIndex!)
      .map((node) => node.key);
    expect(new Set(byIndex).size).toBe(30);
    expect([...byIndex].sort()).toEqual(byIndex);
  });

  test('with ttl the entry expires', async () => {
    const { node } = await firstValueFrom(client.createInOrder$(key, 'v', { ttl: 1 }));
    expect(node.ttl).toBe(1);
    await gone(node.key);
  });

  test('not below a file', async () => {
    await set(key, 'v');
    expect(isNotDirectory(await rejectionOf(client.createInOrder$(key, 'v')))).toBe(true);
  });
});
