/** 10,000 subscribers of one directory: what they cost the server, and the heap. */
import { EtcdClient } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { startEtcd } from './etcd-server.js';
import { type Section } from './figure.js';
import { heapUsed } from './heap.js';
import { until } from './until.js';

const subscribers = 10_000;

export const fanOut: Section = async () => {
  const server = await startEtcd();
  const client = new EtcdClient(server.origin);
  try {
    let seen = 0;
    const first = client.watch$('/bench').subscribe(() => (seen += 1));
    await until('the watch', async () => (await server.watchers()) === 1);
    const before = heapUsed();
    for (let i = 1; i < subscribers; i += 1) first.add(client.watch$('/bench').subscribe(() => (seen += 1)));
    const heap = (heapUsed() - before) / subscribers;
    const watchers = await server.watchers();
    const written = performance.now();
    await firstValueFrom(client.set$('/bench/key', 'value'));
    await until('the event at all subscribers', () => seen === subscribers);
    const took = performance.now() - written;
    first.unsubscribe();
    return [
      { bar: '10,000 subscribers on one directory: connections', measured: watchers, target: { most: 1 } },
      {
        bar: '10,000 subscribers on one directory: heap each, KB',
        measured: heap / 1_024,
        target: { most: 2 },
        beside: `one event reaches all of them in ${took.toFixed(0)} ms`,
      },
    ];
  } finally {
    client.close();
    await server.stop();
  }
};
