import type { ClientEvent, EtcdClient, WatchEvent, WatchOptions } from 'rxetcd';
import type { ObservedValueOf } from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import type { CallName, PageOptions, ToldWatch } from './page-library.js';
import type { Tab } from './tab.js';

type Emitted<K extends CallName> = ObservedValueOf<ReturnType<EtcdClient[K]>>;

/** A client in a page, which follows `clusterState$`. */
export class PageClient {
  readonly #tab: Tab;
  readonly #id: number;

  constructor(tab: Tab, id: number) {
    this.#tab = tab;
    this.#id = id;
  }

  static async open(tab: Tab, options: PageOptions): Promise<PageClient> {
    return new PageClient(tab, await tab.run('open', options));
  }

  /** All that the call emits; rejects with what its error tells. */
  async all<K extends CallName>(name: K, ...args: Parameters<EtcdClient[K]>): Promise<Emitted<K>[]> {
    const outcome = await this.#tab.run('call', this.#id, name, args);
    if ('error' in outcome) throw Object.assign(new Error(), outcome.error);
    return outcome.values as Emitted<K>[];
  }

  /** What the call emits last. */
  async call<K extends CallName>(name: K, ...args: Parameters<EtcdClient[K]>): Promise<Emitted<K>> {
    return (await this.all(name, ...args)).at(-1)!;
  }

  async watch(key: string, options: WatchOptions = {}): Promise<PageWatch> {
    return new PageWatch(this.#tab, this, await this.#tab.run('watch', this.#id, key, options));
  }

  /** What `clusterState$` says, as a line. */
  async state(): Promise<string> {
    return this.#tab.run('state', this.#id);
  }

  /** All that `clusterState$` has said, as lines. */
  async states(): Promise<readonly string[]> {
    return this.#tab.run('states', this.#id);
  }

  /** The name of the leader, once there is one, and another than that. */
  async leader(butNot?: string): Promise<string> {
    return eventually(async () => {
      const leader = await this.#tab.run('leader', this.#id);
      if (leader === undefined || leader === butNot) throw new Error(await this.state());
      return leader;
    });
  }

  async events(): Promise<readonly ClientEvent[]> {
    return this.#tab.run('events', this.#id);
  }

  async close(): Promise<void> {
    await this.#tab.run('close', this.#id);
  }
}

/** A watch in a page, and all that it has told so far. */
export class PageWatch {
  readonly #tab: Tab;
  readonly #client: PageClient;
  readonly #id: number;

  constructor(tab: Tab, client: PageClient, id: number) {
    this.#tab = tab;
    this.#client = client;
    this.#id = id;
  }

  async told(): Promise<ToldWatch> {
    return this.#tab.run('watched', this.#id);
  }

  /** Waits until it stands at a member: what happens from then on will be seen. */
  async live(): Promise<this> {
    await eventually(async () => (await this.#stages()).includes('watch-live'));
    return this;
  }

  /** Waits for that many events. */
  async count(count: number): Promise<readonly WatchEvent[]> {
    return this.#until((told) => told.count >= count);
  }

  /** Waits for the event of that index. */
  async reach(index: number | undefined): Promise<readonly WatchEvent[]> {
    return this.#until((told) => told.index >= index!);
  }

  async unsubscribe(): Promise<void> {
    await this.#tab.run('unwatch', this.#id);
  }

  /** A page gets a minute: it shares the machine with its browser. */
  async #until(
    condition: (told: { count: number; index: number }) => boolean,
  ): Promise<readonly WatchEvent[]> {
    await eventually(
      async () => {
        const { error, ...told } = await this.#tab.run('progress', this.#id);
        if (condition(told)) return;
        throw new Error(
          `${String(told.count)} events, ${error?.message ?? (await this.#stages()).join(', ')}`,
        );
      },
      { within: 60_000, every: 50 },
    );
    return (await this.told()).events;
  }

  /** What all watches of the client went through. */
  async #stages(): Promise<string[]> {
    return (await this.#client.events()).map(({ type }) => type).filter((type) => type.startsWith('watch-'));
  }
}
