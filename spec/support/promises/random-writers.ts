import type { Condition, EtcdClient, KeyResponse } from 'rxetcd';
import type { Observable } from 'rxjs';
import { seededRandom, type SeededRandom } from '../values/random.js';
import type { Intent, WriteCall, WriteHistory } from './write-history.js';

/** The longest pause between two calls of one writer, ms. */
const longestPause = 40;
/** What a lock holds that nobody holds. */
export const free = 'free';

/** The keys that writers share. */
export const keysOf = (root: string) => ({
  /** Set and swapped. */
  register: `${root}/register`,
  /** Swapped from free to a holder and back: a swap applied twice would take it again. `free` at first. */
  lock: `${root}/lock`,
  /** Created, and deleted by condition: a create applied twice would take it again. */
  seat: `${root}/seat`,
  /** A directory of keys in order. */
  queue: `${root}/queue`,
});

/**
 * Writers that work on a few keys through one client, side by side, until they are stopped. Each value that they store is unique,
 * but for `free`.
 */
export class RandomWriters {
  readonly #number: number;
  readonly #client: EtcdClient;
  readonly #history: WriteHistory;
  readonly #keys: ReturnType<typeof keysOf>;
  readonly #running: Promise<unknown>;
  #values = 0;
  #isStopped = false;

  /** @param number tells this client's calls and values from others' */
  constructor(number: number, client: EtcdClient, root: string, history: WriteHistory, random: SeededRandom) {
    this.#number = number;
    this.#client = client;
    this.#history = history;
    this.#keys = keysOf(root);
    const writers = [this.#set, this.#swap, this.#hold, this.#sit, this.#queue];
    this.#running = Promise.all(
      writers.map((write) => this.#repeat(write.bind(this), seededRandom(random.int(2 ** 31)))),
    );
  }

  /** Resolves when the last call has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #repeat(write: (random: SeededRandom) => Promise<unknown>, random: SeededRandom): Promise<void> {
    while (!this.#isStopped) {
      await write(random);
      await new Promise((resolve) => setTimeout(resolve, random.int(longestPause)));
    }
  }

  async #set(): Promise<void> {
    const [key, value] = [this.#keys.register, this.#value()];
    await this.#record({ operation: 'set', key, value }, this.#client.set$(key, value));
  }

  async #swap(random: SeededRandom): Promise<void> {
    const key = this.#keys.register;
    const expected = await this.#read(key);
    if (expected === undefined) return;
    const condition = random.int(2) === 0 ? { prevValue: expected.value } : { prevIndex: expected.index };
    await this.#swapTo(key, expected.value, this.#value(), condition);
  }

  /** Takes the lock and gives it back; frees one whose holder may be gone. */
  async #hold(random: SeededRandom): Promise<void> {
    const key = this.#keys.lock;
    const held = (await this.#read(key))?.value;
    if (held === undefined) return;
    if (held !== free) {
      if (random.int(4) === 0) await this.#swapTo(key, held, free);
      return;
    }
    const value = this.#value();
    const { outcome } = await this.#swapTo(key, free, value);
    if (outcome === 'ok') await this.#swapTo(key, value, free);
  }

  /** Takes the seat and leaves it; empties one whose holder may be gone. */
  async #sit(random: SeededRandom): Promise<void> {
    const key = this.#keys.seat;
    const value = this.#value();
    const intent: Intent = { operation: 'create', key, value, expected: undefined };
    const { outcome } = await this.#record(intent, this.#client.create$(key, value));
    const seated = outcome === 'ok' ? value : (await this.#read(key))?.value;
    if (seated === undefined || (outcome !== 'ok' && random.int(4) > 0)) return;
    await this.#record(
      { operation: 'compareAndDelete', key, expected: seated },
      this.#client.compareAndDelete$(key, { prevValue: seated }),
    );
  }

  async #queue(): Promise<void> {
    const [key, value] = [this.#keys.queue, this.#value()];
    await this.#record({ operation: 'createInOrder', key, value }, this.#client.createInOrder$(key, value));
  }

  /** With quorum; undefined if there is nothing, or no answer. */
  async #read(key: string): Promise<WriteCall['found']> {
    const { found } = await this.#record({ operation: 'get', key }, this.#client.get$(key, { quorum: true }));
    return found;
  }

  #swapTo(
    key: string,
    expected: string,
    value: string,
    condition: Condition = { prevValue: expected },
  ): Promise<WriteCall> {
    return this.#record(
      { operation: 'compareAndSwap', key, value, expected },
      this.#client.compareAndSwap$(key, value, condition),
    );
  }

  #record(intent: Intent, answer$: Observable<KeyResponse>): Promise<WriteCall> {
    return this.#history.record(this.#number, intent, answer$);
  }

  #value(): string {
    return `v${this.#number}.${(this.#values += 1)}`;
  }
}
