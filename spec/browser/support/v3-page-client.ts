import type { EtcdClient, KeyRange, WatchOptions } from 'rxetcd/v3';
import type { ObservedValueOf } from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import type { PageOptions, V3CallName, V3Told } from './page-library.js';
import type { Tab } from './tab.js';

type Emitted<K extends V3CallName> = ObservedValueOf<ReturnType<EtcdClient[K]>>;

/** A client of the v3 API in a page. */
export class V3PageClient {
  readonly #tab: Tab;
  readonly #id: number;

  private constructor(tab: Tab, id: number) {
    this.#tab = tab;
    this.#id = id;
  }

  static async open(tab: Tab, options: PageOptions): Promise<V3PageClient> {
    return new V3PageClient(tab, await tab.run('openV3', options));
  }

  /** What the call emits last, as it prints; rejects with what its error tells. */
  async call<K extends V3CallName>(name: K, ...args: Parameters<EtcdClient[K]>): Promise<Emitted<K>> {
    const outcome = await this.#tab.run('callV3', this.#id, name, args);
    if ('error' in outcome) throw Object.assign(new Error(), outcome.error);
    return outcome.values.at(-1) as Emitted<K>;
  }

  async watch(range: KeyRange, options: WatchOptions = {}): Promise<V3PageWatch> {
    return new V3PageWatch(this.#tab, await this.#tab.run('watchV3', this.#id, range, options));
  }

  /** What `clusterState$` says, as a line. */
  async state(): Promise<string> {
    return this.#tab.run('stateV3', this.#id);
  }

  async close(): Promise<void> {
    await this.#tab.run('closeV3', this.#id);
  }
}

/** A watch in a page, and all that it has told so far. */
export class V3PageWatch {
  readonly #tab: Tab;
  readonly #id: number;

  constructor(tab: Tab, id: number) {
    this.#tab = tab;
    this.#id = id;
  }

  async told(): Promise<V3Told> {
    return this.#tab.run('watchedV3', this.#id);
  }

  /** Waits for what it has told to be so. A page gets a minute: it shares the machine with its browser. */
  async until(condition: (told: V3Told) => boolean): Promise<V3Told> {
    return eventually(
      async () => {
        const told = await this.told();
        if (condition(told)) return told;
        throw new Error(
          `${String(told.events.length)} events, ${told.error?.message ?? told.stages.join(', ')}`,
        );
      },
      { within: 60_000, every: 50 },
    );
  }

  async unsubscribe(): Promise<void> {
    await this.#tab.run('unwatchV3', this.#id);
  }
}
