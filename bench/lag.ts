/** How long a write takes to be seen: by a watch, and by a bare chain of long polls. */
import { Agent, request } from 'node:http';
import { EtcdClient, type ClientOptions } from 'rxetcd';
import { filter, firstValueFrom } from 'rxjs';
import { spread, type Spread } from './rounds.js';

const writes = 300;

/** Follows one key. */
export interface Watcher {
  readonly key: string;
  /** Called for each event, as soon as it is seen. */
  onEvent: (value: string) => void;
  readonly stop: () => void;
}

/** Follows one key with one long poll after the other, each with the next `waitIndex`. */
export function bareChain(origin: string, key: string, index: number): Watcher {
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

export async function ours(options: ClientOptions, key: string): Promise<Watcher> {
  const client = new EtcdClient(options);
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

/** What was taken in several rounds, by turns; ms, in order. */
export interface Lags {
  /** One watcher's to the other's, round by round: at the middle (0.5) or elsewhere. */
  readonly ratio: (part: number) => Spread;
  /** In words. */
  readonly beside: (part: number) => string;
}

/** Both watchers, one after the other in each round. */
export async function lags(
  writer: EtcdClient,
  watch: Watcher,
  chain: Watcher,
  rounds: number,
): Promise<Lags> {
  const samples: { own: number[]; bare: number[] }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const own = await times(writer, watch, round);
    samples.push({ own, bare: await times(writer, chain, round) });
  }
  const at = (list: number[], part: number): number => list[Math.floor(list.length * part)] ?? NaN;
  const ms = (part: number, who: 'own' | 'bare'): string =>
    `${spread(samples.map((sample) => at(sample[who], part))).median.toFixed(2)} ms`;
  return {
    ratio: (part) => spread(samples.map(({ own, bare }) => at(own, part) / at(bare, part))),
    beside: (part) => `${ms(part, 'own')}; chain ${ms(part, 'bare')}`,
  };
}
