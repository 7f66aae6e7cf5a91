import type { EtcdClient, WatchEvent, WatchOptions } from 'rxetcd';
import { Subscription } from 'rxjs';
import { dueTo, filtered, needed, ordered, reliable, unique, type Change, type Scope } from './validators.js';
import { WatchLog } from './watch-log.js';

/** A watch with what it is to see. One without `initial` or `fromIndex` must be the first of its client for its key. */
export class FollowedWatch {
  readonly log: WatchLog;
  #firstIndex: number | undefined;
  readonly #subscription: Subscription;

  /** @param isBlind its client cannot read headers */
  constructor(
    client: EtcdClient,
    readonly key: string,
    readonly options: WatchOptions = {},
    readonly isBlind = false,
  ) {
    // What the client says of the first stand of a watch.
    this.#subscription = client.events$.subscribe((event) => {
      if ((event.type === 'watch-live' || event.type === 'watch-catching-up') && event.key === key)
        this.#firstIndex ??= event.index;
    });
    this.log = new WatchLog(client, key, options);
  }

  /** As it is named in findings. */
  get name(): string {
    return `${this.key} ${JSON.stringify(this.options)}`;
  }

  get scope(): Scope {
    const { initial, fromIndex, recursive = true } = this.options;
    const from = fromIndex ?? this.#firstIndex;
    const after = initial === true ? this.log.events[0]?.index : from && from - 1;
    return { key: this.key, recursive, after: after ?? Infinity, blind: this.isBlind };
  }

  /** The highest index that it has told; 0 before the first. */
  get lastIndex(): number {
    return Math.max(0, ...this.log.events.map(({ index }) => index));
  }

  /** Waits until it is known from where on it sees. */
  async stands(within?: number): Promise<void> {
    await this.log.until(() => this.scope.after !== Infinity, within === undefined ? {} : { within });
  }

  /** Its events up to the last change. */
  told(changes: readonly Change[]): WatchEvent[] {
    return this.log.events.filter(({ index }) => index <= (changes.at(-1)?.index ?? 0));
  }

  /**
   * Waits for the last change that is its to see.
   *
   * @param within so long it may tell nothing new before it counts as hanging, ms
   */
  async reach(changes: readonly Change[], within = 30_000): Promise<void> {
    await this.stands(within);
    const last = dueTo(this.scope, changes).findLast(({ must }) => must)?.change.index ?? 0;
    const isThere = () => last <= this.scope.after || (this.log.events.at(-1)?.index ?? 0) >= last;
    for (let told = -1; told < this.log.events.length && !isThere();) {
      told = this.log.events.length;
      await this.log.until(isThere, { within }).catch(() => undefined);
    }
    if (isThere()) return;
    const why = this.log.error instanceof Error ? `: ${this.log.error.message}` : '';
    throw new Error(`${this.name} hangs at ${this.log.events.at(-1)?.index ?? 0} before ${last}${why}`);
  }

  /**
   * Every promise that was broken, as far as these changes tell.
   *
   * @param ledger what had happened when the last state was told, as `StoreWitness.settled` has it: a state that is read
   *   late holds what came above the last of the changes
   */
  findings(changes: readonly Change[], ledger: readonly Change[]): string[] {
    const { scope } = this;
    const events = this.told(changes);
    const upTo = changes.at(-1)?.index ?? 0;
    return [
      ...ordered(events),
      ...unique(events),
      ...reliable(events, ledger, { ...scope, upTo }),
      ...filtered(events, changes, scope),
    ].map((finding) => `${this.name} ${finding}`);
  }

  /** Resyncs for which there was no need. */
  needless(changes: readonly Change[]): string[] {
    return needed(this.told(changes)).map((finding) => `${this.name} ${finding}`);
  }

  unsubscribe(): void {
    this.log.unsubscribe();
    this.#subscription.unsubscribe();
  }
}
