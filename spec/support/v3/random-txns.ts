import {
  EtcdError,
  isAllNodesDown,
  isCompareFailed,
  isOutcomeUnknown,
  isRequestTimeout,
  type EtcdClient,
} from 'rxetcd/v3';
import { firstValueFrom, type Observable } from 'rxjs';
import type { RegisterAction, RegisterCall } from '../promises/linearizability.js';
import { seededRandom, type SeededRandom } from '../values/random.js';
import type { Change } from './store-history.js';
import { gatewayCall } from './watch-bed.js';

/** A write as its caller has seen it. */
export interface Write {
  /** Unique; of what it puts. */
  readonly value: string;
  readonly puts: readonly string[];
  readonly deletes: readonly string[];
  /** `failed`: surely not executed. */
  readonly outcome: 'ok' | 'failed' | 'unknown';
  /** That of the acknowledgement. */
  readonly revision?: number;
  /** On `performance.now()`. */
  readonly start: number;
  readonly end: number;
  /** The error, if it is one that no write should end in. */
  readonly surprise?: string;
}

/** The longest pause between two writes of one writer, ms. */
const longestPauseMs = 25;
/** A write past the library is given up after this time, ms. */
const limitMs = 1_000;
const keysOf = (root: string): string[] =>
  ['a', 'b'].flatMap((dir) => [0, 1, 2].map((i) => `${root}${dir}/${i}`));

/**
 * Writers of puts, deletes and transactions of several keys, side by side, until they are stopped: most of them through a
 * client, one past the library; and one who reads, writes and swaps one key through the client. Each has a key that counts
 * what it wrote.
 */
export class RandomTxns {
  readonly writes: Write[] = [];
  /** What was done to the register. */
  readonly calls: RegisterCall[] = [];
  readonly registerKey: string;
  readonly #client: EtcdClient;
  readonly #endpoints: readonly string[];
  readonly #root: string;
  readonly #epoch: number;
  readonly #running: Promise<unknown>;
  #values = 0;
  #clock = 0;
  #isStopped = false;

  /**
   * @param root the prefix of all keys
   * @param epoch tells these writers from those of another store
   */
  constructor(client: EtcdClient, endpoints: readonly string[], root: string, epoch: number, seed: number) {
    this.#client = client;
    this.#endpoints = endpoints;
    this.#root = root;
    this.#epoch = epoch;
    this.registerKey = `${root}register${epoch}`;
    const random = seededRandom(seed);
    const writers = [0, 1, 2].map((writer) => this.#repeat(random, (own) => this.#write(own, `c${writer}`)));
    const past = this.#repeat(random, (own) => this.#writePast(own));
    const registers = [0, 1].map(() => this.#repeat(random, (own) => this.#touch(own)));
    this.#running = Promise.all([...writers, past, ...registers]);
  }

  /** Acknowledged so far. */
  get acknowledged(): number {
    return this.writes.filter(({ outcome }) => outcome === 'ok').length;
  }

  /** Resolves when the last write has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  /** Everything that is wrong with the writes, as the store has it in the end. */
  findings(history: readonly Change[]): string[] {
    return [
      ...writeFindings(this.writes, history),
      ...countFindings(this.writes, history, `${this.#root}count/${this.#epoch}`),
    ];
  }

  async #repeat(random: SeededRandom, act: (random: SeededRandom) => Promise<unknown>): Promise<void> {
    const own = seededRandom(random.int(2 ** 31));
    while (!this.#isStopped) {
      await act(own);
      await new Promise((resolve) => setTimeout(resolve, own.int(longestPauseMs)));
    }
  }

  /** What a writer does next. */
  #plan(random: SeededRandom, writer: string): Pick<Write, 'value' | 'puts' | 'deletes'> {
    const value = `${this.#epoch}${writer}.${(this.#values += 1)}`;
    const keys = keysOf(this.#root);
    const one = keys.splice(random.int(keys.length), 1);
    const counted = [`${this.#root}count/${this.#epoch}${writer}`];
    const kind = random.int(6);
    if (kind < 2) return { value, puts: one, deletes: [] };
    if (kind === 2) return { value, puts: [], deletes: one };
    const [other = ''] = keys.splice(random.int(keys.length), 1);
    return kind === 3
      ? { value, puts: [...one, ...counted], deletes: [other] }
      : { value, puts: [...one, other, ...counted], deletes: [] };
  }

  async #write(random: SeededRandom, writer: string): Promise<void> {
    const plan = this.#plan(random, writer);
    const { value, puts, deletes } = plan;
    const success = [
      ...puts.map((key) => ({ request_put: { key: Buffer.from(key), value: Buffer.from(value) } })),
      ...deletes.map((key) => ({ request_delete_range: { key: Buffer.from(key) } })),
    ];
    const start = performance.now();
    const ended = await firstValueFrom(this.#client.raw$('KV', 'Txn', { success })).then(
      ({ header }): Ended => ({ outcome: 'ok', revision: header?.revision ?? 0 }),
      judged,
    );
    this.writes.push({ ...plan, ...ended, start, end: performance.now() });
  }

  async #writePast(random: SeededRandom): Promise<void> {
    const plan = this.#plan(random, 'past');
    const { value, puts, deletes } = plan;
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const success = [
      ...puts.map((key) => ({ request_put: { key: base64(key), value: base64(value) } })),
      ...deletes.map((key) => ({ request_delete_range: { key: base64(key) } })),
    ];
    const start = performance.now();
    const ended = await gatewayCall(random.pick(this.#endpoints), 'kv/txn', { success }, limitMs).then(
      (answer): Ended => {
        const { header } = answer as { header?: { revision: string } };
        return header === undefined
          ? { outcome: 'unknown' }
          : { outcome: 'ok', revision: Number(header.revision) };
      },
      (): Ended => ({ outcome: 'unknown' }),
    );
    this.writes.push({ ...plan, ...ended, start, end: performance.now() });
  }

  async #touch(random: SeededRandom): Promise<void> {
    const key = this.registerKey;
    const value = `${this.#epoch}r.${(this.#values += 1)}`;
    const read$ = this.#client.getValue$(key);
    if (random.int(3) === 0) {
      await this.#call(read$, (found) => ({ type: 'read', value: found }));
      return;
    }
    const expected =
      random.int(2) === 0 ? undefined : await this.#call(read$, (found) => ({ type: 'read', value: found }));
    if (expected === undefined)
      await this.#call(this.#client.put$(key, value), () => ({ type: 'write', value }));
    else
      await this.#call(this.#client.compareAndSwap$(key, value, { prevValue: expected }), () => ({
        type: 'cas',
        expected,
        value,
      }));
  }

  /** Makes a call on the register and keeps it; resolves with its answer, undefined if it failed. */
  async #call<T>(
    call$: Observable<T>,
    actionOf: (answer: T | undefined) => RegisterAction,
  ): Promise<T | undefined> {
    const start = (this.#clock += 1);
    const keep = (outcome: RegisterCall['outcome'], answer?: T): T | undefined => {
      this.calls.push({ action: actionOf(answer), outcome, start, end: (this.#clock += 1) });
      return answer;
    };
    return firstValueFrom(call$).then(
      (answer) => keep('ok', answer),
      (error: unknown) =>
        keep(isCompareFailed(error) ? 'mismatch' : isOutcomeUnknown(error) ? 'unknown' : 'failed'),
    );
  }
}

type Ended = Pick<Write, 'outcome' | 'revision' | 'surprise'>;

function judged(error: unknown): Ended {
  if (isOutcomeUnknown(error)) return { outcome: 'unknown' };
  const isExpected = isAllNodesDown(error) || isRequestTimeout(error);
  return {
    outcome: error instanceof EtcdError ? 'failed' : 'unknown',
    ...(isExpected ? {} : { surprise: String(error) }),
  };
}

/**
 * Every acknowledged write stands in the history at the revision that it was acknowledged with, none stands there twice, and
 * none that was given up as not executed.
 */
export function writeFindings(writes: readonly Write[], history: readonly Change[]): string[] {
  const places = new Map<string, Set<number>>();
  const at = new Set<string>();
  for (const { type, key, value, revision } of history) {
    if (type !== 'put') continue;
    places.set(value, (places.get(value) ?? new Set()).add(revision));
    at.add(`${key}=${value}@${revision}`);
  }
  return writes.flatMap((write) => {
    const { value, puts, outcome, revision = 0, surprise } = write;
    const applied = [...(places.get(value) ?? [])];
    return [
      ...(surprise === undefined ? [] : [`${value}: ${surprise}`]),
      ...(applied.length > 1 ? [`${value} was applied at ${applied.join(' and ')}`] : []),
      ...(outcome === 'failed' && applied.length > 0
        ? [`${value} failed, and was applied at ${applied.join()}`]
        : []),
      ...(outcome === 'ok'
        ? puts
            .filter((key) => !at.has(`${key}=${value}@${revision}`))
            .map((key) => `${key}=${value} was acknowledged at ${revision}, where it is not`)
        : []),
    ];
  });
}

/** Each key that counts what one writer wrote has as many versions as were acknowledged, and at most those of unknown outcome more. */
export function countFindings(
  writes: readonly Write[],
  history: readonly Change[],
  prefix: string,
): string[] {
  const versions = new Map<string, number>();
  for (const { key, version } of history) if (key.startsWith(prefix)) versions.set(key, version);
  const counters = new Set([
    ...versions.keys(),
    ...writes.flatMap(({ puts }) => puts.filter((key) => key.startsWith(prefix))),
  ]);
  return [...counters].flatMap((key) => {
    const counted = writes.filter(({ puts }) => puts.includes(key));
    const least = counted.filter(({ outcome }) => outcome === 'ok').length;
    const most = least + counted.filter(({ outcome }) => outcome === 'unknown').length;
    const version = versions.get(key) ?? 0;
    return least <= version && version <= most
      ? []
      : [`${key} was written ${version} times: ${least} were acknowledged, ${most - least} unknown`];
  });
}
