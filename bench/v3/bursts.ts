/** 20,000 events that another process writes, alone and 100 in a transaction: how many one watch loses, beside etcd3's. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { EtcdClient } from 'rxetcd/v3';
import { firstValueFrom, share } from 'rxjs';
import { startEtcd } from '../etcd-server.js';
import { type Figure, type Section } from '../figure.js';
import { spread } from '../rounds.js';
import { until } from '../until.js';
import { etcd3 } from './etcd3.js';

const count = 20_000;
const rounds = 5;

interface Seen {
  readonly lost: number;
  readonly resyncs: number;
  readonly rivalLost: number;
  /** How long the writers took, ms. */
  readonly written: number;
  /** From the end of the writers to the last event, ms. */
  readonly late: number;
  readonly rivalLate: number;
}

/** Resolves with the last revision. */
async function writeAll(origin: string, prefix: string, together: number): Promise<number> {
  const program = fileURLToPath(new URL('put-all.js', import.meta.url));
  const child = fork(program, [origin, prefix, String(count), String(together)]);
  let last = 0;
  child.on('message', (revision) => (last = revision as number));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`the writers ended with ${String(code)}`);
  return last;
}

async function burst(origin: string, prefix: string, together: number): Promise<Seen> {
  const client = new EtcdClient(origin);
  const rival = etcd3(origin);
  const keys = new Set<string>();
  const rivalKeys = new Set<string>();
  let resyncs = 0;
  let [lastAt, rivalLastAt] = [0, 0];
  const events$ = client.watch$({ prefix }, { live: true }).pipe(share());
  const live = firstValueFrom(events$);
  const subscription = events$.subscribe((event) => {
    if (event.type === 'resync') resyncs += 1;
    if (event.type !== 'put') return;
    keys.add(event.kv.key);
    lastAt = performance.now();
  });
  const watcher = await rival.watch().prefix(prefix).create();
  try {
    await live;
    watcher.on('put', ({ key }) => {
      rivalKeys.add(key.toString());
      rivalLastAt = performance.now();
    });
    const start = performance.now();
    await writeAll(origin, prefix, together);
    const end = performance.now();
    // What is not there after half a second without an event is lost.
    await until(
      'the end of both',
      () =>
        (keys.size === count && rivalKeys.size === count) ||
        performance.now() - Math.max(end, lastAt, rivalLastAt) > 500,
    );
    return {
      lost: count - keys.size,
      resyncs,
      rivalLost: count - rivalKeys.size,
      written: end - start,
      late: Math.max(lastAt - end, 0),
      rivalLate: Math.max(rivalLastAt - end, 0),
    };
  } finally {
    subscription.unsubscribe();
    client.close();
    await watcher.cancel();
    rival.close();
  }
}

export const bursts: Section = async () => {
  const server = await startEtcd('disk', { api: 3 });
  try {
    const figures: Figure[] = [];
    for (const together of [1, 100]) {
      const seen: Seen[] = [];
      for (let round = 0; round < rounds; round += 1)
        seen.push(await burst(server.origin, `/bench/${String(together)}/${String(round)}/`, together));
      const middle = (part: keyof Seen): string => spread(seen.map((one) => one[part])).median.toFixed(0);
      const lost = spread(seen.map((one) => one.lost));
      figures.push({
        bar: `v3 watch, 20,000 events, ${String(together)} to a revision: lost`,
        measured: lost.most,
        range: [lost.least, lost.most],
        target: { most: 0 },
        beside: `etcd3 ${String(spread(seen.map((one) => one.rivalLost)).most)}; written in ${middle('written')} ms, the last event ${middle('late')} ms later, etcd3's ${middle('rivalLate')}; resyncs ${String(spread(seen.map((one) => one.resyncs)).most)}`,
      });
    }
    return figures;
  } finally {
    await server.stop();
  }
};
