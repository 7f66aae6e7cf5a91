import { EtcdClient } from 'rxetcd';
import { Subject, firstValueFrom } from 'rxjs';
import { cleanUp } from '../jest/clean-up.js';
import { eventually } from '../jest/eventually.js';
import { linearizable } from '../promises/linearizability.js';
import type { LocalCluster } from '../cluster/local-cluster.js';
import { RandomWriters, free, keysOf } from '../promises/random-writers.js';
import { seededRandom } from '../values/random.js';
import { StoreWitness } from '../promises/store-witness.js';
import { WriteHistory, registerCalls } from '../promises/write-history.js';
import { SentWrites, startWriteTap } from '../proxies/write-tap.js';
import {
  acknowledgedInLog,
  appliedOnce,
  notOverwritten,
  refusedHonestly,
  sentOnce,
  unknownForAReason,
  unsurprising,
} from '../promises/write-validators.js';
import { buildWay, type Way } from './front.js';
import type { RoundPlan } from './round-plan.js';
import { enoughWrites, type RoundReport } from './round-report.js';

/** No round goes on for longer because writes fail, ms. */
const mostMs = 60_000;
let rounds = 0;

/**
 * One round of writes: two clients write side by side, behind what the plan asks for, while the middleboxes do what their schedules
 * say; then what the clients were told is held against the store's own history.
 */
export async function playWriteRound(cluster: LocalCluster, plan: RoundPlan): Promise<RoundReport> {
  const cleanUps: (() => unknown)[] = [];
  const began = performance.now();
  const history = new WriteHistory();
  const findings: string[] = [];
  let way: Way = { endpoints: [], boxes: [] };
  try {
    const root = `/writes${(rounds += 1)}-${Date.now().toString(36)}`;
    const { lock } = keysOf(root);
    const { index: from } = await new StoreWitness(cluster.endpoints, '', 1).insist(lock, { value: free });
    const witness = new StoreWitness(cluster.endpoints, root, from);
    witness.start();
    cleanUps.push(() => witness.stop());
    way = await buildWay(cluster, plan, (close) => cleanUps.push(close));
    const sent = new SentWrites();
    const clients = await startClients(way, plan, sent, cleanUps);
    const random = seededRandom(plan.seed + 1);
    const writers = clients.map(
      (client, i) => new RandomWriters(i, client, root, history, seededRandom(random.int(2 ** 31))),
    );
    cleanUps.push(() => Promise.all(writers.map((writer) => writer.stop())));

    const over$ = new Subject<void>();
    const playing = way.boxes.map((box, i) => box.play$(plan.schedules[i] ?? [], over$).subscribe());
    cleanUps.push(() => playing.forEach((one) => one.unsubscribe()));
    await eventually(() => performance.now() - began > plan.lastsMs && history.acknowledged >= enoughWrites, {
      within: mostMs,
    }).catch(() => undefined);
    over$.next();
    await eventually(() => playing.every(({ closed }) => closed), { within: mostMs });
    await Promise.all(writers.map((writer) => writer.stop()));

    const { index: last } = await witness.insist('/end', { value: 'last' });
    await witness.reach(last);
    findings.push(
      ...witness.findings,
      ...brokenPromises(root, history, sent, witness),
      ...sentOnce(history.calls, sent),
    );
  } catch (error) {
    findings.push(`broken off: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await cleanUp(cleanUps);
  }
  const sum = (of: (box: Way['boxes'][number]) => number) =>
    way.boxes.reduce((total, box) => total + of(box), 0);
  return {
    plan,
    seconds: (performance.now() - began) / 1_000,
    legsEnded: sum(({ tally }) => tally.legsEnded + tally.othersEnded),
    legsStalled: sum(({ tally }) => tally.othersStalled + tally.othersForgotten),
    pages: sum(({ paged }) => paged),
    acknowledged: history.acknowledged,
    resyncs: 0,
    needless: [],
    findings,
    story: [],
  };
}

/** Two clients, each write of theirs noted before anything can happen to it. */
async function startClients(
  { endpoints }: Way,
  { heartbeat }: RoundPlan,
  sent: SentWrites,
  cleanUps: (() => unknown)[],
): Promise<EtcdClient[]> {
  const taps = await Promise.all(endpoints.map((url) => firstValueFrom(startWriteTap(url, sent))));
  cleanUps.push(() => Promise.all(taps.map((tap) => firstValueFrom(tap.close$()))));
  return [0, 1].map(() => {
    const client = new EtcdClient({
      endpoints: taps.map(({ url }) => url),
      discover: false,
      heartbeat,
      connectTimeout: 500,
      probeTimeout: 300,
      timeout: 1_000,
      deadline: 4_000,
      retry: { initialDelay: 10, maxDelay: 100 },
    });
    cleanUps.push(() => client.close());
    return client;
  });
}

function brokenPromises(
  root: string,
  { calls }: WriteHistory,
  sent: SentWrites,
  witness: StoreWitness,
): string[] {
  const { register, lock, seat } = keysOf(root);
  const log = witness.changes;
  return [
    ...unsurprising(calls),
    ...acknowledgedInLog(calls, log),
    ...appliedOnce(calls, log),
    ...refusedHonestly(calls, log),
    ...unknownForAReason(calls, sent),
    // What a middlebox holds comes late.
    ...notOverwritten(calls, log, true),
    ...linearizable(registerCalls(calls, register)),
    ...linearizable(registerCalls(calls, lock), free),
    ...linearizable(registerCalls(calls, seat)),
  ];
}
