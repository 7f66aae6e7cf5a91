/** 10,000 writes by another process, on disk: how many events a recursive watch sees, and node-etcd's watcher beside it. */
import { EtcdClient } from 'rxetcd';
import { filter, firstValueFrom } from 'rxjs';
import { writeBurst, type BurstWrite } from '../spec/support/promises/burst-writer.js';
import { startEtcd } from './etcd-server.js';
import { type Figure, type Section } from './figure.js';
import { nodeEtcd } from './node-etcd.js';
import { spread } from './rounds.js';
import { until } from './until.js';

const count = 10_000;
const rounds = 5;

interface Seen {
  readonly events: number;
  readonly resyncs: number;
  readonly rival: number;
  /** How long the writers took, ms. */
  readonly duration: number;
}

async function burst(origin: string, dir: string, writes: readonly BurstWrite[]): Promise<Seen> {
  const client = new EtcdClient(origin);
  const live = firstValueFrom(client.events$.pipe(filter(({ type }) => type === 'watch-live')));
  const indexes: number[] = [];
  let resyncs = 0;
  const subscription = client.watch$(dir).subscribe(({ action, index }) => {
    if (action === 'resync') resyncs += 1;
    else indexes.push(index);
  });
  const rivals = new Set<number>();
  const rival = nodeEtcd(origin).watcher(dir, null, { recursive: true });
  rival.on('change', ({ node }) => rivals.add(node.modifiedIndex));
  rival.on('error', () => undefined);
  try {
    await live;
    const start = performance.now();
    const stored = await writeBurst(origin, writes);
    const duration = performance.now() - start;
    const last = stored.at(-1)!.index;
    await until('the last event', () => (indexes.at(-1) ?? 0) >= last || resyncs > 0);
    // What the rival still has in hand counts for it.
    let before = -1;
    await until('the end of the rival', async () => {
      const same = rivals.size === before;
      before = rivals.size;
      if (!same) await new Promise((resolve) => setTimeout(resolve, 250));
      return same;
    });
    if (indexes.some((index, i) => i > 0 && index <= indexes[i - 1]!)) throw new Error('out of order');
    if (resyncs === 0 && indexes.length !== stored.length) throw new Error('a silent gap');
    return { events: indexes.length, resyncs, rival: rivals.size, duration };
  } finally {
    subscription.unsubscribe();
    rival.stop();
    client.close();
  }
}

export const bursts: Section = async () => {
  const figures: Figure[] = [];
  for (const { name, pace } of [
    { name: '3,000/s', pace: 3 },
    { name: 'flat out', pace: undefined },
  ]) {
    const server = await startEtcd('disk');
    try {
      const seen: Seen[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const dir = `/bench/${String(round)}`;
        const writes = Array.from({ length: count }, (_, i) => ({
          key: `${dir}/k${String(i % 100)}`,
          value: String(i),
          ...(pace === undefined ? {} : { at: i / pace }),
        }));
        seen.push(await burst(server.origin, dir, writes));
      }
      const share = spread(seen.map(({ events }) => (100 * events) / count));
      const rival = spread(seen.map((round) => (100 * round.rival) / count)).median;
      const rate = spread(seen.map(({ duration }) => (1_000 * count) / duration)).median;
      const resyncs = seen.filter((round) => round.resyncs > 0).length;
      figures.push({
        bar: `10,000 writes ${name}: % of the events seen`,
        measured: share.median,
        range: [share.least, share.most],
        target: { least: 100 },
        beside: `node-etcd ${rival.toFixed(0)} %; written at ${rate.toFixed(0)}/s; an honest resync in ${String(resyncs)} of ${String(rounds)} rounds`,
      });
    } finally {
      await server.stop();
    }
  }
  return figures;
};
