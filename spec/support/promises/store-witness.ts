import type { KeyResponse } from 'rxetcd';
import { eventually } from '../jest/eventually.js';
import type { SeededRandom } from '../values/random.js';
import type { Change } from './validators.js';

/** A poll of the witness goes to another member after this time, ms: its own may be frozen. */
const pollLimit = 1_000;
/** A write without an answer by then has an unknown outcome, ms: its member may be frozen. */
const writeLimit = 500;

/**
 * What really happens below a directory, seen without the client: one bare long poll after the other, straight at the
 * servers; and every write that was acknowledged, as live polls tell nothing of hidden keys.
 */
export class StoreWitness {
  readonly #endpoints: readonly string[];
  readonly #root: string;
  readonly #writeLimit: number;
  readonly #seen = new Map<number, Change>();
  readonly #acknowledged = new Map<number, Change>();
  readonly #ending = new AbortController();
  readonly #first: number;
  #next: number;
  /** A write to a hidden key was not acknowledged: it may be stored, and nobody was told. */
  #isInDoubt = false;
  #turn = 0;
  #running: Promise<void> | undefined;

  /**
   * @param from the index of the first change of interest
   * @param limit of a write, ms; a long one where no member freezes, so that all are acknowledged
   */
  constructor(endpoints: readonly string[], root: string, from: number, limit = writeLimit) {
    this.#writeLimit = limit;
    this.#endpoints = endpoints;
    this.#root = root;
    this.#first = from;
    this.#next = from;
  }

  /** All changes so far, in order. */
  get changes(): Change[] {
    return [...new Map([...this.#acknowledged, ...this.#seen])]
      .map(([, change]) => change)
      .sort((a, b) => a.index - b.index);
  }

  hasExpired(key: string): boolean {
    return [...this.#seen.values()].some((change) => change.action === 'expire' && change.key === key);
  }

  /** Acknowledged, and told to nobody. */
  get findings(): string[] {
    return [...this.#acknowledged.values()]
      .filter(({ index, key }) => index < this.#next && !isHidden(key) && !this.#seen.has(index))
      .map(({ index, key }) => `the store forgot ${key} at ${index}`);
  }

  start(): void {
    this.#running = this.#follow();
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  /** Waits until it has seen everything up to that index. */
  async reach(index: number): Promise<void> {
    await eventually(() => this.#next > index, { within: 20_000 });
  }

  /**
   * The same for hidden keys: a write that was not acknowledged and is stored all the same is found in etcd's history,
   * which tells of them. It holds the last 1,000 changes.
   */
  async reachWithHidden(index: number): Promise<void> {
    await this.reach(index);
    if (!this.#isInDoubt) return;
    for (let next = this.#first; next <= index;)
      next = (await eventually(() => this.#recall(next, index))) + 1;
  }

  /** Everything that may have been read of the store by now: up to a write that is made for it. */
  async settled(): Promise<Change[]> {
    const { index: last } = await this.insist('/settled', { value: 'settled' });
    await this.reach(last);
    return this.changes.filter(({ index }) => index <= last);
  }

  /** One write at the next server; undefined unless it is acknowledged. */
  async write(method: string, key: string, form: Record<string, string> = {}): Promise<Change | undefined> {
    const parameters = new URLSearchParams(form);
    const query = method === 'DELETE' ? `?${parameters}` : '';
    const answer = await fetch(`${this.#endpoint()}/v2/keys${this.#root}${key}${query}`, {
      method,
      ...(method === 'DELETE' ? {} : { body: parameters }),
      signal: AbortSignal.timeout(this.#writeLimit),
    })
      .then(async (response) => (response.ok ? ((await response.json()) as KeyResponse) : undefined))
      .catch(() => undefined);
    if (answer === undefined) {
      this.#isInDoubt ||= isHidden(key);
      return undefined;
    }
    const change = changeOf(answer);
    this.#acknowledged.set(change.index, change);
    return change;
  }

  /** Writes until it is acknowledged. */
  insist(key: string, form: Record<string, string>): Promise<Change> {
    return eventually(
      async () => {
        const change = await this.write('PUT', key, form);
        if (change === undefined) throw new Error(`${key} is not acknowledged`);
        return change;
      },
      { within: 20_000 },
    );
  }

  #endpoint(): string {
    return this.#endpoints[(this.#turn += 1) % this.#endpoints.length]!;
  }

  async #follow(): Promise<void> {
    let endpoint = this.#endpoint();
    while (!this.#ending.signal.aborted) {
      try {
        const response = await this.#poll(endpoint, this.#next);
        this.#next = (await this.#see(response)) + 1;
      } catch {
        endpoint = this.#endpoint();
        // The limit or a dead member: no hot loop.
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }

  /** The first change from `next` on, as history tells it. */
  async #recall(next: number, index: number): Promise<number> {
    const response = await this.#poll(this.#endpoint(), next);
    // What it is about to learn it would tell live, without what is hidden.
    if (Number(response.headers.get('x-etcd-index')) < index) throw new Error('the member lags');
    return this.#see(response);
  }

  #poll(endpoint: string, next: number): Promise<Response> {
    const query = `wait=true&recursive=true&waitIndex=${next}`;
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(pollLimit)]);
    return fetch(`${endpoint}/v2/keys${this.#root}?${query}`, { signal });
  }

  /** Takes note of the change that a poll has found; its index. */
  async #see(response: Response): Promise<number> {
    const change = changeOf((await response.json()) as KeyResponse);
    if (change.key.startsWith(`${this.#root}/`)) this.#seen.set(change.index, change);
    return change.index;
  }
}

const isHidden = (key: string): boolean => key.includes('/_');

function changeOf({ action, node: { key, value, dir, modifiedIndex } }: KeyResponse): Change {
  if (modifiedIndex === undefined) throw new TypeError('a change without an index');
  return { action, key, value, dir, index: modifiedIndex };
}

const files = [
  '/app/a',
  '/app/b',
  '/app/sub/x',
  '/app/sub/y',
  '/app/deep/1/2',
  '/single',
  '/apple/x',
  '/app_',
];
const hidden = ['/app/_hidden/k', '/app/sub/_h', '/app/_one'];

/** One write at random below `/app` and beside it. */
export function writeAtRandom(witness: StoreWitness, random: SeededRandom): Promise<Change | undefined> {
  const key = random.pick(files);
  const value = `${random.int(1_000_000)}`;
  const kind = random.int(20);
  if (kind < 9) return witness.write('PUT', key, { value });
  if (kind < 11) return witness.write('PUT', random.pick(hidden), { value });
  if (kind < 13) return witness.write('DELETE', key);
  if (kind < 14) return witness.write('POST', '/app/queue', { value });
  if (kind < 15) return witness.write('PUT', `/app/ttl${random.int(5)}`, { value, ttl: '1' });
  if (kind < 16) return witness.write('PUT', random.pick(['/app/dir/made', '/apple/dir']), { dir: 'true' });
  if (kind < 18) return swap(witness, key, value);
  return witness.write('DELETE', random.pick(['/app/sub', '/app', '/apple', '/app/dir', '/app/deep']), {
    recursive: 'true',
  });
}

/** A set, and then a compareAndSwap upon it, which fails if another writer was faster. */
async function swap(witness: StoreWitness, key: string, value: string): Promise<Change | undefined> {
  const before = await witness.write('PUT', key, { value });
  if (before === undefined) return undefined;
  return witness.write('PUT', key, { value: `${value} swapped`, prevIndex: `${before.index}` });
}
