import type { EtcdClient } from 'rxetcd';
import { concatMap, lastValueFrom, mergeMap, range, toArray } from 'rxjs';
import { ordered } from '../../support/promises/validators.js';
import { lineOf, watchesUnderTest } from '../../support/etcd/watches-under-test.js';

const watches = watchesUnderTest();
const { watch } = watches;
let client: EtcdClient;
let key: string;

beforeEach(() => {
  ({ client, key } = watches);
});

describe('under load', () => {
  test('500 sets in a row: all, in order, none twice', async () => {
    const [tree, single] = [watch(key), watch(`${key}/3`, { recursive: false })];
    await Promise.all([tree.live(), single.live()]);
    const written = await lastValueFrom(
      range(0, 500).pipe(
        concatMap((i) => client.set$(`${key}/${i % 7}`, String(i))),
        toArray(),
      ),
    );
    const last = written.at(-1)!.node.modifiedIndex;
    await tree.reach(last);
    expect(tree.events.map(lineOf)).toEqual(written.map(lineOf));
    const own = written.filter(({ node }) => node.key === `${key}/3`);
    await single.reach(own.at(-1)!.node.modifiedIndex);
    expect(single.events.map(lineOf)).toEqual(own.map(lineOf));
  });

  test('500 sets side by side: all, in order, none twice', async () => {
    const log = await watch(key).live();
    const written = await lastValueFrom(
      range(0, 500).pipe(
        mergeMap((i) => client.set$(`${key}/${i}`, String(i)), 16),
        toArray(),
      ),
    );
    const byIndex = [...written].sort((a, b) => a.node.modifiedIndex! - b.node.modifiedIndex!);
    await log.reach(byIndex.at(-1)!.node.modifiedIndex);
    expect(log.events.map(lineOf)).toEqual(byIndex.map(lineOf));
  });

  test('200 keys that expire in the same moment: all', async () => {
    const log = await watch(key).live();
    await lastValueFrom(range(0, 200).pipe(mergeMap((i) => client.set$(`${key}/${i}`, '', { ttl: 1 }), 16)));
    await log.count(400);
    const expired = log.events.filter(({ action }) => action === 'expire').map(({ node }) => node.key);
    expect(new Set(expired).size).toBe(200);
    expect(log.events).toHaveLength(400);
    expect(ordered(log.events)).toEqual([]);
  });
});
