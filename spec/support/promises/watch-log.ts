import type { EtcdClient, WatchEvent, WatchOptions } from 'rxetcd';
import { filter, Subscription, take } from 'rxjs';
import { eventually, type EventuallyOptions } from '../jest/eventually.js';

/** A watch and all that it has told so far. */
export class WatchLog {
  readonly events: WatchEvent[] = [];
  error: unknown;
  completed = false;
  #isLive = false;
  readonly #subscription = new Subscription();

  constructor(client: EtcdClient, key: string, options?: WatchOptions) {
    this.#subscription.add(
      client.watches$
        .pipe(
          filter((watches) => watches.some(({ key: watched, state }) => watched === key && state === 'live')),
          take(1),
        )
        .subscribe(() => {
          this.#isLive = true;
        }),
    );
    this.#subscription.add(
      client.watch$(key, options).subscribe({
        next: (event) => this.events.push(event),
        error: (error: unknown) => (this.error = error),
        complete: () => (this.completed = true),
      }),
    );
  }

  /** `set /a=1`, or `delete /a`. */
  get lines(): string[] {
    return this.events.map(lineOf);
  }

  /** Waits until the watch stands at the server: what happens from then on will be seen. */
  async live(): Promise<this> {
    await this.until(() => this.#isLive);
    return this;
  }

  /** Waits for a condition, which a watch that ended in an error cannot meet. */
  async until(condition: () => boolean, options?: EventuallyOptions): Promise<void> {
    await eventually(() => {
      if (condition()) return true;
      if (this.error !== undefined) throw new Error('the watch ended', { cause: this.error });
      throw new Error(`seen so far: ${this.lines.slice(-20).join(', ')}`);
    }, options);
  }

  /** Waits for that many events. */
  async count(count: number): Promise<readonly WatchEvent[]> {
    await this.until(() => this.events.length >= count);
    return this.events;
  }

  /** Waits for the event of that index. */
  async reach(index: number | undefined, options?: EventuallyOptions): Promise<readonly WatchEvent[]> {
    await this.until(() => this.events.some((event) => event.index >= index!), options);
    return this.events;
  }

  unsubscribe(): void {
    this.#subscription.unsubscribe();
  }
}

function lineOf({ action, node: { key, value } }: WatchEvent): string {
  return `${action} ${key}${value === undefined ? '' : `=${value}`}`;
}
