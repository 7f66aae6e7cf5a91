/** 1,000 watches on 1,000 keys: the sockets that they take, the heap of each, and how soon all stand; beside etcd3's. */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { EtcdClient } from 'rxetcd/v3';
import { filter, firstValueFrom, lastValueFrom, mergeMap, range, Subscription, take } from 'rxjs';
import { startEtcd, type EtcdServer } from '../etcd-server.js';
import { ofRounds, type Section } from '../figure.js';
import { heapUsed } from '../heap.js';
import { spread } from '../rounds.js';
import { until } from '../until.js';
import { etcd3 } from './etcd3.js';

const count = 1_000;
const rounds = 9;
const keyOf = (i: number): string => `/bench/${String(i)}`;

/** Each socket that this process opens, until it is closed. */
const sockets = new Set<Socket>();
subscribe('net.client.socket', (message) => {
  const { socket } = message as { socket: Socket };
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
});

const gone = (server: EtcdServer): Promise<void> =>
  until('the end of all watches', async () => (await server.watchers()) === 0);

/** How long a client needs from its first word on until all its watches stand, ms. */
async function ownStanding({ origin }: EtcdServer): Promise<number> {
  const client = new EtcdClient(origin);
  const start = performance.now();
  const live$ = range(0, count).pipe(mergeMap((i) => client.watch$(keyOf(i), { live: true }).pipe(take(1))));
  await lastValueFrom(live$);
  const took = performance.now() - start;
  client.close();
  return took;
}

async function rivalStanding({ origin }: EtcdServer): Promise<number> {
  const client = etcd3(origin);
  const start = performance.now();
  const standing = await Promise.all(
    Array.from({ length: count }, (_, i) => client.watch().key(keyOf(i)).create()),
  );
  const took = performance.now() - start;
  await Promise.all(standing.map((watcher) => watcher.cancel()));
  client.close();
  return took;
}

export const watches: Section = async () => {
  const server = await startEtcd('memory', { api: 3 });
  try {
    // The first round loads the code of both.
    const own: number[] = [];
    const rival: number[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      own.push(await ownStanding(server));
      await gone(server);
      rival.push(await rivalStanding(server));
      await gone(server);
    }

    const ofRival = etcd3(server.origin);
    const beforeRival = heapUsed();
    const standing = await Promise.all(
      Array.from({ length: count }, (_, i) => ofRival.watch().key(keyOf(i)).create()),
    );
    const rivalEach = (heapUsed() - beforeRival) / count;
    await Promise.all(standing.map((watcher) => watcher.cancel()));
    ofRival.close();
    await gone(server);

    const client = new EtcdClient(server.origin);
    const [before, socketsBefore] = [heapUsed(), sockets.size];
    const open = new Subscription();
    for (let i = 0; i < count; i += 1) open.add(client.watch$(keyOf(i)).subscribe());
    await firstValueFrom(
      client.watches$.pipe(
        filter((all) => all.length === count && all.every(({ state }) => state === 'live')),
      ),
    );
    const each = (heapUsed() - before) / count;
    const used = sockets.size - socketsBefore;
    open.unsubscribe();
    client.close();
    return [
      { bar: 'v3, 1,000 watches on 1,000 keys: sockets of the client', measured: used, target: { most: 4 } },
      {
        bar: 'v3, 1,000 watches on 1,000 keys: heap each, KB',
        measured: each / 1_024,
        target: { most: 6 },
        beside: `etcd3 ${(rivalEach / 1_024).toFixed(1)} KB`,
      },
      {
        bar: 'v3, 1,000 watches on 1,000 keys: until all stand, from a new client on, ms',
        ...ofRounds(spread(own.slice(1))),
        target: { most: 300 },
        beside: `etcd3 ${spread(rival.slice(1)).median.toFixed(0)} ms`,
      },
    ];
  } finally {
    await server.stop();
  }
};
