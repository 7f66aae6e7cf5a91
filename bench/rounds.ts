/**
 * Alternating rounds: every contender runs briefly in every round, in rotated order, so that what disturbs the machine
 * disturbs all of them; ratios are taken within a round.
 */
export interface Contender {
  readonly name: string;
  /** One GET; gives the value, or throws. */
  get(key: number): Promise<string | undefined>;
  /** One PUT; throws what is no success. */
  put(key: number): Promise<unknown>;
  close(): unknown;
}

export type Operation = 'get' | 'put';

export interface Plan {
  readonly rounds: number;
  /** Of one contender in one round, ms. */
  readonly slice: number;
  /** What every GET is to give. Default: 64 bytes. */
  readonly value?: string;
}

interface Sample {
  readonly perSecond: number;
  /** This process's CPU time for one request, microseconds. */
  readonly cpu: number;
}

/** The middle of several values, with the least and the most. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export const keyCount = 256;
export const value = 'v'.repeat(64);

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1 ? sorted[middle] : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
  return { median: median ?? NaN, least: sorted[0] ?? NaN, most: sorted.at(-1) ?? NaN };
}

/** What was measured of several contenders in the same rounds. */
export class Comparison {
  readonly #samples: ReadonlyMap<string, readonly Sample[]>;

  constructor(samples: ReadonlyMap<string, readonly Sample[]>) {
    this.#samples = samples;
  }

  perSecond(name: string): Spread {
    return spread(this.#of(name).map(({ perSecond }) => perSecond));
  }

  cpu(name: string): Spread {
    return spread(this.#of(name).map(({ cpu }) => cpu));
  }

  /** Requests/s of one to those of another, round by round. */
  ratio(name: string, to: string): Spread {
    const other = this.#of(to);
    return spread(this.#of(name).map(({ perSecond }, round) => perSecond / other[round]!.perSecond));
  }

  /** How much more of something one has than another, round by round. */
  more(name: string, than: string, of: (sample: Sample) => number): Spread {
    const other = this.#of(than);
    return spread(this.#of(name).map((own, round) => of(own) - of(other[round]!)));
  }

  #of(name: string): readonly Sample[] {
    const samples = this.#samples.get(name);
    if (samples === undefined) throw new Error(`no contender ${name}`);
    return samples;
  }
}

async function sample(
  contender: Contender,
  operation: Operation,
  concurrency: number,
  { slice, value: wanted = value }: Plan,
): Promise<Sample> {
  let done = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const lane = async (first: number): Promise<void> => {
    for (let key = first; performance.now() < start + slice; key += concurrency) {
      const answer = await contender[operation](key % keyCount);
      if (operation === 'get' && answer !== wanted) throw new Error(`${contender.name}: not the value`);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, n) => lane(n)));
  const elapsed = performance.now() - start;
  const used = process.cpuUsage(cpu);
  return { perSecond: (done / elapsed) * 1000, cpu: (used.user + used.system) / done };
}

/** Runs all contenders against each other; the first round only warms up. */
export async function compare(
  contenders: readonly Contender[],
  operation: Operation,
  concurrency: number,
  plan: Plan,
): Promise<Comparison> {
  const samples = new Map(contenders.map(({ name }) => [name, [] as Sample[]]));
  for (let round = -1; round < plan.rounds; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const contender = contenders[(turn + round + 1) % contenders.length]!;
      const taken = await sample(contender, operation, concurrency, plan);
      if (round >= 0) samples.get(contender.name)?.push(taken);
    }
  }
  return new Comparison(samples);
}
