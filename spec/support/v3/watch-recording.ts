import type { ClientEvent, ClusterState, EtcdClient, WatchEvent, WatchOptions } from 'rxetcd/v3';
import { Subscription } from 'rxjs';
import { eventually } from '../jest/eventually.js';
import { linearizable } from '../promises/linearizability.js';
import { RandomTxns } from './random-txns.js';
import { mark, readHistory, type Change } from './store-history.js';
import { resumable, watchFindings, type Scope } from './watch-validators.js';

/** One watch, and all that it has told. */
export interface Followed {
  readonly range: string | { readonly prefix: string };
  readonly options: WatchOptions;
  readonly events: WatchEvent[];
  error?: unknown;
}

let recordings = 0;

/**
 * A history in the making: random writers, watches of what they write by different options, what the client tells of itself,
 * and every state of the cluster. The truth is read from the members' disks. Where the store becomes another one the
 * recording has one epoch for each.
 */
export class WatchRecording {
  readonly root = `log${(recordings += 1)}/`;
  readonly watches: Followed[];
  readonly told: { event: ClientEvent; at: number }[] = [];
  readonly states: { state: ClusterState; at: number }[] = [];
  /** The highest revision that was compacted away. */
  compacted = 0;
  writers: RandomTxns;
  readonly #client: EtcdClient;
  readonly #endpoints: readonly string[];
  readonly #seed: number;
  readonly #running = new Subscription();
  readonly #stores: (readonly Change[])[] = [];
  /** From there on the store's history is read. */
  #first = 1;
  /** The changes of this epoch that were read so far. */
  #changes: readonly Change[] = [];
  readonly #writeFindings: string[] = [];

  /** @param endpoints the members themselves, whatever the client takes to them */
  static async start(
    client: EtcdClient,
    endpoints: readonly string[],
    seed: number,
  ): Promise<WatchRecording> {
    const recording = new WatchRecording(client, endpoints, seed);
    // What was before may have been compacted away.
    recording.#first = await mark(endpoints, `${recording.root}b/0`, 'mark');
    await eventually(() =>
      recording.watches.every(({ events }) => events.some(({ type }) => type === 'live')),
    );
    recording.writers = recording.#write();
    return recording;
  }

  private constructor(client: EtcdClient, endpoints: readonly string[], seed: number) {
    this.#client = client;
    this.#endpoints = endpoints;
    this.#seed = seed;
    const { root } = this;
    this.#running.add(client.events$.subscribe((event) => this.told.push({ event, at: performance.now() })));
    this.#running.add(
      client.clusterState$.subscribe((state) => this.states.push({ state, at: performance.now() })),
    );
    this.watches = [
      this.#follow({ prefix: root }, {}),
      this.#follow({ prefix: `${root}a/` }, { initial: true, prevKv: true }),
      this.#follow(`${root}b/0`, { progress: true }),
      this.#follow({ prefix: root }, { only: 'delete' }),
    ];
    this.writers = undefined as unknown as RandomTxns;
  }

  /** One more watch of all, by another client. */
  async followBy(client: EtcdClient): Promise<Followed> {
    const followed = this.#follow({ prefix: this.root }, {}, client);
    await eventually(() => followed.events.some(({ type }) => type === 'live'));
    this.watches.push(followed);
    return followed;
  }

  /** Where the first of the watches stands. */
  async endpoint(): Promise<string> {
    let endpoint = '';
    const listing = this.#client.watches$.subscribe((watches) => {
      endpoint =
        watches.find(({ key, state }) => key === `${this.root}*` && state === 'live')?.endpoint ?? endpoint;
    });
    await eventually(() => endpoint !== '').finally(() => listing.unsubscribe());
    return endpoint;
  }

  /** Waits until so many more writes were acknowledged, and told by the watch of all. */
  async progress(count = 40): Promise<void> {
    const { writers } = this;
    const target = writers.acknowledged + count;
    await eventually(() => writers.acknowledged >= target || fail(`${writers.acknowledged} of ${target}`), {
      within: 30_000,
    });
    const last = Math.max(...writers.writes.map(({ revision = 0 }) => revision));
    await this.reach(last);
  }

  /** Waits until the watches of all have told everything up to a revision at which something was put. */
  async reach(revision: number): Promise<void> {
    const [all] = this.watches;
    await eventually(() => {
      if (all!.error !== undefined) throw new Error('the watch ended', { cause: all!.error });
      const top = all!.events.at(-1)?.revision ?? 0;
      return top >= revision || fail(`told up to ${top} of ${revision}`);
    });
  }

  /** Ends the writers, and waits until the watches have told all that they wrote; reads that. */
  async settle(): Promise<void> {
    await this.writers.stop();
    await this.read();
    const changes = this.#changes;
    await eventually(() => {
      const late = this.watches.flatMap((one) => {
        const due = changes.findLast(
          ({ key, type }) => isOf(one, key) && (one.options.only ?? type) === type,
        );
        const top = Math.max(0, ...this.#ofThisStore(one).map((event) => event.revision));
        return due === undefined || top >= due.revision
          ? []
          : [`${nameOf(one)} told up to ${top} of ${due.revision}`];
      });
      const errors = this.watches.flatMap(({ error }) => (error instanceof Error ? [String(error)] : []));
      return late.length + errors.length === 0 || fail([...late, ...errors].join(', '));
    });
    this.#writeFindings.push(
      ...this.writers.findings(changes),
      ...linearizable(this.writers.calls).map((finding) => `register: ${finding}`),
    );
  }

  /** Reads on in the history of the store, as before a part of it is compacted away; resolves with its last revision. */
  async read(): Promise<number> {
    const last = await mark(this.#endpoints, `${this.root}b/0`, 'mark');
    const from = (this.#changes.at(-1)?.revision ?? this.#first - 1) + 1;
    this.#changes = [...this.#changes, ...(await readHistory(this.#endpoints, this.root, from, last))];
    return last;
  }

  /** Behind `settle`: the store is another one from now on; new writers write to it. */
  next(): void {
    this.#stores.push(this.#changes);
    this.#changes = [];
    this.#first = 1;
    this.compacted = 0;
    this.writers = this.#write();
  }

  /** Behind `settle`: everything that was promised and was not kept. */
  findings(): string[] {
    const stores = [...this.#stores, this.#changes];
    return [
      ...this.#writeFindings,
      ...this.watches.flatMap((one) =>
        watchFindings(one.events, stores, scopeOf(one), this.compacted).map(
          (finding) => `${nameOf(one)} ${finding}`,
        ),
      ),
    ];
  }

  /** All that was told when somebody named a leader for the first time since. */
  leaderNamed(since: number, isAnother: (name: string) => boolean): number | undefined {
    return this.states.find(
      ({ state, at }) => at > since && state.leader !== undefined && isAnother(state.leader.name),
    )?.at;
  }

  /** Behind `settle`: what a new watch from behind one of the events tells, where it is not the rest of them. */
  async resumedFindings(): Promise<string[]> {
    const [all] = this.watches;
    const kept = this.#ofThisStore(all!).filter(
      ({ type, revision }) => (type === 'put' || type === 'delete') && revision > this.compacted,
    );
    const event = kept[Math.abs(this.#seed) % kept.length];
    if (event === undefined) return [];
    const resumed = this.#follow(all!.range, { fromRevision: event.revision + 1 });
    const last = kept.at(-1)!.revision;
    await eventually(
      () => resumed.events.some(({ revision }) => revision >= last) || event.revision === last,
    );
    return resumable(kept, event.revision, resumed.events);
  }

  /** Ends all of it. */
  async stop(): Promise<void> {
    this.#running.unsubscribe();
    await this.writers.stop();
  }

  #write(): RandomTxns {
    const epoch = this.#stores.length;
    return new RandomTxns(this.#client, this.#endpoints, this.root, epoch, this.#seed + epoch);
  }

  #follow(range: Followed['range'], options: WatchOptions, client = this.#client): Followed {
    const followed: Followed = { range, options, events: [] };
    this.#running.add(
      client.watch$(range, { ...options, live: true }).subscribe({
        next: (event) => followed.events.push(event),
        error: (error: unknown) => (followed.error = error),
      }),
    );
    return followed;
  }

  /** What a watch has told of the store that is there now; nothing if it has not found out yet. */
  #ofThisStore({ events }: Followed): readonly WatchEvent[] {
    let epoch = 0;
    const start = events.findIndex((event) => {
      if (event.type === 'resync' && event.reason !== 'compacted') epoch += 1;
      return epoch === this.#stores.length;
    });
    return start < 0 ? [] : events.slice(start);
  }
}

const isOf = ({ range }: Followed, key: string): boolean =>
  typeof range === 'string' ? key === range : key.startsWith(range.prefix);

/** From where on it sees: from the state with which it began, or where it stood at first. */
const afterOf = ({ events }: Followed): number => events[0]?.revision ?? Infinity;

const scopeOf = (followed: Followed): Scope => {
  const { only } = followed.options;
  return { range: followed.range, after: afterOf(followed), ...(only === undefined ? {} : { only }) };
};

const nameOf = ({ range, options }: Followed): string =>
  `${typeof range === 'string' ? range : range.prefix} ${JSON.stringify(options)}`;

function fail(problem: string): never {
  throw new Error(problem);
}
