import { isRecord } from '../../check.js';
import type { OtherTabs, Slot } from './other-tabs.js';

/** What tabs say to each other; never more than where they poll, and since when. */
interface Word {
  readonly from: number;
  readonly endpoint: string;
  readonly slots: readonly Slot[];
  /** The others shall say theirs. */
  readonly ask: boolean;
}

/** What is known of one endpoint. */
interface Place {
  own: readonly Slot[];
  readonly others: Map<number, readonly Slot[]>;
  /** Who has said something since all were asked. */
  readonly heard: Set<number>;
  askedAt: number;
}

/** A later version that says something else says it elsewhere. */
const channelName = 'rxetcd 1';
/** A tab that has not said a word for so long after it was asked is closed, or frozen, ms. */
const askAgainAfter = 900;

/**
 * The other tabs, through a BroadcastChannel: the one means that pages of plain `http://` have in every browser. Where
 * there is none after all, this client is alone. Tabs come and go without a farewell, so that who is there is asked.
 */
export class ChannelTabs implements OtherTabs {
  readonly #me = Math.random();
  readonly #places = new Map<string, Place>();
  readonly #listeners: ((endpoint: string, asked: boolean) => void)[] = [];
  #channel: BroadcastChannel | undefined;

  /** This client is at the endpoint from now on, and asks who else is there. */
  join(endpoint: string): void {
    this.#place(endpoint);
  }

  slots(endpoint: string): readonly Slot[] {
    return [...this.#place(endpoint).others.values()].flat();
  }

  /** How many polls are under way at an endpoint, those of all tabs. */
  polls(endpoint: string): number {
    return [...this.#place(endpoint).own, ...this.slots(endpoint)].filter(({ running }) => running).length;
  }

  tell(endpoint: string, own: readonly Slot[]): void {
    this.#place(endpoint).own = own;
    this.#say(endpoint, false);
  }

  ask(endpoint: string): void {
    if (this.#begins(this.#place(endpoint))) this.#say(endpoint, true);
  }

  listen(listener: (endpoint: string, asked: boolean) => void): void {
    this.#listeners.push(listener);
  }

  /** This client is there no longer. */
  leave(endpoint: string): void {
    if (!this.#places.has(endpoint)) return;
    this.tell(endpoint, []);
    this.#places.delete(endpoint);
  }

  /** Takes leave, and hears nothing more. */
  close(): void {
    for (const endpoint of this.#places.keys()) this.tell(endpoint, []);
    this.#channel?.close();
    this.#channel = undefined;
  }

  #place(endpoint: string): Place {
    const known = this.#places.get(endpoint);
    if (known !== undefined) return known;
    const place: Place = { own: [], others: new Map(), heard: new Set(), askedAt: -Infinity };
    if (this.#places.size === 0 && this.#channel === undefined) this.#open();
    this.#places.set(endpoint, place);
    this.ask(endpoint);
    return place;
  }

  #open(): void {
    try {
      const channel = new BroadcastChannel(channelName);
      channel.onmessage = ({ data }: MessageEvent<unknown>) => {
        // Whatever else a page may say there.
        if (isRecord(data) && Array.isArray(data['slots'])) this.#hear(data as unknown as Word);
      };
      this.#channel = channel;
    } catch {
      // There is none, or this page may not have it.
    }
  }

  #say(endpoint: string, ask: boolean): void {
    const word: Word = { from: this.#me, endpoint, slots: this.#place(endpoint).own, ask };
    this.#channel?.postMessage(word);
  }

  #hear({ from, endpoint, slots, ask }: Word): void {
    const place = this.#places.get(endpoint);
    // Not used here yet: who is there is asked then.
    if (place === undefined) return;
    if (ask) {
      this.#begins(place);
      if (place.own.length > 0) this.#say(endpoint, false);
    }
    place.heard.add(from);
    place.others.set(from, slots.filter(isRecord));
    for (const listener of this.#listeners) listener(endpoint, ask);
  }

  /** A new round of answers, in which those are forgotten who gave none in the last. False if one has just begun. */
  #begins(place: Place): boolean {
    const now = performance.now();
    if (now - place.askedAt < askAgainAfter) return false;
    place.askedAt = now;
    for (const tab of place.others.keys()) if (!place.heard.has(tab)) place.others.delete(tab);
    place.heard.clear();
    return true;
  }
}
