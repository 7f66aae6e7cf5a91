import { EtcdClient } from 'rxetcd';
import { concat, firstValueFrom, lastValueFrom, type Observable } from 'rxjs';
import { cleanUp } from '../support/jest/clean-up.js';
import { eventually } from '../support/jest/eventually.js';
import { startFaultProxy, type FaultProxy } from '../support/proxies/fault-proxy.js';
import { linearizable } from '../support/promises/linearizability.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { free, keysOf, RandomWriters } from '../support/promises/random-writers.js';
import { runSeed, seededRandom, type SeededRandom } from '../support/values/random.js';
import { StoreWitness } from '../support/promises/store-witness.js';
import type { TcpProxy } from '../support/proxies/tcp-proxy.js';
import { registerCalls, WriteHistory } from '../support/promises/write-history.js';
import { acceptAgain, SentWrites, startWriteTap } from '../support/proxies/write-tap.js';
import {
  acknowledgedInLog,
  appliedOnce,
  notOverwritten,
  refusedHonestly,
  sentOnce,
  unknownForAReason,
  unsurprising,
} from '../support/promises/write-validators.js';

/** How many faults; each has a seed, which `FAULT_SEED=...` repeats. */
const rounds = Number(process.env['WRITE_FAULTS'] ?? 10);
const given = process.env['FAULT_SEED'];

let cluster: LocalCluster;
beforeAll(async () => {
  cluster = await firstValueFrom(startLocalCluster({ partitions: true }));
});
afterAll(async () => {
  await lastValueFrom(cluster.down$());
});

const done = <T>(...steps: Observable<T>[]): Promise<unknown> => lastValueFrom(concat(...steps));

/** What happens in a round. It ends when the cluster is whole. */
interface Trouble {
  /** No frozen or cut off member, no proxy keeps a request for later. */
  readonly keepsNothing?: true;
  readonly happens: (round: Round) => Promise<unknown>;
}

const troubles: Record<string, Trouble> = {
  'kill leader': { keepsNothing: true, happens: (round) => round.kill('leader') },
  'kill follower': { keepsNothing: true, happens: (round) => round.kill('follower') },
  'stop leader': { happens: (round) => round.stop('leader') },
  'stop follower': { happens: (round) => round.stop('follower') },
  'partition leader': { happens: (round) => round.partition('leader') },
  'partition follower': { happens: (round) => round.partition('follower') },
  'lose quorum': {
    keepsNothing: true,
    happens: async (round) => {
      const killed = [await round.killOne('leader'), await round.killOne('leader')];
      await round.told(({ hasQuorum }) => hasQuorum === false);
      for (const index of killed) await round.restart(index);
    },
  },
  'kill all': {
    keepsNothing: true,
    happens: async (round) => {
      await done(cluster.killAll$());
      round.taps.forEach((tap) => tap.refuse());
      await round.told(({ members }) => members.every(({ status }) => status === 'down'));
      await done(cluster.restartAll$());
      await Promise.all(round.taps.map(acceptAgain));
    },
  },
  'restart all in turn': {
    keepsNothing: true,
    happens: async (round) => {
      for (const { index } of cluster.members) {
        await round.restart(index);
        await done(cluster.ready$());
        await round.progress(10);
      }
    },
  },
  'bad network': { happens: (round) => round.progress(100) },
};

/** Some writers, one trouble, and what came of it. */
class Round {
  readonly taps: TcpProxy[] = [];
  readonly random: SeededRandom;
  readonly trouble: string;
  readonly #history = new WriteHistory();
  readonly #sent = new SentWrites();
  readonly #clients: EtcdClient[] = [];
  readonly #proxies: FaultProxy[] = [];
  readonly #cleanUps: (() => unknown)[] = [];

  constructor(readonly seed: number) {
    this.random = seededRandom(seed);
    const names = Object.keys(troubles);
    this.trouble = names[Math.abs(seed) % names.length]!;
  }

  async close(): Promise<void> {
    await cleanUp(this.#cleanUps);
  }

  /** Everything that is wrong. */
  async run(): Promise<string[]> {
    const root = `/round${this.seed}`;
    const { register, lock, seat } = keysOf(root);
    const { happens, keepsNothing } = troubles[this.trouble]!;
    const { index: from } = await new StoreWitness(cluster.endpoints, '', 1).insist(lock, { value: free });
    const witness = new StoreWitness(cluster.endpoints, root, from);
    witness.start();
    this.#cleanUps.push(() => witness.stop());

    const writers = await this.#start(root);
    await this.progress(50);
    await happens(this);
    this.#proxies.forEach((proxy) => proxy.heal());
    await done(cluster.ready$());
    await this.progress(50);
    await Promise.all(writers.map((writer) => writer.stop()));

    const { index: last } = await witness.insist('/end', { value: 'last' });
    await witness.reach(last);
    const log = witness.changes;
    const { calls } = this.#history;
    return [
      ...witness.findings,
      ...unsurprising(calls),
      ...acknowledgedInLog(calls, log),
      ...appliedOnce(calls, log),
      ...refusedHonestly(calls, log),
      ...unknownForAReason(calls, this.#sent),
      ...sentOnce(calls, this.#sent),
      ...notOverwritten(calls, log, keepsNothing !== true),
      ...linearizable(registerCalls(calls, register)),
      ...linearizable(registerCalls(calls, lock), free),
      ...linearizable(registerCalls(calls, seat)),
    ];
  }

  /** How many calls ended in which way. */
  get story(): string {
    const counts = new Map<string, number>();
    for (const { operation, outcome } of this.#history.calls) {
      const name = `${operation} ${outcome}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return [...counts]
      .map(([name, count]) => `${name} ${count}`)
      .sort()
      .join(', ');
  }

  /** Waits until so many more writes are acknowledged. */
  async progress(count: number): Promise<void> {
    const wanted = this.#history.acknowledged + count;
    await eventually(
      () => {
        if (this.#history.acknowledged < wanted)
          throw new Error(`${this.#history.acknowledged} of ${wanted} writes acknowledged`);
      },
      { within: 30_000 },
    );
  }

  /** Waits until each client's state is such. */
  async told(isSo: (state: EtcdClient['clusterState$']['value']) => boolean): Promise<void> {
    await eventually(() => this.#clients.every((client) => isSo(client.clusterState$.value)));
  }

  async killOne(which: 'leader' | 'follower'): Promise<number> {
    const { index } = await firstValueFrom(cluster.kill$(which));
    this.taps[index]!.refuse();
    return index;
  }

  async restart(index: number): Promise<void> {
    await done(cluster.kill$(index));
    this.taps[index]!.refuse();
    await done(cluster.restart$(index));
    await acceptAgain(this.taps[index]!);
  }

  async kill(which: 'leader' | 'follower'): Promise<void> {
    const index = await this.killOne(which);
    await this.goOn();
    await this.restart(index);
  }

  async stop(which: 'leader' | 'follower'): Promise<void> {
    const { index } = await firstValueFrom(cluster.stop$(which));
    await this.goOn();
    await done(cluster.resume$(index));
  }

  async partition(which: 'leader' | 'follower'): Promise<void> {
    const { index } = await firstValueFrom(cluster.partition$(which));
    await this.goOn();
    await done(cluster.heal$(index));
  }

  /** Until writes are acknowledged in spite of the trouble; perhaps until all that began before has ended as well. */
  async goOn(): Promise<void> {
    await this.progress(50);
    if (this.random.int(2) === 0) await this.#history.settle();
  }

  async #start(root: string): Promise<RandomWriters[]> {
    for (const endpoint of cluster.endpoints) await this.#connect(endpoint);
    const numbers = [0, 1];
    return numbers.map((number) => {
      const client = new EtcdClient({
        endpoints: this.taps.map(({ url }) => url),
        discover: false,
        heartbeat: 200,
        connectTimeout: 500,
        probeTimeout: 300,
        timeout: 1_000,
        deadline: 4_000,
        retry: { initialDelay: 10, maxDelay: 100 },
      });
      this.#clients.push(client);
      this.#cleanUps.push(() => client.close());
      const random = seededRandom(this.random.int(2 ** 31));
      const writers = new RandomWriters(number, client, root, this.#history, random);
      this.#cleanUps.push(() => writers.stop());
      return writers;
    });
  }

  /** The way to a member: a tap, and behind it perhaps a proxy that makes faults. */
  async #connect(endpoint: string): Promise<void> {
    let target = endpoint;
    if (this.trouble === 'bad network') {
      const random = seededRandom(this.random.int(2 ** 31));
      const proxy = await firstValueFrom(startFaultProxy(endpoint, { random, probability: network }));
      this.#cleanUps.push(() => firstValueFrom(proxy.close$()));
      this.#proxies.push(proxy);
      target = proxy.url;
    }
    const tap = await firstValueFrom(startWriteTap(target, this.#sent));
    this.#cleanUps.push(() => firstValueFrom(tap.close$()));
    this.taps.push(tap);
  }
}

const network = {
  error300: 0.02,
  drop: 0.03,
  delay: 0.1,
  cut: 0.03,
  reset: 0.03,
  truncate: 0.02,
  resetAll: 0.01,
  silence: 0.005,
};

/** Runs one round; its failure names the seed that repeats it. */
async function play(seed: number): Promise<void> {
  const round = new Round(seed);
  try {
    expect(await round.run()).toEqual([]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`FAULT_SEED=${seed} (${round.trouble}): ${reason}\n${round.story}`, { cause: error });
  } finally {
    await round.close();
    const { members } = cluster;
    for (const member of members) if (member.partitioned) await done(member.heal$());
    for (const member of members) if (member.state === 'stopped') await done(member.resume$());
    for (const member of members) if (member.state === 'down') await done(member.restart$());
    await done(cluster.ready$());
  }
}

describe('writes are honest under faults', () => {
  const seeds =
    given === undefined ? Array.from({ length: rounds }, (_, i) => Math.abs(runSeed) + i) : [Number(given)];
  test.each(seeds)('round %i', (seed) => play(seed));
});
