import type { EtcdClient } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { watchesUnderTest } from '../../support/etcd/watches-under-test.js';

const watches = watchesUnderTest();
const { server, set, remove, watch } = watches;
let client: EtcdClient;
let key: string;

beforeEach(() => {
  ({ client, key } = watches);
});

const put = (name: string, form: Record<string, string>) =>
  server.fetch(`/keys${name}`, { method: 'PUT', body: new URLSearchParams(form) });

describe('a watch from now on', () => {
  test('emits what happens once it stands, and not what was before', async () => {
    const before = await set(key, 'before');
    const log = await watch(key).live();
    const { node } = await set(key, 'after');
    const [event] = await log.count(1);
    expect(event).toEqual({
      action: 'set',
      node,
      prevNode: before.node,
      index: node.modifiedIndex,
      info: {
        etcdIndex: expect.any(Number) as number,
        raftIndex: expect.any(Number) as number,
        raftTerm: expect.any(Number) as number,
        clusterId: before.info.clusterId,
        endpoint: server.url,
        status: 200,
      },
    });
    expect(log.completed).toBe(false);
  });

  test('shows every action of etcd', async () => {
    const log = await watch(key).live();
    await set(key, '1');
    await firstValueFrom(client.compareAndSwap$(key, '2', { prevValue: '1' }));
    await firstValueFrom(client.update$(key, '3'));
    await firstValueFrom(client.delete$(key));
    await firstValueFrom(client.create$(key, '4'));
    await firstValueFrom(client.compareAndDelete$(key, { prevValue: '4' }));
    const last = await set(key, '5', 1);
    const events = await log.count(8);
    expect(log.lines).toEqual([
      `set ${key}=1`,
      `compareAndSwap ${key}=2`,
      `update ${key}=3`,
      `delete ${key}`,
      `create ${key}=4`,
      `compareAndDelete ${key}`,
      `set ${key}=5`,
      `expire ${key}`,
    ]);
    expect(events[7]).toMatchObject({ prevNode: { value: '5' } });
    expect(events[7]?.index).toBeGreaterThan(last.node.modifiedIndex!);
    expect(events.map(({ index }) => index)).toEqual(events.map(({ node }) => node.modifiedIndex));
  });

  test('sees everything below its key', async () => {
    const log = await watch(key).live();
    await set(`${key}/a`, '1');
    await set(`${key}/b/c`, '2');
    const { node } = await firstValueFrom(client.createInOrder$(`${key}/queue`, '3'));
    await remove(`${key}/b`);
    await remove(key);
    await log.count(5);
    expect(log.lines).toEqual([
      `set ${key}/a=1`,
      `set ${key}/b/c=2`,
      `create ${node.key}=3`,
      `delete ${key}/b`,
      `delete ${key}`,
    ]);
  });

  test('without recursive sees its own key only', async () => {
    const log = await watch(key, { recursive: false }).live();
    await set(`${key}/a`, '1');
    await remove(key);
    await set(key, '2');
    await log.count(2);
    expect(log.lines).toEqual([`delete ${key}`, `set ${key}=2`]);
  });

  test('sees no neighbour whose name begins alike', async () => {
    const log = await watch(key).live();
    await set(`${key}x`, '1');
    await set(`${key}x/y`, '1').catch(() => undefined);
    await remove(`${key}x`);
    await set(key, '2');
    await log.count(1);
    expect(log.lines).toEqual([`set ${key}=2`]);
  });

  test('sees hidden keys only when they are named', async () => {
    const [above, named] = [watch(key), watch(`${key}/_hidden`)];
    await Promise.all([above.live(), named.live()]);
    await set(`${key}/_hidden/a`, '1');
    await set(`${key}/seen`, '2');
    await Promise.all([above.count(1), named.count(1)]);
    expect(above.lines).toEqual([`set ${key}/seen=2`]);
    expect(named.lines).toEqual([`set ${key}/_hidden/a=1`]);
  });

  test('of the root sees all keys', async () => {
    const log = await watch('/').live();
    await set(`${key}/a`, '1');
    await set(key.replace('/', '/_'), 'hidden');
    await set(`${key}-b`, '2');
    await log.count(2);
    expect(log.lines).toEqual([`set ${key}/a=1`, `set ${key}-b=2`]);
  });

  test.each([true, false])('sees a deleted directory above its key, recursive: %p', async (recursive) => {
    await set(`${key}/dir/file`, '1');
    const log = await watch(`${key}/dir/file`, { recursive }).live();
    const { node } = await remove(key);
    const [event] = await log.count(1);
    expect(event).toMatchObject({ action: 'delete', node: { key, dir: true }, index: node.modifiedIndex });
  });

  test('sees an expired directory above its key', async () => {
    await put(key, { dir: 'true', ttl: '1' });
    await set(`${key}/file`, '1');
    const log = await watch(`${key}/file`).live();
    await log.count(1);
    expect(log.lines).toEqual([`expire ${key}`]);
  });
});
