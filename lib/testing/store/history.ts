import { StoreError } from './store-error.js';
import type { StoreEvent } from './store-event.js';

/** Events that are remembered, of all keys together. */
const historySize = 1_000;

/** The latest events. Each has an index of its own, one above that of the event before it. */
export class History {
  #events: StoreEvent[] = [];
  /** Events at the front of `#events` that no longer count. */
  #gone = 0;
  #lastIndex = 0;
  /** Of the oldest event that is remembered. */
  #startIndex = 0;

  add(event: StoreEvent): void {
    this.#events.push(event);
    if (this.#events.length - this.#gone > historySize) this.#gone += 1;
    if (this.#gone > historySize) {
      this.#events = this.#events.slice(this.#gone);
      this.#gone = 0;
    }
    this.#lastIndex = event.node.modifiedIndex;
    this.#startIndex = this.#events[this.#gone]?.node.modifiedIndex ?? 0;
  }

  /** Forgets all events: whoever asks for one of them is told that they are gone. */
  clear(): void {
    this.#events = [];
    this.#gone = 0;
    this.#startIndex = this.#lastIndex + 1;
  }

  /**
   * The first event from `index` on that a watch of `key` takes for its own. Etcd looks less closely here than live: hidden keys
   * match, and a directory that went matches every key whose text begins with its name.
   *
   * @param storeIndex told in the error if that part of the history is gone
   */
  find(key: string, recursive: boolean, index: number, storeIndex: number): StoreEvent | undefined {
    if (index < this.#startIndex) {
      const reason = `the requested history has been cleared [${this.#startIndex}/${index}]`;
      throw new StoreError(401, reason, storeIndex);
    }
    const prefix = key.endsWith('/') ? key : `${key}/`;
    for (let i = this.#gone + index - this.#startIndex; i < this.#events.length; i++) {
      const event = this.#events[i];
      if (event !== undefined && matches(event, key, recursive ? prefix : undefined)) return event;
    }
    return undefined;
  }
}

function matches({ action, node, prevNode, refresh }: StoreEvent, key: string, prefix?: string): boolean {
  if (refresh === true) return false;
  if (node.key === key || (prefix !== undefined && node.key.startsWith(prefix))) return true;
  const goneDir = (action === 'delete' || action === 'expire') && prevNode?.dir === true;
  return goneDir && key.startsWith(prevNode.key);
}
