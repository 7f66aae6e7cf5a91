import type { EtcdClient, KeyResponse } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import { ordered } from '../../support/promises/validators.js';
import { lineOf, watchesUnderTest } from '../../support/etcd/watches-under-test.js';

const watches = watchesUnderTest();
const { server, set, remove, mark, watch } = watches;
let client: EtcdClient;
let key: string;

beforeEach(() => {
  ({ client, key } = watches);
});

/** What a plain watch of etcd's answers at once. */
const rawHistory = async (name: string, waitIndex: number) => {
  const query = `wait=true&recursive=true&waitIndex=${waitIndex}`;
  const { action, node } = (await (await server.fetch(`/keys${name}?${query}`)).json()) as KeyResponse;
  return `${action} ${node.key}`;
};

describe('fromIndex', () => {
  test('begins in history and goes on live', async () => {
    const from = (await set(key, '1')).node.modifiedIndex!;
    await set(`${key}-other`, 'x');
    await set(key, '2', 1);
    await eventually(async () => !(await firstValueFrom(client.exists$(key))));
    const log = watch(key, { fromIndex: from });
    await log.count(3);
    await set(key, '3');
    await log.count(4);
    expect(log.lines).toEqual([`set ${key}=1`, `set ${key}=2`, `expire ${key}`, `set ${key}=3`]);
    expect(ordered(log.events)).toEqual([]);
  });

  test('one above an event leaves that event out', async () => {
    const first = await set(key, '1');
    await set(key, '2');
    const log = watch(key, { fromIndex: first.node.modifiedIndex! + 1 });
    await log.count(1);
    expect(log.lines).toEqual([`set ${key}=2`]);
  });

  test('one above the latest change waits for the next', async () => {
    const index = await mark();
    const log = await watch(key, { fromIndex: index + 1 }).live();
    await set(key, '1');
    await log.count(1);
    expect(log.lines).toEqual([`set ${key}=1`]);
  });

  test('any event can be resumed from', async () => {
    const from = await mark();
    for (let i = 0; i < 20; i += 1) await set(`${key}/${i % 3}`, String(i));
    const whole = await watch(key, { fromIndex: from }).count(20);
    for (const [i, { index }] of whole.entries()) {
      if (i === 19) break;
      const rest = await watch(key, { fromIndex: index + 1 }).count(19 - i);
      expect(rest.map(lineOf)).toEqual(whole.slice(i + 1).map(lineOf));
    }
  });

  test('leaves hidden keys out, which etcd puts into history', async () => {
    const from = await mark();
    await set(`${key}/_hidden`, '1');
    await set(`${key}/a/_b/c`, '2');
    await remove(`${key}/_hidden`);
    await set(`${key}/seen`, '3');
    expect(await rawHistory(key, from)).toBe(`set ${key}/_hidden`);
    const log = watch(key, { fromIndex: from });
    await log.count(1);
    await set(`${key}/seen`, '4');
    await log.count(2);
    expect(log.lines).toEqual([`set ${key}/seen=3`, `set ${key}/seen=4`]);
  });

  test('leaves out the delete of a directory whose name begins alike, which etcd confuses', async () => {
    await set(`${key}/pre/a`, '1');
    const from = await mark();
    await remove(`${key}/pre`);
    await set(`${key}/prefix/b`, '2');
    expect(await rawHistory(`${key}/prefix`, from)).toBe(`delete ${key}/pre`);
    for (const recursive of [true, false]) {
      const log = watch(`${key}/prefix/b`, { fromIndex: from, recursive });
      await log.count(1);
      expect(log.lines).toEqual([`set ${key}/prefix/b=2`]);
    }
    const log = watch(`${key}/prefix`, { fromIndex: from });
    await log.count(1);
    expect(log.lines).toEqual([`set ${key}/prefix/b=2`]);
  });

  test('shows a deleted directory above its key', async () => {
    await set(`${key}/dir/file`, '1');
    const from = await mark();
    await remove(key);
    await set(`${key}/dir/file`, '2');
    for (const recursive of [true, false]) {
      const log = watch(`${key}/dir/file`, { fromIndex: from, recursive });
      await log.count(2);
      expect(log.lines).toEqual([`delete ${key}`, `set ${key}/dir/file=2`]);
    }
  });

  test('shows no refresh, which is no change', async () => {
    const from = await mark();
    await set(key, '1', 100);
    await firstValueFrom(client.refresh$(key, 200));
    await set(key, '2');
    const log = watch(key, { fromIndex: from });
    await log.count(2);
    expect(log.lines).toEqual([`set ${key}=1`, `set ${key}=2`]);
  });
});
