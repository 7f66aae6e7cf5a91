/**
 * What an axios adapter costs: requests/s against one real etcd on loopback.
 *
 *   node adapters.js [adapters] [pools] [abort] [headers] [pipeline]
 *
 * `adapters` is the default. ROUNDS and SLICE_MS (milliseconds of one contender
 * in one round) change the length; ETCD_BIN names the server's binary.
 */
import {
  abortable,
  axiosAsItComes,
  axiosFetch,
  axiosOverDispatch,
  axiosOverHttp,
  axiosOverPoolRequest,
  bareHttp,
  bareUndici,
  dispatchWithoutAxios,
  pool,
  smallestOverDispatch,
  smallestOverHttp,
} from './contenders.js';
import { startEtcd, type EtcdServer } from './etcd-server.js';
import { comparePipelines } from './pipeline.js';
import { compare, KEYS, printFigures, type Contender, type Operation, type Plan } from './rounds.js';

const plan: Plan = {
  rounds: Number(process.env['ROUNDS'] ?? 9),
  milliseconds: Number(process.env['SLICE_MS'] ?? 200),
};

const SECTIONS: Readonly<Record<string, (server: EtcdServer) => Contender[]>> = {
  adapters: (server) => [
    bareHttp(server),
    bareUndici(server),
    axiosAsItComes(server),
    axiosOverHttp(server),
    smallestOverHttp(server),
    axiosOverPoolRequest(server),
    axiosOverDispatch(server),
    smallestOverDispatch(server),
    dispatchWithoutAxios(server),
    axiosFetch(server),
  ],
  pools: (server) => [
    bareHttp(server),
    ...[32, 64, 128, null].map((connections) =>
      smallestOverDispatch(
        server,
        'lean',
        pool(server, connections),
        `f2, ${connections ?? 'unlimited'} connections`,
      ),
    ),
  ],
  abort: (server) => [
    bareHttp(server),
    smallestOverDispatch(server),
    abortable(server, 'signal'),
    abortable(server, 'handle'),
  ],
  headers: (server) => [
    bareHttp(server),
    smallestOverDispatch(server, 'plain'),
    smallestOverDispatch(server, 'axios'),
    smallestOverDispatch(server, 'lean'),
    smallestOverDispatch(server, 'lazy'),
  ],
};

async function runSection(name: string, server: EtcdServer): Promise<void> {
  const contenders = SECTIONS[name]!(server);
  try {
    for (let key = 0; key < KEYS; key++) await contenders[0]!.put(key);
    for (const operation of ['get', 'put'] satisfies Operation[]) {
      for (const concurrency of [32, 1]) {
        const figures = await compare(contenders, operation, concurrency, plan);
        printFigures(`${name}: ${operation.toUpperCase()}, ${concurrency} at once`, figures);
      }
    }
  } finally {
    for (const contender of contenders) await contender.close();
  }
}

const wanted = process.argv.slice(2);
const sections = wanted.length === 0 ? ['adapters'] : wanted;
try {
  for (const name of sections) {
    if (name !== 'pipeline' && !(name in SECTIONS)) throw new Error(`no section "${name}"`);
  }
  if (sections.includes('pipeline')) await comparePipelines();
  const measured = sections.filter((name) => name !== 'pipeline');
  if (measured.length > 0) {
    const server = await startEtcd();
    const stopOnSignal = (): void => process.exit(130);
    process.once('SIGINT', stopOnSignal);
    process.once('SIGTERM', stopOnSignal);
    try {
      for (const name of measured) await runSection(name, server);
    } finally {
      await server.stop();
    }
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
