/** One writer: from a set being sent to its event being seen, beside a bare chain of long polls. */
import { Agent, request } from 'node:http';
import { EtcdClient } from 'rxetcd';
import { filter, firstValueFrom } from 'rxjs';
import { startEtcd } from './etcd-server.js';
import { ofRounds, type Section } from './figure.js';
import { spread } from './rounds.js';

const rounds = 9;
const writes = 300;

interface Watcher {
  readonly key: string;
  /** Called for each event, as soon as it is seen. */
  onEvent: (value: string) => void;
  readonly stop: () => void;
}

/** Follows one key with one long poll after the other, each with the next `waitIndex`. */
function bareChain(origin: string, key: string, index: number): Watcher {
  const agent = new Agent({ keepAlive: true });
  const watcher = {
    key,
    onEvent: (_: string): void => undefined,
    stop: (): void => {
      agent.destroy();
    },
  };
  const poll = (from: number): void => {
    const asked = request(
      `${origin}/v2/keys${key}?wait=true&waitIndex=${String(from)}`,
      { agent },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => (text += chunk));
        answer.on('error', () => undefined);
        answer.on('end', () => {
          if (text === '') return;
          const { node } = JSON.parse(text) as { node: { value: string; modifiedIndex: number } };
          poll(node.modifiedIndex + 1);
          watcher.onEvent(node.value);
        });
      },
    );
    asked.on('error', () => undefined);
    asked.end();
  };
  poll(index);
  return watcher;
}

async function ours(origin: string, key: string): Promise<Watcher> {
  const client = new EtcdClient(origin);
  const live = firstValueFrom(client.events$.pipe(filter(({ type }) => type === 'watch-live')));
  const watcher = {
    key,
    onEvent: (_: string): void => undefined,
    stop: (): void => {
      client.close();
    },
  };
  client.watch$(key).subscribe(({ node }) => {
    watcher.onEvent(node.value ?? '');
  });
  await live;
  return watcher;
}

/** Writes one value after the other, each once the one before was seen; ms of each. */
async function times(writer: EtcdClient, watcher: Watcher, round: number): Promise<number[]> {
  const taken: number[] = [];
  for (let i = 0; i < writes; i += 1) {
    const value = `${String(round)}-${String(i)}`;
    const seen = new Promise<number>((resolve) => {
      watcher.onEvent = (got) => {
        if (got === value) resolve(performance.now());
      };
    });
    const sent = performance.now();
    const written = firstValueFrom(writer.set$(watcher.key, value));
    taken.push((await seen) - sent);
    await written;
  }
  return taken.sort((a, b) => a - b);
}

export const latency: Section = async () => {
  const server = await startEtcd();
  const writer = new EtcdClient(server.origin);
  try {
    const { node } = await firstValueFrom(writer.set$('/bare', 'first'));
    const chain = bareChain(server.origin, '/bare', (node.modifiedIndex ?? 0) + 1);
    const watch = await ours(server.origin, '/ours');
    const samples: { own: number[]; bare: number[] }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const own = await times(writer, watch, round);
      samples.push({ own, bare: await times(writer, chain, round) });
    }
    chain.stop();
    watch.stop();
    const at = (list: number[], part: number): number => list[Math.floor(list.length * part)] ?? NaN;
    const ratio = (part: number) => spread(samples.map(({ own, bare }) => at(own, part) / at(bare, part)));
    const ms = (part: number, who: 'own' | 'bare'): string =>
      `${spread(samples.map((sample) => at(sample[who], part))).median.toFixed(2)} ms`;
    return [
      {
        bar: 'set sent → event seen, p50: to a bare long-poll chain',
        ...ofRounds(ratio(0.5)),
        target: { most: 1.2 },
        beside: `${ms(0.5, 'own')}; chain ${ms(0.5, 'bare')}`,
      },
      {
        bar: 'set sent → event seen, p99: to a bare long-poll chain',
        ...ofRounds(ratio(0.99)),
        beside: `${ms(0.99, 'own')}; chain ${ms(0.99, 'bare')}`,
      },
    ];
  } finally {
    writer.close();
    await server.stop();
  }
};
