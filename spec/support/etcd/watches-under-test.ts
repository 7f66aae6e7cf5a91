import type { EtcdClient, KeyResponse, WatchEvent } from 'rxetcd';
import { rmSync } from 'node:fs';
import { firstValueFrom, lastValueFrom, mergeMap, range } from 'rxjs';
import { eventually } from '../jest/eventually.js';
import { runSeed, seededRandom } from '../values/random.js';
import { serverUnderTest } from './server-under-test.js';
import { WatchLog } from '../promises/watch-log.js';

/** One etcd for a spec file about watches, a client and a key for each test, and short words for what happens there. */
export function watchesUnderTest() {
  const server = serverUnderTest();
  let client: EtcdClient;
  let key: string;

  beforeEach(() => {
    client = server.client();
    key = server.key();
  });

  const set = (name: string, value: string, ttl?: number) =>
    firstValueFrom(client.set$(name, value, ttl === undefined ? {} : { ttl }));
  const remove = (name: string) => firstValueFrom(client.delete$(name, { recursive: true }));
  /** The index of the latest change to a key of this test that nobody watches. */
  const mark = async () => (await set(`${key}-mark`, '')).node.modifiedIndex!;
  const watch = (name: string, options?: ConstructorParameters<typeof WatchLog>[2]) => {
    const log = new WatchLog(client, name, options);
    server.afterwards(() => log.unsubscribe());
    return log;
  };
  /** Changes enough, elsewhere, to push all that was before out of etcd's history of 1,000 events. */
  const flood = (writes = 1_100) =>
    lastValueFrom(range(0, writes).pipe(mergeMap((i) => client.set$(`${key}-flood`, String(i)), 32)));
  const restart = async () => {
    await firstValueFrom(server.member.restart$());
    await firstValueFrom(server.member.ready$());
  };
  /** Takes the server's data away: the same cluster by its flags, with nothing in it. */
  const rebuild = async () => {
    await firstValueFrom(server.member.kill$());
    rmSync(server.member.dataDir, { recursive: true });
    await restart();
    client = server.client();
  };

  /** Writes at random until told to stop, and keeps what should have been seen of it. */
  function startWriter(dir: string) {
    const random = seededRandom(runSeed);
    const written: KeyResponse[] = [];
    const stopping = new AbortController();
    const running = (async () => {
      for (let i = 0; !stopping.signal.aborted; i += 1) {
        const name = `${dir}/${random.int(10)}`;
        const exists = await firstValueFrom(client.exists$(name));
        const write$ = exists && random.int(4) === 0 ? client.delete$(name) : client.set$(name, String(i));
        written.push(await firstValueFrom(write$));
      }
    })();
    const stop = async () => {
      stopping.abort();
      await running;
      return written.at(-1)!.node.modifiedIndex!;
    };
    server.afterwards(stop);
    return { written, stop, reached: (count: number) => eventually(() => written.length >= count) };
  }

  async function stored(dir: string): Promise<Record<string, string>> {
    const { node } = await firstValueFrom(client.get$(dir, { sorted: true }));
    return Object.fromEntries((node.nodes ?? []).map((child) => [child.key, child.value!]));
  }

  return {
    server,
    get client() {
      return client;
    },
    /** What the test writes by from here on. */
    set client(next: EtcdClient) {
      client = next;
    },
    get key() {
      return key;
    },
    set,
    remove,
    mark,
    watch,
    flood,
    restart,
    rebuild,
    startWriter,
    stored,
  };
}

export const lineOf = ({ action, node }: KeyResponse | WatchEvent) =>
  `${node.modifiedIndex!} ${action} ${node.key}=${node.value ?? ''}`;

/** What stands below a directory after these events. */
export function fold(events: readonly WatchEvent[]): Record<string, string> {
  const state = new Map<string, string>();
  for (const { action, node } of events) {
    if (action === 'sync') for (const child of node.nodes ?? []) state.set(child.key, child.value!);
    else if (node.value === undefined) state.delete(node.key);
    else state.set(node.key, node.value);
  }
  return Object.fromEntries([...state].sort());
}
