import { firstValueFrom } from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import { startHttpTap } from '../../support/proxies/http-tap.js';
import { WatchLog } from '../../support/promises/watch-log.js';
import { fold, lineOf, watchesUnderTest } from '../../support/etcd/watches-under-test.js';

const watches = watchesUnderTest();
const { server, set, mark, watch, startWriter, stored } = watches;
let key: string;

beforeEach(() => {
  ({ key } = watches);
});

describe('initial', () => {
  test('begins with the key as it is', async () => {
    const { node } = await set(key, 'now');
    const index = await mark();
    const log = watch(key, { initial: true });
    const [sync] = await log.count(1);
    expect(sync).toMatchObject({ action: 'sync', node, info: { endpoint: server.url, status: 200 } });
    expect(sync).not.toHaveProperty('prevNode');
    expect(sync?.index).toBeGreaterThanOrEqual(index);
    await set(key, 'later');
    await log.count(2);
    expect(log.lines).toEqual([`sync ${key}=now`, `set ${key}=later`]);
  });

  test('of a missing key begins with its name alone', async () => {
    const index = await mark();
    const log = watch(key, { initial: true });
    const [sync] = await log.count(1);
    expect(sync).toMatchObject({ action: 'sync', info: { status: 404 } });
    expect(sync?.node).toEqual({ key });
    expect(sync?.index).toBeGreaterThanOrEqual(index);
    await set(key, '1');
    await log.count(2);
    expect(log.lines).toEqual([`sync ${key}`, `set ${key}=1`]);
  });

  test('of a key below a file begins with its name alone', async () => {
    await set(key, 'file');
    const [sync] = await watch(`${key}/below`, { initial: true }).count(1);
    expect(sync).toMatchObject({ action: 'sync', node: { key: `${key}/below` } });
    expect(sync?.node).toEqual({ key: `${key}/below` });
  });

  test('of a directory begins with all that is in it', async () => {
    await set(`${key}/a/b`, '1');
    await set(`${key}/_hidden`, '2');
    const [sync] = await watch(key, { initial: true }).count(1);
    expect(sync?.node).toMatchObject({
      key,
      dir: true,
      nodes: [{ key: `${key}/a`, dir: true, nodes: [{ key: `${key}/a/b`, value: '1' }] }],
    });
    expect(sync?.node.nodes).toHaveLength(1);
  });

  test('of a directory without recursive begins with its children', async () => {
    await set(`${key}/a/b`, '1');
    const [sync] = await watch(key, { initial: true, recursive: false }).count(1);
    expect(sync?.node).toMatchObject({ key, dir: true, nodes: [{ key: `${key}/a`, dir: true }] });
    expect(sync?.node.nodes?.[0]).not.toHaveProperty('nodes');
  });

  test('of the root begins with the root', async () => {
    const [sync] = await watch('/', { initial: true }).count(1);
    expect(sync?.node).toMatchObject({ key: '/', dir: true });
  });

  test('state and changes fit together while somebody writes', async () => {
    const writer = startWriter(key);
    await writer.reached(20);
    const logs: WatchLog[] = [];
    for (let i = 0; i < 10; i += 1) {
      logs.push(watch(key, { initial: true }));
      await logs[i]!.count(3);
    }
    const last = await writer.stop();
    const truth = await stored(key);
    for (const log of logs) {
      const [sync, ...changes] = await log.reach(last);
      const after = writer.written.filter(({ node }) => node.modifiedIndex! > sync!.index);
      expect(changes.map(lineOf)).toEqual(after.map(lineOf));
      expect(fold(log.events)).toEqual(truth);
    }
  });

  test('what is written before the watch stands is in the state, or comes behind it', async () => {
    const tap = await firstValueFrom(startHttpTap(server.url));
    server.afterwards(() => firstValueFrom(tap.close$()));
    let goOn = (): void => undefined;
    const written = new Promise<void>((resolve) => (goOn = resolve));
    server.afterwards(() => goOn());
    tap.until = ({ path }) => (path.includes('wait=true') ? written : undefined);
    await set(key, 'before');
    const client = server.client({ endpoints: tap.url, discover: false });
    const log = new WatchLog(client, key, { initial: true });
    server.afterwards(() => log.unsubscribe());
    await eventually(() => tap.requests.some(({ path }) => path.includes('wait=true')));
    // A state that was asked for beside the watch has come by now.
    for (let i = 0; i < 20; i += 1) await firstValueFrom(client.exists$(key));
    await set(key, 'between');
    goOn();
    await log.count(1);
    await set(key, 'behind');
    await log.until(() => log.lines.at(-1) === `set ${key}=behind`);
    const told = log.events.map(({ action, node }) => `${action} ${node.value ?? ''}`);
    expect([
      ['sync between', 'set behind'],
      ['sync before', 'set between', 'set behind'],
    ]).toContainEqual(told);
  });
});
