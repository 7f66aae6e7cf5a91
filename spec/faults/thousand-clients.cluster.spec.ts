import { firstValueFrom, forkJoin, lastValueFrom } from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { ScriptRunner } from '../support/programs/run-script.js';
import { startTcpProxy, type TcpProxy } from '../support/proxies/tcp-proxy.js';

/* What many clients leave behind in one process, at three members. */
let cluster: LocalCluster;
let runner: ScriptRunner;

beforeAll(async () => {
  runner = new ScriptRunner();
  cluster = await firstValueFrom(startLocalCluster());
});
afterAll(async () => {
  runner.remove();
  await lastValueFrom(cluster.down$());
});

describe('1,000 clients, each connected, used and closed', () => {
  let proxies: TcpProxy[];
  beforeEach(async () => {
    proxies = await lastValueFrom(forkJoin(cluster.endpoints.map((url) => startTcpProxy(url))));
  });
  afterEach(() => lastValueFrom(forkJoin(proxies.map((proxy) => proxy.close$()))));

  const script = (endpoints: readonly string[]): string => `
    import { EtcdClient } from './index.js';
    import { filter, firstValueFrom } from 'rxjs';
    import { setFlagsFromString } from 'node:v8';
    import { runInNewContext } from 'node:vm';
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc');
    // However slow the machine: this is not about time.
    const limits = { connectTimeout: 30_000, probeTimeout: 30_000, timeout: 30_000, deadline: 60_000 };
    const options = { discover: false, ...limits };
    const refs = [];

    async function cycle() {
      const client = await firstValueFrom(EtcdClient.connect$(${JSON.stringify(endpoints)}, options));
      refs.push(new WeakRef(client));
      client.clusterState$.subscribe();
      const live = firstValueFrom(client.events$.pipe(filter(({ type }) => type === 'watch-live')));
      client.watch$('/cycle').subscribe();
      await Promise.all([live, firstValueFrom(client.set$('/cycle', 'round'))]);
      client.close();
    }
    async function cycles(count) {
      const lane = async () => { while (count-- > 0) await cycle(); };
      await Promise.all(Array.from({ length: 8 }, lane));
    }
    const kept = () => ({
      resources: process.getActiveResourcesInfo().filter((name) => !/^(PipeWrap|FSReqPromise)$/.test(name)),
      listeners: process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
      clients: refs.filter((ref) => ref.deref() !== undefined).length,
    });
    /** Waits, up to 10 s, until there is no more to let go. */
    async function settled(isDone) {
      for (let i = 0; i < 200 && !isDone(kept()); i += 1) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        gc();
      }
      // Whoever was done at once has not collected anything yet.
      await new Promise((resolve) => setTimeout(resolve, 50));
      gc();
      gc();
      const { heapUsed } = process.memoryUsage();
      return { ...kept(), heapUsed };
    }
    const none = ({ resources, clients }) => resources.length === 0 && clients === 0;
    const states = [];
    for (let round = 0; round < 5; round += 1) {
      await cycles(200);
      states.push(await settled(none));
    }
    console.log(JSON.stringify({ states, count: refs.length }));
  `;

  it('leave no socket, timer, listener or client in their process, nor a connection at the server', async () => {
    const urls = proxies.map(({ url }) => url);
    const { exitCode, stdout, stderr } = await runner.run(script(urls), { limit: 110_000 });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const { states, count } = JSON.parse(stdout) as { states: Kept[]; count: number };
    expect(count).toBe(1_000);
    const { listeners } = states[0]!;
    for (const state of states) expect(state).toMatchObject({ resources: [], clients: 0, listeners });
    // What is kept of every client grows in every round; code and caches come and go between two.
    const growths = states.slice(1).map(({ heapUsed }, round) => heapUsed - states[round]!.heapUsed);
    // Four KiB of each would be seen.
    expect(growths.sort((a, b) => a - b)[1]).toBeLessThan(4 * 1024 * 200);
    await eventually(() => proxies.every(({ connections }) => connections === 0));
    expect(proxies.every(({ accepted }) => accepted >= 1_000)).toBe(true);
  }, 120_000);
});

interface Kept {
  resources: string[];
  listeners: [string, number][];
  clients: number;
  heapUsed: number;
}
