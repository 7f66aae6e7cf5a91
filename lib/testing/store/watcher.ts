import type { StoreEvent } from './store-event.js';

/** Events that wait to be taken. */
const capacity = 100;

/** One watch: the events it has not taken yet, and a call when there are some. */
export class Watcher {
  readonly #waiting: StoreEvent[] = [];
  #onEvent: (() => void) | undefined;

  /**
   * @param startIndex the store's index when the watch began
   * @param sinceIndex the first index it takes
   * @param leave takes it out of the hub; nothing happens the second time
   */
  constructor(
    readonly recursive: boolean,
    readonly stream: boolean,
    readonly startIndex: number,
    readonly sinceIndex: number,
    private readonly leave: (watcher: Watcher) => void,
  ) {}

  /** The oldest event that waits. */
  take(): StoreEvent | undefined {
    return this.#waiting.shift();
  }

  /** Called for each event that comes. */
  onEvent(call: () => void): void {
    this.#onEvent = call;
  }

  /**
   * False if it is not interested. A watcher with too many events waiting is dropped by its hub without a word, as in etcd: its
   * stream stays open and silent.
   */
  notify(event: StoreEvent, isItsPath: boolean): boolean {
    if (!(this.recursive || isItsPath) || event.node.modifiedIndex < this.sinceIndex) return false;
    if (this.#waiting.length >= capacity) this.remove();
    else {
      this.#waiting.push(event);
      this.#onEvent?.();
    }
    return true;
  }

  /** An event that is older than the watch itself. */
  preset(event: StoreEvent): void {
    this.#waiting.push(event);
  }

  remove(): void {
    this.leave(this);
  }
}
