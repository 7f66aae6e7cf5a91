import { History } from './history.js';
import { isHiddenFrom, join, segmentsOf } from './paths.js';
import type { StoreEvent } from './store-event.js';
import { Watcher } from './watcher.js';

/** All watchers of a store, and the history that late ones begin in. */
export class WatcherHub {
  readonly history = new History();
  readonly #watchers = new Map<string, Set<Watcher>>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /**
   * One that finds its first event in history is never listed: as a stream it says nothing more after it.
   *
   * @param storeIndex now
   */
  watch(key: string, recursive: boolean, stream: boolean, since: number, storeIndex: number): Watcher {
    const past = this.history.find(key, recursive, since, storeIndex);
    const watcher = new Watcher(recursive, stream, storeIndex, since, (gone) => this.#remove(key, gone));
    if (past !== undefined) {
      watcher.preset(past);
      return watcher;
    }
    const others = this.#watchers.get(key) ?? new Set();
    this.#watchers.set(key, others.add(watcher));
    this.#count += 1;
    return watcher;
  }

  /** Tells the watchers of its key, and of all directories above. */
  notify(event: StoreEvent): void {
    this.history.add(event);
    let path = '/';
    this.#notifyAt(path, event, false);
    for (const segment of segmentsOf(event.node.key)) {
      path = join(path, segment);
      this.#notifyAt(path, event, false);
    }
  }

  /** Tells the watchers of a path that is going together with the event's own. */
  notifyGone(path: string, event: StoreEvent): void {
    this.#notifyAt(path, event, true);
  }

  #notifyAt(path: string, event: StoreEvent, gone: boolean): void {
    const isItsPath = event.node.key === path;
    const watchers = this.#watchers.get(path);
    if (watchers === undefined || (!isItsPath && isHiddenFrom(path, event.node.key))) return;
    for (const watcher of [...watchers]) {
      if (watcher.notify(event, isItsPath || gone) && !watcher.stream) this.#remove(path, watcher);
    }
  }

  #remove(key: string, watcher: Watcher): void {
    const watchers = this.#watchers.get(key);
    if (watchers?.delete(watcher) !== true) return;
    this.#count -= 1;
    if (watchers.size === 0) this.#watchers.delete(key);
  }
}
