/** Whether anything stays behind: a million polls by one watch, and 100,000 subscriptions made and ended. */
import { EtcdClient } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { startEtcd } from './etcd-server.js';
import { type Figure, type Section } from './figure.js';
import { heapUsed } from './heap.js';
import { startPollServer } from './poll-server.js';
import { until } from './until.js';

const polls = 1_000_000;
const subscriptions = 100_000;

/** Some come and go with each heartbeat: the least of several looks. */
async function handles(): Promise<number> {
  let least = Infinity;
  for (let look = 0; look < 40; look += 1) {
    least = Math.min(least, process.getActiveResourcesInfo().length);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return least;
}

/** Follows a server that hides etcd's headers, as a browser sees it: one poll for each event. */
async function pollForLong(): Promise<Figure[]> {
  const server = await startPollServer();
  const client = new EtcdClient({ endpoints: server.origin, discover: false });
  try {
    let seen = 0;
    let last = 0;
    const subscription = client.watch$('/bench').subscribe(({ index }) => {
      if (index <= last) throw new Error('out of order');
      last = index;
      seen += 1;
    });
    await until('a tenth of the polls', () => seen >= polls / 10, 600_000);
    const [heap, open] = [heapUsed(), await handles()];
    const start = performance.now();
    await until('all polls', () => seen >= polls, 3_600_000);
    const rate = (1_000 * (seen - polls / 10)) / (performance.now() - start);
    const grown = (heapUsed() - heap) / 1_024;
    const more = (await handles()) - open;
    subscription.unsubscribe();
    return [
      {
        bar: 'a million polls: growth of the heap after the first tenth, KB',
        measured: Math.round(grown),
        target: { most: 512 },
        beside: `${rate.toFixed(0)} polls/s`,
      },
      { bar: 'a million polls: more handles', measured: more, target: { most: 0 } },
    ];
  } finally {
    client.close();
    await server.stop();
  }
}

async function subscribeOften(): Promise<Figure[]> {
  const server = await startEtcd();
  const client = new EtcdClient(server.origin);
  try {
    const inTurn = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) {
        const subscription = client.watch$(`/bench/${String(i % 50)}`).subscribe();
        if (i % 10 === 0) await firstValueFrom(client.set$(`/bench/${String(i % 50)}`, String(i)));
        subscription.unsubscribe();
      }
      await until('the end of all watchers', async () => (await server.watchers()) === 0);
    };
    // Code and caches grow at first.
    await inTurn(0.3 * subscriptions);
    const [heap, open] = [heapUsed(), await handles()];
    await inTurn(subscriptions);
    return [
      {
        bar: '100,000 watches begun and ended: growth of the heap, KB',
        measured: Math.round((heapUsed() - heap) / 1_024),
        target: { most: 512 },
      },
      {
        bar: '100,000 watches begun and ended: more handles',
        measured: (await handles()) - open,
        target: { most: 0 },
      },
    ];
  } finally {
    client.close();
    await server.stop();
  }
}

export const soak: Section = async () => [...(await pollForLong()), ...(await subscribeOften())];
