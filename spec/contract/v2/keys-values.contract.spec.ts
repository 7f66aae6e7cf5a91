import type { EtcdClient } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { awkwardValues } from '../../support/values/awkward-values.js';
import { keysUnderTest } from '../../support/etcd/keys-under-test.js';

const keys = keysUnderTest();
const { get } = keys;
let client: EtcdClient;
let key: string;

beforeEach(() => {
  ({ client, key } = keys);
});

test.each(awkwardValues.filter(([, value]) => value !== ''))(
  'every call that writes a value keeps one with %s',
  async (_, value) => {
    await firstValueFrom(client.create$(key, value));
    expect((await get()).node.value).toBe(value);
    await firstValueFrom(client.update$(key, `${value}${value}`));
    expect((await get()).node.value).toBe(`${value}${value}`);
    await firstValueFrom(client.compareAndSwap$(key, value, { prevValue: `${value}${value}` }));
    expect((await get()).node.value).toBe(value);
    const { node } = await firstValueFrom(client.createInOrder$(`${key}-queue`, value));
    expect((await get(node.key)).node.value).toBe(value);
  },
);
