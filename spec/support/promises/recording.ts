import type { ClusterState, EtcdClient, WatchEvent } from 'rxetcd';
import {
  catchError,
  defer,
  EMPTY,
  filter,
  finalize,
  map,
  mergeMap,
  of,
  range,
  repeat,
  Subscription,
  switchMap,
  take,
  timer,
  type Observable,
} from 'rxjs';
import { eventually } from '../jest/eventually.js';
import { durable, ordered, reliable, unique, type Stored } from './validators.js';

/** How a recording writes. */
export interface RecordingOptions {
  /** Writers side by side. Default 4. */
  writers?: number;
  /** Pause between two writes of one writer, ms. Default 10. */
  every?: number;
}

let recordings = 0;

/**
 * A history in the making: writers that set one key after the other, each once, a watch of all of them, and every
 * state of the cluster. At its end the truth is read from the cluster itself.
 */
export class Recording {
  readonly events: WatchEvent[] = [];
  readonly states: ClusterState[] = [];
  readonly acknowledged: Stored[] = [];
  /** Why writes failed. */
  readonly failures: unknown[] = [];
  watchError: Error | undefined;
  /** Its own directory, so that recordings on one cluster do not mix. */
  readonly #root = `/log${String((recordings += 1))}`;
  readonly #endpoints: readonly string[];
  readonly #running = new Subscription();
  #writing = true;
  #stopped = false;

  constructor(
    client: EtcdClient,
    endpoints: readonly string[],
    { writers = 4, every = 10 }: RecordingOptions = {},
  ) {
    this.#endpoints = endpoints;
    this.#running.add(client.clusterState$.subscribe((state) => this.states.push(state)));
    // What is written before the watch stands is not its to see.
    this.#running.add(
      client.events$
        .pipe(
          filter((event) => event.type === 'watch-live' && event.key === this.#root),
          take(1),
          switchMap(() => range(0, writers)),
          mergeMap((writer) => this.#writer$(client, writer, every)),
          finalize(() => {
            this.#writing = false;
          }),
        )
        .subscribe(),
    );
    this.#running.add(
      client.watch$(this.#root).subscribe({
        next: (event) => this.events.push(event),
        error: (error: Error) => {
          this.watchError = error;
        },
      }),
    );
  }

  /** Waits until so many more writes were acknowledged and seen. */
  async progress(count = 50): Promise<void> {
    const acknowledged = this.acknowledged.length + count;
    const seen = this.events.length + count;
    await eventually(
      () => {
        if (this.watchError !== undefined) throw new Error('the watch ended', { cause: this.watchError });
        if (this.acknowledged.length < acknowledged)
          throw new Error(`${String(this.acknowledged.length)} of ${String(acknowledged)} acknowledged`);
        if (this.events.length < seen)
          throw new Error(`${String(this.events.length)} of ${String(seen)} seen`);
      },
      { within: 30_000 },
    );
  }

  /** Ends the writers, waits for their last answers, and returns what the cluster holds. */
  async finish(): Promise<Stored[]> {
    this.#stopped = true;
    await eventually(() => !this.#writing, { within: 40_000 });
    const stored = await this.#readAll();
    await eventually(
      () => {
        const last = Math.max(0, ...stored.map((s) => s.index));
        if ((this.events.at(-1)?.index ?? 0) < last)
          throw new Error(`seen up to ${String(this.events.at(-1)?.index)} of ${String(last)}`);
      },
      { within: 20_000 },
    );
    this.#running.unsubscribe();
    return stored;
  }

  /** Everything that was promised, as far as it was broken. */
  findings(stored: readonly Stored[]): string[] {
    return [
      ...(this.watchError === undefined ? [] : [`the watch ended: ${this.watchError.message}`]),
      ...ordered(this.events),
      ...unique(this.events),
      ...reliable(this.events, stored),
      ...durable(this.acknowledged, stored),
    ];
  }

  /** Writes one key after the other; a pause follows each answer, so that a writer that was held up does not catch up. */
  #writer$(client: EtcdClient, writer: number, every: number): Observable<unknown> {
    let n = 0;
    return defer(() => {
      const key = `${this.#root}/${String(writer)}-${String(n)}`;
      const value = `value ${String(n)} of ${String(writer)}`;
      n += 1;
      return client.set$(key, value).pipe(
        map(({ node }) => this.acknowledged.push({ key, value, index: node.modifiedIndex ?? -1 })),
        catchError((error: unknown) => of(this.failures.push(error))),
      );
    }).pipe(repeat({ delay: () => (this.#stopped ? EMPTY : timer(every)) }));
  }

  /** Past the client: a quorum read over plain HTTP of the first member that serves one. */
  async #readAll(): Promise<Stored[]> {
    return eventually(
      async () => {
        for (const endpoint of this.#endpoints) {
          const answer = await fetch(`${endpoint}/v2/keys${this.#root}?quorum=true&recursive=true`, {
            signal: AbortSignal.timeout(3_000),
          }).catch(() => undefined);
          if (answer?.status !== 200) continue;
          const { node } = (await answer.json()) as {
            node: { nodes?: { key: string; value: string; modifiedIndex: number }[] };
          };
          return (node.nodes ?? [])
            .map(({ key, value, modifiedIndex }) => ({ key, value, index: modifiedIndex }))
            .sort((a, b) => a.index - b.index);
        }
        throw new Error('no member serves a quorum read');
      },
      { within: 20_000 },
    );
  }
}
