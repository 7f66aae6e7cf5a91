import { EtcdClient, type ClientEvent, type WatchOptions } from 'rxetcd';
import { Subject, concat, lastValueFrom } from 'rxjs';
import { cleanUp } from '../jest/clean-up.js';
import { eventually } from '../jest/eventually.js';
import { FollowedWatch } from '../promises/followed-watch.js';
import type { LocalCluster } from '../cluster/local-cluster.js';
import { seededRandom, type SeededRandom } from '../values/random.js';
import { StoreWitness, writeAtRandom } from '../promises/store-witness.js';
import type { Change } from '../promises/validators.js';
import { buildWay, type Way } from './front.js';
import type { Middlebox } from './middlebox.js';
import { enoughWrites, type RoundReport } from './round-report.js';
import type { RoundPlan } from './round-plan.js';

/** How long a watch may take to stand, and may tell nothing once nothing is held any more, ms. */
export interface Patience {
  readonly stand: number;
  readonly reach: number;
}

const patient: Patience = { stand: 15_000, reach: 30_000 };
const insisted = { value: 'insisted' };
/** No round goes on for longer because writes fail, ms. */
const mostMs = 60_000;

let rounds = 0;

/**
 * One round: watches of a cluster, behind what the plan asks for, while it is written to at random and the middleboxes do what their
 * schedules say; then what the watches have told is held against what happened.
 */
export async function playWatchRound(
  cluster: LocalCluster,
  plan: RoundPlan,
  patience: Patience = patient,
): Promise<RoundReport> {
  const round = new WatchRound(cluster, plan, patience);
  try {
    return await round.run();
  } finally {
    await round.close();
  }
}

class WatchRound {
  readonly #cluster: LocalCluster;
  readonly #plan: RoundPlan;
  readonly #patience: Patience;
  readonly #random: SeededRandom;
  /** Its own directory, so that rounds on one cluster do not mix. */
  readonly #root = `/round${(rounds += 1)}-${Date.now().toString(36)}`;
  readonly #cleanUps: (() => unknown)[] = [];
  readonly #story: ClientEvent[] = [];
  readonly #findings: string[] = [];
  readonly #beganAt = performance.now();
  #boxes: readonly Middlebox[] = [];
  #watches: readonly FollowedWatch[] = [];
  #changes: readonly Change[] = [];
  #acknowledged = 0;

  constructor(cluster: LocalCluster, plan: RoundPlan, patience: Patience) {
    this.#cluster = cluster;
    this.#plan = plan;
    this.#patience = patience;
    this.#random = seededRandom(plan.seed + 1);
  }

  async close(): Promise<void> {
    await cleanUp(this.#cleanUps);
  }

  /** Whatever breaks it off is a finding. */
  async run(): Promise<RoundReport> {
    await this.#play().catch((error: unknown) => {
      this.#findings.push(`broken off: ${error instanceof Error ? error.message : String(error)}`);
    });
    return this.#report();
  }

  async #play(): Promise<void> {
    const { first, witness } = await this.#begin();
    const way = await buildWay(this.#cluster, this.#plan, (close) => this.#cleanUps.push(close));
    this.#boxes = way.boxes;
    const client = this.#client(way);
    const followed = await this.#standing(this.#open(client, first));

    const over$ = new Subject<void>();
    const playing = way.boxes.map((box, i) => box.play$(this.#plan.schedules[i] ?? [], over$).subscribe());
    this.#cleanUps.push(() => playing.forEach((one) => one.unsubscribe()));
    const restarted = this.#restart();
    const writers = Array.from({ length: this.#plan.writers }, () => this.#write(witness));
    const joiners = this.#join(client, witness);
    await Promise.all([...writers, this.#wave(witness), restarted]);
    followed.push(...(await joiners));
    this.#watches = followed;

    // Under the schedule to its end: what is late by now needs no calm to be found.
    over$.next();
    await eventually(() => playing.every(({ closed }) => closed), { within: mostMs });
    this.#changes = await this.#last(witness);
    await this.#reach();
    const ledger = await witness.settled();
    this.#findings.push(...witness.findings);
    // What a watch that hangs has not told is one finding; the gaps before that are others.
    for (const one of followed)
      this.#findings.push(
        ...one.findings(this.#changes, ledger).filter((line) => !isAbove(line, one.lastIndex)),
      );
  }

  async #begin(): Promise<{ first: Change; witness: StoreWitness }> {
    const { endpoints } = this.#cluster;
    const first = await new StoreWitness(endpoints, this.#root, 1).insist('/app/sub/x', insisted);
    const witness = new StoreWitness(endpoints, this.#root, first.index);
    witness.start();
    this.#cleanUps.push(() => witness.stop());
    for (const key of ['/app/sub/x', '/single']) await witness.insist(key, insisted);
    return { first, witness };
  }

  #client({ endpoints }: Way): EtcdClient {
    const client = new EtcdClient({
      endpoints: [...endpoints],
      discover: false,
      heartbeat: this.#plan.heartbeat,
      connectTimeout: 500,
      probeTimeout: 500,
      timeout: 2_000,
      retry: { initialDelay: 10, maxDelay: 200 },
    });
    this.#cleanUps.push(() => client.close());
    client.events$.subscribe((event) => {
      if (event.type.startsWith('watch-')) this.#story.push(event);
    });
    return client;
  }

  #follow(client: EtcdClient, key: string, options: WatchOptions = {}): FollowedWatch {
    const one = new FollowedWatch(client, `${this.#root}${key}`, options, this.#plan.isBlind);
    this.#cleanUps.push(() => one.unsubscribe());
    return one;
  }

  #open(client: EtcdClient, first: Change): FollowedWatch[] {
    return [
      this.#follow(client, '/app'),
      this.#follow(client, '/app', { initial: true }),
      this.#follow(client, '/single', { recursive: false }),
      this.#follow(client, '', { fromIndex: first.index }),
      ...(this.#plan.wave === 0 ? [] : [this.#follow(client, '/wave')]),
    ];
  }

  /** Those that stand in time; the others are found. */
  async #standing(watches: readonly FollowedWatch[]): Promise<FollowedWatch[]> {
    const standing: FollowedWatch[] = [];
    await Promise.all(
      watches.map(async (one) => {
        await one.stands(this.#patience.stand).then(
          () => standing.push(one),
          (error: unknown) => this.#findings.push(`${one.name} never stood: ${String(error)}`),
        );
      }),
    );
    return standing;
  }

  /** Subscribers that come later, one by one. */
  async #join(client: EtcdClient, witness: StoreWitness): Promise<FollowedWatch[]> {
    const joiners: FollowedWatch[] = [];
    for (const count of [60, 120, 180]) {
      await eventually(() => this.#acknowledged >= count, { within: mostMs });
      joiners.push(this.#follow(client, '/app', { initial: true }));
      const { index } = await witness.insist('/app/joined', insisted);
      joiners.push(this.#follow(client, '/app/sub', { fromIndex: index }));
    }
    return this.#standing(joiners);
  }

  /** In bursts, with pauses between, until the schedule is over and enough is written. */
  async #write(witness: StoreWitness): Promise<void> {
    const random = seededRandom(this.#random.int(2 ** 31));
    const pause = 1 + random.int(80);
    const began = performance.now();
    const age = () => performance.now() - began;
    while (age() < mostMs && (age() < this.#plan.lastsMs || this.#acknowledged < enoughWrites)) {
      for (let i = random.int(12); i >= 0; i -= 1)
        if ((await writeAtRandom(witness, random)) !== undefined) this.#acknowledged += 1;
      await new Promise((resolve) => setTimeout(resolve, random.int(pause * 10)));
    }
  }

  /** Many keys that expire in the same tick. */
  async #wave(witness: StoreWitness): Promise<void> {
    const { wave } = this.#plan;
    if (wave === 0) return;
    const keys = Array.from({ length: wave }, (_, i) => `/wave/${i}`);
    const written = await Promise.all(keys.map((key) => witness.insist(key, { value: 'wave', ttl: '2' })));
    await eventually(() => written.every(({ key }) => witness.hasExpired(key)), { within: mostMs });
  }

  async #restart(): Promise<void> {
    const { restart } = this.#plan;
    if (restart === undefined) return;
    await new Promise((resolve) => setTimeout(resolve, restart.atMs));
    const member = seededRandom(this.#plan.seed + 2).pick(this.#cluster.members);
    const away$ = restart.act === 'stop' ? member.stop$() : member.kill$();
    const back$ = restart.act === 'stop' ? member.resume$() : member.restart$();
    await lastValueFrom(concat(away$, back$, this.#cluster.ready$()));
  }

  /** Everything up to one last write to each watched key. */
  async #last(witness: StoreWitness): Promise<readonly Change[]> {
    let last = 0;
    for (const key of ['/wave/end', '/single', '/app/sub/x'])
      last = (await witness.insist(key, insisted)).index;
    await witness.reach(last);
    return witness.changes.filter(({ index }) => index <= last);
  }

  async #reach(): Promise<void> {
    await Promise.all(
      this.#watches.map(async (one) => {
        await one.reach(this.#changes, this.#patience.reach).catch((error: unknown) => {
          this.#findings.push(error instanceof Error ? error.message : String(error));
        });
      }),
    );
  }

  #report(): RoundReport {
    const sum = (name: 'legsEnded' | 'legsStalled' | 'legsForgotten') =>
      this.#boxes.reduce((total, { tally }) => total + tally[name], 0);
    return {
      plan: this.#plan,
      seconds: (performance.now() - this.#beganAt) / 1_000,
      legsEnded: sum('legsEnded'),
      legsStalled: sum('legsStalled') + sum('legsForgotten'),
      pages: this.#boxes.reduce((total, { paged }) => total + paged, 0),
      acknowledged: this.#acknowledged,
      resyncs: this.#watches.reduce(
        (total, { log }) => total + log.events.filter(({ action }) => action === 'resync').length,
        0,
      ),
      needless: this.#watches.flatMap((one) => one.needless(this.#changes)),
      findings: this.#findings,
      story: this.#story.slice(-20),
    };
  }
}

const isAbove = (finding: string, index: number): boolean =>
  Number(/ missing: (\d+) /.exec(finding)?.[1] ?? 0) > index;
