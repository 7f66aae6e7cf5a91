/**
 * Alternating rounds: every contender runs briefly in every round, in rotated
 * order, and is compared with the reference of the same round.
 */
export interface Contender {
  readonly name: string;
  /** One GET; gives the body's length, or throws. */
  get(key: number): Promise<number>;
  /** One PUT; gives the body's length, or throws. */
  put(key: number): Promise<number>;
  close(): unknown;
}

export type Operation = 'get' | 'put';

export interface Plan {
  readonly rounds: number;
  readonly milliseconds: number;
}

export interface Figures {
  readonly name: string;
  readonly perSecond: number;
  readonly ratio: number;
  readonly lowest: number;
  readonly highest: number;
  /** This process's CPU time for one request, in microseconds. */
  readonly cpu: number;
}

export const KEYS = 256;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

interface Sample {
  readonly perSecond: number;
  readonly cpu: number;
}

async function sample(
  contender: Contender,
  operation: Operation,
  concurrency: number,
  milliseconds: number,
): Promise<Sample> {
  let done = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const end = start + milliseconds;
  const lane = async (first: number): Promise<void> => {
    for (let key = first; performance.now() < end; key += concurrency) {
      const length = await contender[operation](key % KEYS);
      if (length === 0) throw new Error(`${contender.name}: an empty body`);
      done++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, n) => lane(n)));
  const elapsed = performance.now() - start;
  const used = process.cpuUsage(cpu);
  return { perSecond: (done / elapsed) * 1000, cpu: (used.user + used.system) / done };
}

/** The first contender is the reference of the ratios. */
export async function compare(
  contenders: readonly Contender[],
  operation: Operation,
  concurrency: number,
  plan: Plan,
): Promise<Figures[]> {
  const samples = contenders.map((): Sample[] => []);
  for (let round = -1; round < plan.rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const index = (turn + Math.max(round, 0) * 3) % contenders.length;
      const taken = await sample(contenders[index]!, operation, concurrency, plan.milliseconds);
      if (round >= 0) samples[index]!.push(taken);
    }
  }
  return contenders.map(({ name }, index) => {
    const own = samples[index]!;
    const ratios = own.map(({ perSecond }, round) => perSecond / samples[0]![round]!.perSecond);
    return {
      name,
      perSecond: median(own.map(({ perSecond }) => perSecond)),
      ratio: median(ratios),
      lowest: Math.min(...ratios),
      highest: Math.max(...ratios),
      cpu: median(own.map(({ cpu }) => cpu)),
    };
  });
}

export function printFigures(title: string, figures: readonly Figures[]): void {
  console.log(`\n${title}`);
  console.log('| contender | requests/s | ratio | min-max | CPU us/request |');
  console.log('|---|---|---|---|---|');
  for (const { name, perSecond, ratio, lowest, highest, cpu } of figures) {
    console.log(
      `| ${name} | ${perSecond.toFixed(0)} | ${ratio.toFixed(2)} | ` +
        `${lowest.toFixed(2)}-${highest.toFixed(2)} | ${cpu.toFixed(0)} |`,
    );
  }
}
