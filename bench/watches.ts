/** 1,000 watches on 1,000 keys: the heap of each, beside that of a bare parked poll. */
import { Agent, request } from 'node:http';
import { EtcdClient } from 'rxetcd';
import { Subscription } from 'rxjs';
import { startEtcd } from './etcd-server.js';
import { type Section } from './figure.js';
import { heapUsed } from './heap.js';
import { until } from './until.js';

const count = 1_000;

export const watches: Section = async () => {
  const server = await startEtcd();
  try {
    // Each has code to load that is no watch's own.
    const warm = new EtcdClient(server.origin);
    warm.watch$('/warm').subscribe();
    await until('the first watch', async () => (await server.watchers()) === 1);
    warm.close();
    await until('its end', async () => (await server.watchers()) === 0);

    const beforeBare = heapUsed();
    const agent = new Agent({ keepAlive: true });
    for (let i = 0; i < count; i += 1) {
      const asked = request(`${server.origin}/v2/keys/bench/${String(i)}?wait=true`, { agent });
      asked.on('error', () => undefined);
      asked.end();
    }
    await until('the bare polls', async () => (await server.watchers()) === count);
    const bare = (heapUsed() - beforeBare) / count;
    agent.destroy();
    await until('their end', async () => (await server.watchers()) === 0);

    const client = new EtcdClient(server.origin);
    const before = heapUsed();
    const open = new Subscription();
    for (let i = 0; i < count; i += 1) open.add(client.watch$(`/bench/${String(i)}`).subscribe());
    await until('the watches', async () => (await server.watchers()) >= count);
    const each = (heapUsed() - before) / count;
    open.unsubscribe();
    client.close();
    return [
      {
        bar: '1,000 watches on 1,000 keys: heap each, KB',
        measured: each / 1_024,
        target: { most: 25 },
        beside: `a bare parked poll ${(bare / 1_024).toFixed(1)} KB`,
      },
    ];
  } finally {
    await server.stop();
  }
};
